"""Who made a bundle: signatures by SSH keys, made and checked by OpenSSH itself."""

import shutil
import subprocess

import pytest

from db import bundle, signatures
from db.layout import MANIFEST, SIGNATURE
from db.signatures import SignatureError
from db.verify import problems

pytestmark = pytest.mark.skipif(shutil.which("ssh-keygen") is None, reason="OpenSSH is not installed")


@pytest.fixture(scope="module")
def keys(tmp_path_factory):
    """The private keys of two people, with public keys beside them."""
    folder = tmp_path_factory.mktemp("keys")
    for name in ("ours", "theirs"):
        command = ["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-C", f"{name}@lab", "-f", folder / name]
        subprocess.run(command, check=True)
    return folder


@pytest.fixture(scope="module")
def signed(tiny, keys, tmp_path_factory):
    folder = shutil.copytree(tiny.path, tmp_path_factory.mktemp("signed") / "tiny")
    assert bundle.main(["sign", str(folder), "--key", str(keys / "ours")]) == 0
    return folder


def fingerprint(key) -> str:
    listed = subprocess.run(["ssh-keygen", "-lf", key], capture_output=True, text=True, check=True)
    return listed.stdout.split()[1]


def test_a_signed_bundle_is_sound_and_names_the_key_that_signed_it(signed, keys, capsys):
    assert problems(signed) == []

    code = bundle.main(["verify", str(signed), "--signed-by", str(keys / "ours.pub")])

    assert code == 0
    assert f"signed by ED25519 key {fingerprint(keys / 'ours')}" in capsys.readouterr().out


def test_the_zip_of_a_signed_bundle_is_signed(signed, keys, tmp_path, capsys):
    assert bundle.main(["zip", str(signed), str(tmp_path / "tiny.zip")]) == 0

    assert bundle.main(["verify", str(tmp_path / "tiny.zip"), "--signed-by", str(keys / "ours.pub")]) == 0


def test_the_key_of_somebody_else_is_not_believed(signed, keys, capsys):
    assert bundle.main(["verify", str(signed), "--signed-by", str(keys / "theirs.pub")]) == 1
    assert "not signed by any key of" in capsys.readouterr().out


@pytest.mark.parametrize(
    "line",
    [
        "{key}",
        "{key} ours@lab",
        '# comment\n\nalice@lab,bob@lab namespaces="git" {key}',
        'from="10.0.0.1",no-pty {key} ours@lab',
        "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIPTZ6HyQ3uhsCGJGlWLxSScEqp+NB40JyuQS61vFyaYI\n{key}",
    ],
)
def test_public_keys_are_read_as_people_have_them(signed, keys, tmp_path, line):
    key = " ".join((keys / "ours.pub").read_text().split()[:2])
    (tmp_path / "keys").write_text(line.format(key=key))

    assert signatures.signer(signed, tmp_path / "keys").endswith(fingerprint(keys / "ours"))


def test_a_changed_manifest_a_signature_of_something_else_and_a_broken_one_are_not_believed(
    signed, keys, tmp_path
):
    changed = shutil.copytree(signed, tmp_path / "changed")
    (changed / MANIFEST).write_text((changed / MANIFEST).read_text() + " ")
    assert signatures.signer(changed, keys / "ours.pub") is None

    of_git = shutil.copytree(signed, tmp_path / "git")
    command = ["ssh-keygen", "-q", "-Y", "sign", "-n", "git", "-f", keys / "ours", of_git / MANIFEST]
    (of_git / SIGNATURE).unlink()
    subprocess.run(command, check=True, capture_output=True)
    assert (of_git / SIGNATURE).is_file()
    assert signatures.signer(of_git, keys / "ours.pub") is None

    for content in (b"", b"\0" * 100, b"x" * 2**20):
        (of_git / SIGNATURE).write_bytes(content)
        assert signatures.signer(of_git, keys / "ours.pub") is None


def test_what_cannot_be_signed_or_checked_is_said_in_one_line(tiny, signed, keys, copy, tmp_path, capsys):
    (tmp_path / "words").write_text("ssh- is no key")
    cases = {
        ("verify", tiny.path, "--signed-by", keys / "ours.pub"): "is not signed",
        ("verify", signed, "--signed-by", tmp_path / "words"): "has no public SSH key",
        ("sign", copy, "--key", tmp_path / "none"): "there is no key",
        ("sign", copy, "--key", tmp_path / "words"): "cannot sign",
    }
    for words, reason in cases.items():
        assert bundle.main([str(word) for word in words]) == 2
        told = capsys.readouterr().err
        assert reason in told and told.count("\n") == 1
    assert not (copy / SIGNATURE).exists()


def test_a_damaged_bundle_is_not_signed(copy, keys, capsys):
    (copy / "headlight.duckdb").write_bytes(b"")

    assert bundle.main(["sign", str(copy), "--key", str(keys / "ours")]) == 2
    assert "is damaged" in capsys.readouterr().err and not (copy / SIGNATURE).exists()


def test_without_openssh_the_message_says_what_to_install(signed, keys, monkeypatch):
    monkeypatch.setenv("PATH", "")
    with pytest.raises(SignatureError, match="Install OpenSSH"):
        signatures.signer(signed, keys / "ours.pub")
