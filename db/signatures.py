"""Signs a bundle with an SSH key, and checks who signed it.

Checksums show that a bundle is whole, not who made it: a stranger can write both anew. A signature of the
manifest, which holds the checksum of every file, shows that. OpenSSH makes and checks it (`ssh-keygen -Y`,
as git does): most researchers have such a key, and its public half is known (github.com/NAME.keys).
"""

import re
import subprocess
import tempfile
from pathlib import Path

from db.atomic_file import atomic_file
from db.errors import StoreError
from db.layout import MANIFEST, SIGNATURE

NAMESPACE = "headlight-bundle"
"""A signature of the same key for another purpose is no signature of a bundle."""

KEYS = ("id_ed25519", "id_ecdsa", "id_rsa")
"""Names of keys in ~/.ssh, in the order they are looked for."""

MAX_BYTES = 2**16
"""Maximum size of a signature or of a file of public keys, in bytes."""

_SIGNER = "signer"
_PUBLIC_KEY = re.compile(
    r"(?:^|\s)((?:ssh|ecdsa|sk-ssh|sk-ecdsa)-[\w@.-]+ [A-Za-z0-9+/]+=*)(?:\s|$)", re.MULTILINE | re.ASCII
)
_GOOD = re.compile(r'^Good "\S+" signature for \S+ with (\S+ key SHA256:\S+)', re.MULTILINE)


class SignatureError(StoreError):
    """A bundle cannot be signed, or signatures cannot be checked; the message says why."""


def sign(directory: Path, key: Path) -> Path:
    """Signs the manifest of a bundle with a private SSH key; returns the file of the signature.

    `ssh-keygen` asks for a passphrase, or the key's agent or hardware does. A former signature is replaced.

    Raises:
        SignatureError: there is no such key, or OpenSSH cannot use it.
    """
    if not key.is_file():
        raise SignatureError(
            f"there is no key {key}. Give yours by --key, or make one: ssh-keygen -t ed25519"
        )
    signed = _ssh_keygen("sign", "-f", str(key), manifest=directory / MANIFEST)
    if signed.returncode or "BEGIN SSH SIGNATURE" not in signed.stdout:
        raise SignatureError(f"{key} cannot sign: {_reason(signed)}. Give a private SSH key by --key.")
    with atomic_file(directory / SIGNATURE) as temporary:
        temporary.write_text(signed.stdout, encoding="utf-8")
    return directory / SIGNATURE


def default_key() -> Path:
    """Returns the key in ~/.ssh that OpenSSH would use; the first name if there is none."""
    keys = [Path.home() / ".ssh" / name for name in KEYS]
    return next((key for key in keys if key.is_file()), keys[0])


def signer(directory: Path, public_keys: Path) -> str | None:
    """Returns the kind and fingerprint of the public key that signed a bundle; None if none of them did.

    `public_keys` has one key a line, as in id_ed25519.pub, authorized_keys, allowed_signers, or
    github.com/NAME.keys.

    Raises:
        SignatureError: the bundle is not signed, or the file has no public key.
    """
    signature = directory / SIGNATURE
    if not signature.is_file():
        raise SignatureError(f"the bundle at {directory} is not signed. Ask for one with {SIGNATURE} in it.")
    if signature.stat().st_size > MAX_BYTES:
        return None
    with tempfile.NamedTemporaryFile("w", suffix=".allowed_signers") as allowed:
        allowed.writelines(f"{_SIGNER} {key}\n" for key in _keys_in(public_keys))
        allowed.flush()
        options = ("-f", allowed.name, "-I", _SIGNER, "-s", str(signature))
        checked = _ssh_keygen("verify", *options, manifest=directory / MANIFEST)
    good = _GOOD.search(checked.stdout)
    return good[1] if good and checked.returncode == 0 else None


def _keys_in(file: Path) -> list[str]:
    with file.open(encoding="utf-8", errors="replace") as handle:
        text = handle.read(MAX_BYTES)
    if not (keys := _PUBLIC_KEY.findall(text)):
        raise SignatureError(f"{file} has no public SSH key. Give a file like id_ed25519.pub.")
    return keys


def _ssh_keygen(action: str, *options: str, manifest: Path) -> subprocess.CompletedProcess[str]:
    command = ["ssh-keygen", "-Y", action, "-n", NAMESPACE, *options]
    try:
        with manifest.open("rb") as handle:  # text mode would be wrong for the bytes that are signed
            return subprocess.run(command, stdin=handle, capture_output=True, text=True, errors="replace")
    except FileNotFoundError as error:
        if error.filename != command[0]:
            raise
        raise SignatureError("ssh-keygen is missing. Install OpenSSH 8.2 or newer for signatures.") from None


def _reason(result: subprocess.CompletedProcess[str]) -> str:
    lines = result.stderr.strip().splitlines()
    return lines[-1] if lines else "ssh-keygen gave no signature"
