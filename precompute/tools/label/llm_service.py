"""Address and key of a language model service.

The key comes from the environment and not from the command line, which other users of a machine can read.
Knows nothing of questions, and opens no connection.
"""

import base64
import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from urllib.parse import quote, unquote, urlsplit, urlunsplit

from db.errors import UserError

KEYS = ("HEADLIGHT_LLM_KEY", "OPENAI_API_KEY")
"""Environment variables of the key, in order of precedence."""

HIDDEN = "[hidden]"
"""Replacement of a secret in output."""

MIN_SECRET_LENGTH = 6
"""Shorter values ("none", "x", "EMPTY") are placeholders for a server without keys, and not secrets."""


class LlmError(UserError):
    """A language model cannot be asked. The message states what to do, and never contains the key."""


@dataclass(frozen=True)
class Service:
    """Address, key and retry policy of a service."""

    url: str = field(repr=False)
    """Base address, without `/chat/completions`; may contain user:password@, which replaces the key."""

    key: str | None = field(default=None, repr=False)
    """Key; None for a service without keys."""

    concurrency: int = 4
    """Number of simultaneous questions."""

    timeout: float = 120.0
    """Seconds for one whole response before a question is sent again."""

    attempts: int = 8
    """Maximum number of attempts per question before the run stops."""

    first_wait: float = 1.0
    """Seconds before the second attempt; doubled for each further attempt, minus up to half at random."""

    max_wait: float = 60.0
    """Upper bound of the doubling, in seconds."""

    max_pause: float = 600.0
    """Longest accepted pause of a service in seconds; for a longer one the run stops and can be resumed."""

    def __post_init__(self) -> None:
        try:
            parts = urlsplit(self.url)
            valid = parts.scheme in ("http", "https") and parts.hostname and parts.port != 0
        except ValueError:
            valid = False
        # The message omits the address, which may contain a password.
        if not valid:
            raise LlmError("--url is no address. Give one such as http://localhost:11434/v1.")
        if "?" in self.url or "#" in self.url:
            raise LlmError("--url holds a ? or a #. Give the address alone, such as https://host/v1.")
        if self.key is not None and not (self.key.isascii() and self.key.isprintable()):
            raise LlmError(f"the key in {' or '.join(KEYS)} holds characters that no key has. Set it again.")

    @property
    def endpoint(self) -> str:
        """Address without user and password, for output and storage."""
        parts = urlsplit(self.url)
        return urlunsplit((parts.scheme, parts.netloc.rpartition("@")[2], parts.path.rstrip("/"), "", ""))

    @property
    def authorization(self) -> str | None:
        """Header `Authorization` from user and password of the address; None without them."""
        return f"Basic {_base64(self._login)}" if self._login else None

    def secrets(self, environment: Mapping[str, str] = os.environ) -> tuple[str, ...]:
        """Returns all secrets sent to the service, in every encoding that its answers may contain."""
        secrets = {self.key or "", *(environment.get(name, "").strip() for name in KEYS)}
        secrets |= {value for line in _headers(environment) for value in (line, line.rpartition(" ")[2])}
        if self._login:
            user, _, password = self._login.partition(":")
            secrets |= {self._login, _base64(self._login), password or user}
        encoded = {text for secret in secrets for text in (secret, quote(secret, safe=""))}
        # Longest first: a shorter secret inside a longer one would leave the rest visible.
        return tuple(sorted((t for t in encoded if len(t) >= MIN_SECRET_LENGTH), key=len, reverse=True))

    @property
    def _login(self) -> str:
        return unquote(urlsplit(self.url).netloc.rpartition("@")[0])


def key_variable(environment: Mapping[str, str] = os.environ) -> str | None:
    """Returns the name of the first variable with a key; None if there is none."""
    return next((name for name in KEYS if environment.get(name, "").strip()), None)


def key_of_environment(environment: Mapping[str, str] = os.environ) -> str | None:
    """Returns the key from the first variable that has one."""
    name = key_variable(environment)
    return environment[name].strip() if name else None


def hide(text: str, secrets: tuple[str, ...]) -> str:
    """Returns `text` with every secret replaced."""
    for secret in secrets:
        text = text.replace(secret, HIDDEN)
    return text


def _headers(environment: Mapping[str, str]) -> list[str]:
    """Returns values, possibly secret, of headers that the openai library adds from the environment."""
    lines = [line.partition(":") for line in environment.get("OPENAI_CUSTOM_HEADERS", "").splitlines()]
    marks = ("auth", "key", "token", "secret")
    return [value.strip() for name, _, value in lines if any(mark in name.lower() for mark in marks)]


def _base64(login: str) -> str:
    return base64.b64encode(login.encode()).decode()
