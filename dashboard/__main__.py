"""`python -m dashboard`: serve a bundle."""

import argparse
import contextlib
import errno
import ipaddress
import os
import re
import socket
import sys
import threading
from pathlib import Path

from dashboard import DEFAULT_BUNDLE
from db import vectors
from db.connection import open_bundle
from db.errors import StoreError, UserError, message_of
from db.verify import check_contents

EXAMPLES = """examples:
  {prog}                    the demo bundle at http://localhost:8501
  {prog} bundles/mine       another one; those beside it are in the sidebar
  {prog} --port 8600 --address 0.0.0.0
                            let others on the network in

A bundle is made by "headlight demo" or "headlight run". Opening one needs neither torch nor weights; typing
your own texts and uploading images load the model once. The environment variable HEADLIGHT_BUNDLE sets the
default bundle.
"""


PORTS_TRIED = 100
"""Number of ports after one in use among which a free one is looked for."""


class AddressError(UserError):
    """An address or a port cannot be served at. The message states what to choose instead."""


def main(arguments: list[str] | None = None, prog: str = "python -m dashboard") -> int:
    """Serves a bundle until it is stopped; returns the exit code, 1 if it cannot be opened."""
    options = parser(prog).parse_args(arguments)
    bundle = options.path or options.bundle
    address = options.address.strip("[]")  # IPv6 addresses have brackets in a URL
    try:
        check_base_path(options.base_path)
        with contextlib.closing(open_bundle(bundle)) as opened:
            port = check_address(address, options.port)
            check_contents(opened)
    except StoreError as error:
        print(f"Cannot open the bundle: {message_of(error)}", file=sys.stderr)
        return 1
    except AddressError as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    return serve(bundle, port, address, options.base_path.strip("/"))


def parser(prog: str = "python -m dashboard") -> argparse.ArgumentParser:
    about = argparse.ArgumentParser(
        prog=prog,
        description="Serve a bundle in the browser: leaderboard, heads, maps and neighbors.",
        epilog=EXAMPLES.format(prog=prog),
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    about.add_argument("path", nargs="?", metavar="BUNDLE", help="the same as --bundle BUNDLE")
    about.add_argument(
        "--bundle",
        default=os.environ.get("HEADLIGHT_BUNDLE", DEFAULT_BUNDLE),
        help="directory of the bundle, or a zip of one (default: %(default)s)",
    )
    about.add_argument("--port", type=int, default=8501, help="port to serve at (default: %(default)s)")
    about.add_argument("--address", default="localhost", help="address to serve at (default: %(default)s)")
    about.add_argument(
        "--base-path", default="", metavar="PATH", help="path below the address, e.g. lab/clip behind a proxy"
    )
    return about


def check_address(address: str, port: int) -> int:
    """Returns the port to serve at, a free one for port 0. Raises AddressError if it cannot be used."""
    if not address:
        raise AddressError("--address is empty. Give localhost, or 0.0.0.0 for all of a network.")
    if not 0 <= port <= 65535:
        raise AddressError(f"--port {port}: ports go from 1 to 65535.")
    try:
        return _bind(address, port)
    except OSError as error:
        if error.errno == errno.EADDRINUSE:
            reason = f"port {port} is in use, perhaps by another Headlight"
        elif error.errno == errno.EACCES:
            reason = f"port {port} is reserved for the administrator of this machine"
        else:
            raise AddressError(
                f'cannot serve at --address "{address}": {error.strerror}. Give localhost, 0.0.0.0 for a '
                "whole network, or an address of this machine."
            ) from error
        raise AddressError(f"{reason}. A free one: --port {_free_port(address, port)}") from error
    except UnicodeError as error:
        raise AddressError(f'--address "{address}" is no name of a machine. Give localhost.') from error


def check_base_path(path: str) -> None:
    """Raises AddressError unless a path consists of plain names, as lab/clip."""
    if not re.fullmatch(r"/?([\w.~-]+/)*([\w.~-]+)?", path, re.ASCII) or ".." in path.split("/"):
        raise AddressError(f"--base-path {path!r} is no path of an address. Give names with / between them.")


def _free_port(address: str, port: int) -> int:
    start = port if port >= 1024 else 8501
    for candidate in range(start, min(start + PORTS_TRIED, 65536)):
        with contextlib.suppress(OSError):
            return _bind(address, candidate)
    return _bind(address, 0)


def _bind(address: str, port: int) -> int:
    """Binds an address as Streamlit does, returns its port and frees it. Raises OSError."""
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    with socket.socket(family) as server:
        server.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        if family == socket.AF_INET6:
            server.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 0)
        server.bind((address, port))
        server.listen()
        port = server.getsockname()[1]
    if address == "localhost" and socket.has_ipv6:
        # A browser may take localhost as ::1, where another program would answer.
        try:
            _bind("::1", port)
        except OSError as error:
            if error.errno == errno.EADDRINUSE:
                raise
    return port


def url_host(address: str) -> str:
    """Returns an address as part of a URL of this machine; localhost for all of its addresses."""
    try:
        number = ipaddress.ip_address(address)
    except ValueError:
        return address
    if number.is_unspecified:
        return "localhost"
    return f"[{address}]" if number.version == 6 else address


def serve(bundle: str, port: int, address: str, base_path: str = "") -> int:
    os.environ["HEADLIGHT_BUNDLE"] = bundle
    from streamlit.web import cli  # slow to import; --help and a wrong path do not need it

    print(f"Headlight serves {bundle} (stop with Ctrl-C)", flush=True)
    warming = threading.Thread(target=warm, args=(bundle,), daemon=True)
    warming.start()

    server = Path(__file__).with_name("server.py")
    sys.argv = ["streamlit", "run", str(server), "--server.port", str(port), "--server.address", address]
    if base_path:
        sys.argv += ["--server.baseUrlPath", base_path]
    if url_host(address) != address and "STREAMLIT_BROWSER_SERVER_ADDRESS" not in os.environ:
        sys.argv += ["--browser.serverAddress", url_host(address)]  # Streamlit prints it, with port and path
    try:
        return cli.main() or 0
    finally:
        warming.join(5)  # a library prints pages of leaks if Python ends in the middle of its import


def warm(path: str) -> None:
    """Reads vectors while the user looks at the first page: their library takes seconds to import."""
    with contextlib.suppress(StoreError):
        bundle = open_bundle(path)
        vectors.head_spaces(bundle, bundle.model_keys[0])
        bundle.close()


if __name__ == "__main__":
    sys.exit(main())
