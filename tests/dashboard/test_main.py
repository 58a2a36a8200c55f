"""The dashboard's address: refused before anything starts if it is unusable, else printed as it works."""

import json
import os
import re
import socket
import subprocess
import sys
import urllib.request

import pytest

from dashboard.__main__ import check_address, main, parser, url_host
from headlight import demo
from tests.support.paths import ROOT


@pytest.fixture
def busy_port():
    with socket.socket() as server:
        server.bind(("127.0.0.1", 0))
        server.listen()
        yield server.getsockname()[1]


@pytest.fixture
def bundle(tiny_bundle) -> str:
    return str(tiny_bundle)


def has_ipv6() -> bool:
    try:
        with socket.socket(socket.AF_INET6) as server:
            server.bind(("::1", 0))
    except OSError:
        return False
    return True


needs_ipv6 = pytest.mark.skipif(not has_ipv6(), reason="this machine has no IPv6")


@pytest.mark.parametrize("address", ["localhost", "127.0.0.1", "0.0.0.0"])
def test_a_port_in_use_is_refused_with_a_free_one(bundle, busy_port, address, capsys):
    assert main([bundle, "--port", str(busy_port), "--address", address]) == 1

    output = capsys.readouterr()
    assert output.out == ""
    assert f"port {busy_port} is in use" in output.err
    (free,) = re.findall(r"--port (\d+)", output.err)
    assert check_address(address, int(free)) == int(free)


@needs_ipv6
def test_localhost_is_in_use_if_a_browser_would_reach_another_program(bundle, capsys):
    with socket.socket(socket.AF_INET6) as server:
        server.bind(("::1", 0))
        server.listen()
        assert main([bundle, "--port", str(server.getsockname()[1])]) == 1

    assert "is in use" in capsys.readouterr().err


@pytest.mark.parametrize("path", ["../up", "a//b", "with space", "x?y", "<b>"])
def test_a_base_path_that_is_no_path_is_refused(bundle, path, capsys):
    assert main([bundle, "--base-path", path]) == 1
    assert f"--base-path {path!r} is no path" in capsys.readouterr().err


def test_the_container_starts_the_app_with_options_that_there_are():
    (line,) = re.findall(r"^CMD (.+)$", (ROOT / "Dockerfile").read_text(), re.MULTILINE)
    command, view, *words = json.loads(line)

    options = parser().parse_args(words)
    assert [command, view, options.address, options.port] == ["headlight", "view", "0.0.0.0", 8501]


def test_the_demo_is_not_built_for_a_port_in_use(busy_port, tmp_path, capsys):
    assert demo.main(["--bundle", str(tmp_path / "new"), "--port", str(busy_port)]) == 1

    assert f"port {busy_port} is in use" in capsys.readouterr().err
    assert [*tmp_path.iterdir()] == []


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["--address", ""], "--address is empty"),
        (["--address", "203.0.113.5"], '"203.0.113.5"'),
        (["--address", "no-machine.invalid"], '"no-machine.invalid"'),
        (["--address", "a" * 70], '"aaaa'),
        (["--port", "65536"], "--port 65536"),
        (["--port", "-1"], "--port -1"),
    ],
)
def test_an_impossible_address_is_refused(bundle, options, message, capsys):
    assert main([bundle, *options]) == 1

    output = capsys.readouterr()
    assert output.out == ""
    assert message in output.err


@pytest.mark.parametrize(
    ("address", "host"),
    [
        ("localhost", "localhost"),
        ("192.168.1.7", "192.168.1.7"),
        ("::1", "[::1]"),
        ("fe80::12", "[fe80::12]"),
        ("0.0.0.0", "localhost"),
        ("::", "localhost"),
        ("lab-machine", "lab-machine"),
    ],
)
def test_the_host_of_the_printed_address_is_one_that_a_browser_takes(address, host):
    assert url_host(address) == host


@needs_ipv6
def test_the_printed_address_answers(bundle):
    """IPv6, a base path, and a port that the machine chooses."""
    command = [sys.executable, "-m", "dashboard", bundle, "--address", "::1", "--port", "0"]
    environment = os.environ | {"STREAMLIT_SERVER_BASE_URL_PATH": "lab/heads"}
    server = subprocess.Popen(
        command, cwd=ROOT, env=environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
    )
    try:
        lines = iter(server.stdout.readline, "")
        address = next(found[0] for line in lines if (found := re.findall(r"http://\S+", line)))
        assert re.fullmatch(r"http://\[::1\]:\d+/lab/heads", address)
        assert b"<title>" in urllib.request.urlopen(f"{address}/", timeout=5).read()
    finally:
        server.terminate()
        rest = server.communicate(timeout=10)[0]
    assert "leaked" not in rest
