"""Where a language model is, and the key that must not be seen.

The key comes from the environment, never from the command line, where other users of a machine could read it.
Knows nothing of questions. Opens nothing.
"""

import base64
import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from urllib.parse import quote, unquote, urlsplit, urlunsplit

from db.errors import UserError

KEYS = ("HEADLIGHT_LLM_KEY", "OPENAI_API_KEY")
"""Where the key is looked for, in this order."""

HIDDEN = "[hidden]"
"""What stands in place of a secret."""

SHORTEST_SECRET = 6
"""Anything shorter ("none", "x", "EMPTY": what people set for a server without keys) is a word, no secret."""


class LlmError(UserError):
    """A language model cannot be asked; the message says what to do, and never holds the key."""


@dataclass(frozen=True)
class Service:
    """Where questions go, and how patiently."""

    url: str = field(repr=False)
    """Address that `/chat/completions` follows; may hold user:password@, which then stand for the key."""

    key: str | None = field(default=None, repr=False)
    """None for a service that needs none."""

    concurrency: int = 4
    """Questions under way at once."""

    timeout: float = 120.0
    """Seconds without a sign of life after which a question is asked again."""

    attempts: int = 8
    """Times that one question is sent before the run stops."""

    first_wait: float = 1.0
    """Seconds before the second attempt; doubled for each further one, less up to half at random."""

    longest_wait: float = 60.0
    """Where the doubling ends."""

    longest_pause: float = 600.0
    """Longest pause a service may ask for, seconds; past that the run stops, to be resumed."""

    def __post_init__(self) -> None:
        try:
            parts = urlsplit(self.url)
            known = parts.scheme in ("http", "https") and parts.hostname and parts.port != 0
        except ValueError:
            known = False
        # What is wrong with it is not shown: it may hold a password.
        if not known:
            raise LlmError("--url is no address. Give one such as http://localhost:11434/v1.")
        if "?" in self.url or "#" in self.url:
            raise LlmError("--url holds a ? or a #. Give the address alone, such as https://host/v1.")
        if self.key is not None and not (self.key.isascii() and self.key.isprintable()):
            raise LlmError(f"the key in {' or '.join(KEYS)} holds characters that no key has. Set it again.")

    @property
    def endpoint(self) -> str:
        """The address without user and password: what is shown and stored."""
        parts = urlsplit(self.url)
        return urlunsplit((parts.scheme, parts.netloc.rpartition("@")[2], parts.path.rstrip("/"), "", ""))

    @property
    def authorization(self) -> str | None:
        """The header that user and password of the address make; None where it has none."""
        return f"Basic {_base64(self._login)}" if self._login else None

    def secrets(self, environment: Mapping[str, str] = os.environ) -> tuple[str, ...]:
        """Everything that a service is sent in confidence, in the spellings it may come back in."""
        found = {self.key or "", *(environment.get(name, "").strip() for name in KEYS)}
        found |= {value for line in _headers(environment) for value in (line, line.rpartition(" ")[2])}
        if self._login:
            user, _, password = self._login.partition(":")
            found |= {self._login, _base64(self._login), password or user}
        spelled = {form for secret in found for form in (secret, quote(secret, safe=""))}
        # The longest first: a shorter one inside it would leave the rest standing.
        return tuple(sorted((one for one in spelled if len(one) >= SHORTEST_SECRET), key=len, reverse=True))

    @property
    def _login(self) -> str:
        return unquote(urlsplit(self.url).netloc.rpartition("@")[0])


def key_variable(environment: Mapping[str, str] = os.environ) -> str | None:
    """The first variable that holds a key; None where none does."""
    return next((name for name in KEYS if environment.get(name, "").strip()), None)


def key_of_environment(environment: Mapping[str, str] = os.environ) -> str | None:
    """The key, from the first variable that holds one."""
    name = key_variable(environment)
    return environment[name].strip() if name else None


def hide(text: str, secrets: tuple[str, ...]) -> str:
    """`text` without any of the secrets."""
    for secret in secrets:
        text = text.replace(secret, HIDDEN)
    return text


def _headers(environment: Mapping[str, str]) -> list[str]:
    """Values of the headers that the openai library adds by itself, where they may be secret."""
    lines = [line.partition(":") for line in environment.get("OPENAI_CUSTOM_HEADERS", "").splitlines()]
    marks = ("auth", "key", "token", "secret")
    return [value.strip() for name, _, value in lines if any(mark in name.lower() for mark in marks)]


def _base64(login: str) -> str:
    return base64.b64encode(login.encode()).decode()
