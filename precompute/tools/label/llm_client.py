"""Client of language model services: the only file that opens a socket.

Supports any service with OpenAI's chat completions, hosted or local. Transient errors (429, 5xx, timeout,
closed connection) are retried with exponential waits, no sooner than the service requests. Other errors
(unknown model, refused key) stop the run. Every answer is stored immediately.

A response is not trusted: its time and size are limited, its redirects stay at one origin, and one without a
sound answer (`BadResponse`) is asked for again. After some of these the question counts as unreadable, so
one bad answer does not stop a run.

The key is removed from all answers and errors before they leave this file, since a service may echo it.
"""

import asyncio
import json
import random
import time
from collections import defaultdict
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Any, cast

import httpx2
import openai

from precompute.runtime import progress
from precompute.tools.label.llm_cache import Answer, AnswerCache, Question, token_count
from precompute.tools.label.llm_service import KEYS, LlmError, Service, hide

RESUME_HINT = "Answers so far are kept: give the same command again to go on."

OPTIONS = ("response_format", "temperature", "seed", "max_tokens")
"""Options that some services refuse; the client then omits them."""

NOTE_INTERVAL = 2.0
"""Minimum number of seconds between two lines about waiting."""

MAX_ANSWER_BYTES = 2**20
"""Maximum size of one response, after decompression; 32,000 tokens of reasoning have an eighth of it."""

MAX_REDIRECTS = 5

MAX_BAD_RESPONSES = 3
"""Number of bad responses to one question after which it counts as answered, but unreadable."""

MAX_BAD_QUESTIONS = 3
"""Number of such questions after which a model that never gave an answer stops the run."""


class TransientError(Exception):
    """Retryable error."""

    def __init__(self, message: str, pause: float | None = None) -> None:
        super().__init__(message)
        self.pause = pause
        """Seconds to wait as requested by the service; None without a request."""


class BadResponse(TransientError):
    """A response without a usable answer. The service runs, so the fault may lie in one question."""


class BoundedClient(httpx2.AsyncClient):
    """HTTP client of one service: limits the size of responses, and follows no redirect to another origin."""

    def __init__(self, service: Service) -> None:
        super().__init__(timeout=None)  # `LlmClient._ask_once` limits the time of the whole response
        self._service = service

    async def send(self, request: httpx2.Request, **options: Any) -> httpx2.Response:
        """Returns a response with its whole body. Raises BadResponse, LlmError."""
        options |= {"stream": True, "follow_redirects": False}
        for _ in range(MAX_REDIRECTS + 1):
            response = await super().send(request, **options)
            try:
                if response.next_request is None:
                    return await self._read(response)
            finally:
                await response.aclose()
            self._check_origin(request.url, response.next_request.url)
            request = response.next_request
        raise BadResponse(f"{self._service.endpoint} redirects more than {MAX_REDIRECTS} times")

    async def _read(self, response: httpx2.Response) -> httpx2.Response:
        content = bytearray()
        async for piece in response.aiter_bytes():
            content += piece
            if len(content) > MAX_ANSWER_BYTES:
                limit = MAX_ANSWER_BYTES // 2**20
                raise BadResponse(f"{self._service.endpoint} sent an answer of more than {limit} MiB")
        # The body is decompressed, so the headers that describe its transfer no longer hold.
        transfer = ("content-encoding", "content-length", "transfer-encoding")
        headers = [item for item in response.headers.multi_items() if item[0].lower() not in transfer]
        return httpx2.Response(
            response.status_code, headers=headers, content=bytes(content), request=response.request
        )

    def _check_origin(self, before: httpx2.URL, after: httpx2.URL) -> None:
        if after.origin == before.origin:
            return
        target = hide(f"{after.scheme}://{after.netloc.decode('ascii')}", self._service.secrets())
        raise LlmError(
            f"{self._service.endpoint} redirects to {target}. Nothing was sent there. If that is the service "
            f"you mean, give its address with --url. {RESUME_HINT}"
        )


class LlmClient:
    """Asks questions of one service, and stores the answers."""

    def __init__(self, service: Service, cache: AnswerCache) -> None:
        self._service = service
        self._cache = cache
        self._secrets = service.secrets()
        self._refused: defaultdict[str, set[str]] = defaultdict(set)
        """Options that the service refuses, by model."""

        self._answering: set[str] = set()
        """Models that gave an answer, in this run or an earlier one."""

        self._bad_questions: defaultdict[str, int] = defaultdict(int)
        """Number of questions with bad responses alone, by model."""

        self._bad_responses = 0
        self._resume_at = 0.0
        """Earliest time (monotonic) of the next request."""

        self._noted_at = float("-inf")

    def ask(self, questions: Sequence[Question]) -> list[Answer]:
        """Returns answers in the order of the questions; stored answers are not requested again.

        An answer to bad responses alone says so in its text. It is not stored, so the next run asks again.

        Raises:
            LlmError: the service cannot be asked, or did not answer for too long.
        """
        answers = {question: self._cache.find(question) for question in questions}
        new = [question for question, answer in answers.items() if answer is None]
        self._answering |= {question.model for question, answer in answers.items() if answer is not None}
        if new:
            done = len(answers) - len(new)
            with progress.bar("asking", total=len(answers), done=done, unit="answer") as bar:

                def keep(question: Question, answer: Answer) -> None:
                    answers[question] = answer
                    bar.update()

                asyncio.run(self._ask_all(new, keep))
        if self._bad_responses:
            progress.say(f"  {self._bad_responses} bad responses, asked again")
            self._bad_responses = 0
        return [cast(Answer, answers[question]) for question in questions]

    async def _ask_all(self, questions: list[Question], keep: Callable[[Question, Answer], None]) -> None:
        """Asks several questions at a time, and passes on each answer. The first error cancels the others."""
        waiting = iter(questions)
        async with self._connect() as client:

            async def work() -> None:
                for question in waiting:
                    keep(question, await self._answer(client, question))

            tasks = [
                asyncio.create_task(work()) for _ in range(min(self._service.concurrency, len(questions)))
            ]
            try:
                await asyncio.gather(*tasks)
            finally:
                for task in tasks:
                    task.cancel()
                await asyncio.gather(*tasks, return_exceptions=True)

    async def _answer(self, client: openai.AsyncOpenAI, question: Question) -> Answer:
        """Returns the answer to one question after as many attempts as needed. Raises LlmError."""
        last, bad_responses = TransientError(""), 0
        for attempt in range(1, self._service.attempts + 1):
            await asyncio.sleep(max(0.0, self._resume_at - time.monotonic()))
            try:
                answer = await self._ask_once(client, question)
            except TransientError as problem:
                last = problem
                bad_responses += isinstance(problem, BadResponse)
                if attempt == self._service.attempts or bad_responses == MAX_BAD_RESPONSES:
                    break
                await self._pause(problem, attempt)
            else:
                self._cache.store(question, answer)
                self._answering.add(question.model)
                return answer
        if isinstance(last, BadResponse):
            return self._unreadable(question, last)
        raise LlmError(f"no answer in {self._service.attempts} attempts. The last: {last}. {RESUME_HINT}")

    def _unreadable(self, question: Question, problem: BadResponse) -> Answer:
        """Returns an answer that states the problem. Raises LlmError if the model never gave an answer."""
        self._bad_questions[question.model] += 1
        if question.model not in self._answering and self._bad_questions[question.model] >= MAX_BAD_QUESTIONS:
            raise LlmError(
                f"no answer to {MAX_BAD_QUESTIONS} questions. The last: {problem}. Check --url: its address "
                f"may end in /v1. {RESUME_HINT}"
            )
        return Answer(f"(no answer: {problem})", {}, _now(), None, None)

    async def _pause(self, problem: TransientError, attempt: int) -> None:
        service, pause = self._service, problem.pause or 0.0
        if pause > service.max_pause:
            raise LlmError(f"{problem}; it asks for a pause of {pause:.0f} seconds. {RESUME_HINT}")
        wait = min(service.max_wait, service.first_wait * 2 ** (attempt - 1)) * random.uniform(0.5, 1)
        wait, now = max(wait, pause), time.monotonic()
        # A pause requested for one question applies to the whole service.
        self._resume_at = max(self._resume_at, now + pause)
        if now - self._noted_at > NOTE_INTERVAL:
            self._noted_at = now
            attempts = f"attempt {attempt + 1} of {service.attempts}"
            progress.say(f"  {problem}: asking again in {wait:.1f} s ({attempts})")
        await asyncio.sleep(wait)

    async def _ask_once(self, client: openai.AsyncOpenAI, question: Question) -> Answer:
        """Sends a question once, without options that the service refuses."""
        while True:
            refused = self._refused[question.model]
            sent = {name: value for name, value in question.options.items() if name not in refused}
            asked_at = _now()
            try:
                async with asyncio.timeout(self._service.timeout):
                    response = await client.chat.completions.with_raw_response.create(
                        model=question.model, messages=cast(Any, question.prompt), **cast(Any, sent)
                    )
                return self._read(response.content, sent, asked_at)
            except BadResponse:
                self._bad_responses += 1
                raise
            except (openai.BadRequestError, openai.UnprocessableEntityError) as error:
                if error.code == "content_filter":  # concerns this question only, so the run continues
                    return Answer(self._clean(error.message), sent, asked_at, None, None)
                if not self._omit_option(question.model, sent, error):
                    raise self._translate(error) from None
            except (openai.OpenAIError, TimeoutError) as error:
                # Not `from error`: the original error may contain the key.
                raise self._translate(error) from None

    def _read(self, content: bytes, sent: dict[str, Any], asked_at: datetime) -> Answer:
        """Returns the answer in a response. Raises BadResponse."""
        try:
            # Not by the library: it accepts any type in any field, and fails on deeply nested JSON.
            reply = json.loads(content)
            message = reply["choices"][0]["message"]
            text = _text_of(message.get("content") or message.get("refusal") or "")
        except (ValueError, LookupError, TypeError, AttributeError, RecursionError):
            raise BadResponse(f"{self._service.endpoint} answers, but not with a sound chat") from None
        counts = [_usage(reply, name) for name in ("prompt_tokens", "completion_tokens")]
        return Answer(self._clean(text), sent, asked_at, *counts)

    def _clean(self, text: str) -> str:
        """Returns text without secrets, and with lone surrogates, which no file can hold, as escapes."""
        return hide(text, self._secrets).encode("utf-8", "backslashreplace").decode()

    def _omit_option(self, model: str, sent: dict[str, Any], error: openai.APIStatusError) -> bool:
        """Omits the refused option from further requests; False if no option can be omitted."""
        if self._refused[model] & set(sent):
            return True  # another question has omitted it meanwhile
        message = f"{error.param or ''} {error.message}"
        candidates = [name for name in OPTIONS if name in sent and name in message]
        if "response_format" in sent:  # most often refused, and not always by name
            candidates.append("response_format")
        if not candidates:
            return False
        self._refused[model].add(candidates[0])
        progress.say(f"  {model} is asked without {candidates[0]} from now on: {self._message(error)}")
        return True

    def _translate(self, error: Exception) -> Exception:
        """Returns a TransientError or an LlmError for an error of the library."""
        endpoint = self._service.endpoint
        if isinstance(error, TimeoutError):
            return TransientError(f"{endpoint} gave no whole answer in {self._service.timeout:g} s")
        if not isinstance(error, openai.APIStatusError):
            return TransientError(f"{endpoint} cannot be reached, or cut the connection")
        status, message = error.status_code, self._message(error)
        if error.code == "insufficient_quota":
            return LlmError(f"{message}. The quota of this key is used up. {RESUME_HINT}")
        if status in (408, 409, 429) or status >= 500:
            return TransientError(message, _retry_after(error))
        if status in (401, 403):
            return LlmError(
                f"{message}: the key is refused. Set one that it takes in {KEYS[0]}. {RESUME_HINT}"
            )
        return LlmError(f"{message}. Check --url and the name of the model. {RESUME_HINT}")

    def _message(self, error: openai.APIStatusError) -> str:
        """Returns the service's error on one printable line; only the status for a refused key."""
        status = f"{self._service.endpoint} answered {error.status_code}"
        if error.status_code in (401, 403):
            return status
        detail = " ".join(hide(error.message, self._secrets).split())[:200]
        return f"{status} ({''.join(c if c.isprintable() else '?' for c in detail)})"

    def _connect(self) -> openai.AsyncOpenAI:
        authorization = self._service.authorization
        return openai.AsyncOpenAI(
            # Without user and password: logs show addresses, but not headers.
            base_url=self._service.endpoint,
            api_key=self._service.key or "none",  # the library requires a key, even if the service does not
            default_headers={"Authorization": authorization} if authorization else {},
            http_client=BoundedClient(self._service),
            timeout=None,
            max_retries=0,  # `_answer` retries, and reports why it waits
        )


def _now() -> datetime:
    return datetime.now(UTC).replace(tzinfo=None, microsecond=0)


def _text_of(content: object) -> str:
    """Returns the text of a message, whose content is a string or a list of parts. Raises TypeError."""
    if isinstance(content, list):
        return "".join(part["text"] for part in content if part.get("type") == "text")
    if not isinstance(content, str):
        raise TypeError(f"content is {type(content).__name__}")
    return content


def _usage(reply: dict[str, Any], name: str) -> int | None:
    """Returns a count of the field `usage`; None for anything else than a count."""
    usage = reply.get("usage")
    return token_count(usage.get(name)) if isinstance(usage, dict) else None


def _retry_after(error: openai.APIStatusError) -> float | None:
    """Returns the seconds of the header Retry-After, a number or a date."""
    value = error.response.headers.get("retry-after", "")
    try:
        return max(0.0, float(value))
    except ValueError:
        pass
    try:
        return max(0.0, (parsedate_to_datetime(value) - datetime.now(UTC)).total_seconds())
    except (ValueError, TypeError, OverflowError):
        return None
