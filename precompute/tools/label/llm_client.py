"""Client of language model services: the only file that opens a socket.

Supports any service with OpenAI's chat completions, hosted or local. Transient errors (429, 5xx, timeout,
closed connection) are retried with exponential waits, no sooner than the service requests. Other errors
(unknown model, refused key) stop the run. Every answer is stored immediately.

The key is removed from all answers and errors before they leave this file, since a service may echo it.
"""

import queue
import random
import threading
import time
from collections import defaultdict
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Any, cast

import openai
from openai.types.chat import ChatCompletion

from precompute.runtime import progress
from precompute.tools.label.llm_cache import Answer, AnswerCache, Question
from precompute.tools.label.llm_service import KEYS, LlmError, Service, hide

RESUME_HINT = "Answers so far are kept: give the same command again to go on."

OPTIONS = ("response_format", "temperature", "seed", "max_tokens")
"""Options that some services refuse; the client then omits them."""

NOTE_INTERVAL = 2.0
"""Minimum number of seconds between two lines about waiting."""


class TransientError(Exception):
    """Retryable error."""

    def __init__(self, message: str, pause: float | None = None) -> None:
        super().__init__(message)
        self.pause = pause
        """Seconds to wait as requested by the service; None without a request."""


class LlmClient:
    """Asks questions of one service, and stores the answers."""

    def __init__(self, service: Service, cache: AnswerCache) -> None:
        self._service = service
        self._cache = cache
        self._secrets = service.secrets()
        self._lock = threading.Lock()
        self._refused: defaultdict[str, set[str]] = defaultdict(set)
        """Options that the service refuses, by model."""

        self._resume_at = 0.0
        """Earliest time (monotonic) of the next request."""

        self._noted_at = float("-inf")

    def ask(self, questions: Sequence[Question]) -> list[Answer]:
        """Returns answers in the order of the questions; stored answers are not requested again.

        Raises:
            LlmError: the service cannot be asked, or did not answer for too long.
        """
        answers = {question: self._cache.find(question) for question in questions}
        new = [question for question, answer in answers.items() if answer is None]
        if new:
            done = len(answers) - len(new)
            with progress.bar("asking", total=len(answers), done=done, unit="answer") as bar:
                for question, answer in self._ask_in_threads(new):
                    self._cache.store(question, answer)
                    answers[question] = answer
                    bar.update()
        return [cast(Answer, answers[question]) for question in questions]

    def _ask_in_threads(self, questions: list[Question]) -> Iterator[tuple[Question, Answer]]:
        """Yields answers as they arrive. Threads are daemons, so that Ctrl-C does not wait for them."""
        waiting: queue.SimpleQueue[Question] = queue.SimpleQueue()
        outcomes: queue.SimpleQueue[tuple[Question, Answer | Exception]] = queue.SimpleQueue()
        for question in questions:
            waiting.put(question)
        stop, client = threading.Event(), self._connect()

        def work() -> None:
            while not stop.is_set() and not waiting.empty():
                try:
                    question = waiting.get_nowait()
                except queue.Empty:  # another thread took the last question
                    return
                try:
                    outcomes.put((question, self._answer(client, question, stop)))
                except Exception as error:
                    stop.set()  # the run ends, so further answers would be wasted
                    outcomes.put((question, error))

        for _ in range(min(self._service.concurrency, len(questions))):
            threading.Thread(target=work, daemon=True).start()
        try:
            for _ in questions:
                question, outcome = outcomes.get()
                if isinstance(outcome, Exception):
                    raise outcome
                yield question, outcome
            client.close()
        finally:
            stop.set()

    def _answer(self, client: openai.OpenAI, question: Question, stop: threading.Event) -> Answer:
        """Returns the answer to one question after as many attempts as needed. Raises LlmError."""
        last = ""
        for attempt in range(1, self._service.attempts + 1):
            stop.wait(max(0.0, self._resume_at - time.monotonic()))
            if stop.is_set():
                break
            try:
                return self._ask_once(client, question)
            except TransientError as problem:
                last = str(problem)
                if attempt < self._service.attempts:
                    self._pause(problem, attempt, stop)
        raise LlmError(f"no answer in {self._service.attempts} attempts. The last: {last}. {RESUME_HINT}")

    def _pause(self, problem: TransientError, attempt: int, stop: threading.Event) -> None:
        service, pause = self._service, problem.pause or 0.0
        if pause > service.max_pause:
            raise LlmError(f"{problem}; it asks for a pause of {pause:.0f} seconds. {RESUME_HINT}")
        wait = min(service.max_wait, service.first_wait * 2 ** (attempt - 1)) * random.uniform(0.5, 1)
        wait, now = max(wait, pause), time.monotonic()
        with self._lock:
            # A pause requested for one question applies to the whole service.
            self._resume_at = max(self._resume_at, now + pause)
            note = now - self._noted_at > NOTE_INTERVAL
            self._noted_at = now if note else self._noted_at
        if note:
            attempts = f"attempt {attempt + 1} of {service.attempts}"
            progress.say(f"  {problem}: asking again in {wait:.1f} s ({attempts})")
        stop.wait(wait)

    def _ask_once(self, client: openai.OpenAI, question: Question) -> Answer:
        """Sends a question once, without options that the service refuses."""
        while True:
            refused = self._refused[question.model]
            sent = {name: value for name, value in question.options.items() if name not in refused}
            asked_at = datetime.now(UTC).replace(tzinfo=None, microsecond=0)
            try:
                reply = client.chat.completions.create(
                    model=question.model, messages=cast(Any, question.prompt), **cast(Any, sent)
                )
                return self._read(reply, sent, asked_at)
            except (openai.BadRequestError, openai.UnprocessableEntityError) as error:
                if error.code == "content_filter":  # concerns this question only, so the run continues
                    return Answer(hide(error.message, self._secrets), sent, asked_at, None, None)
                if not self._omit_option(question.model, sent, error):
                    raise self._translate(error) from None
            except (openai.OpenAIError, ValueError) as error:
                # Not `from error`: the original error may contain the key.
                raise self._translate(error) from None

    def _read(self, reply: object, sent: dict[str, Any], asked_at: datetime) -> Answer:
        choices = reply.choices if isinstance(reply, ChatCompletion) else None
        message = choices[0].message if choices else None
        if not isinstance(reply, ChatCompletion) or message is None:
            raise TransientError(
                f"{self._service.endpoint} answers, but not as a chat; its address may end in /v1"
            )
        text, usage = message.content or message.refusal or "", reply.usage
        return Answer(
            hide(text, self._secrets),
            sent,
            asked_at,
            usage.prompt_tokens if usage else None,
            usage.completion_tokens if usage else None,
        )

    def _omit_option(self, model: str, sent: dict[str, Any], error: openai.APIStatusError) -> bool:
        """Omits the refused option from further requests; False if no option can be omitted."""
        with self._lock:
            if self._refused[model] & set(sent):
                return True  # another thread has omitted it meanwhile
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
        if isinstance(error, openai.APITimeoutError):
            return TransientError(f"{endpoint} gave no sign of life for {self._service.timeout:g} s")
        if isinstance(error, openai.APIConnectionError):
            return TransientError(f"{endpoint} cannot be reached, or cut the connection")
        if not isinstance(error, openai.APIStatusError):
            return TransientError(f"{endpoint} sent no sound JSON")
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
        """Returns the service's error on one line; only the status for a refused key."""
        status = f"{self._service.endpoint} answered {error.status_code}"
        if error.status_code in (401, 403):
            return status
        detail = " ".join(hide(error.message, self._secrets).split())
        return f"{status} ({detail[:200]})"

    def _connect(self) -> openai.OpenAI:
        authorization = self._service.authorization
        return openai.OpenAI(
            # Without user and password: logs show addresses, but not headers.
            base_url=self._service.endpoint,
            api_key=self._service.key or "none",  # the library requires a key, even if the service does not
            default_headers={"Authorization": authorization} if authorization else {},
            timeout=self._service.timeout,
            max_retries=0,  # `_answer` retries, and reports why it waits
        )


def _retry_after(error: openai.APIStatusError) -> float | None:
    """Returns the seconds of the header Retry-After, a number or a date."""
    value = error.response.headers.get("retry-after", "")
    try:
        return max(0.0, float(value))
    except ValueError:
        pass
    try:
        return max(0.0, (parsedate_to_datetime(value) - datetime.now(UTC)).total_seconds())
    except (ValueError, TypeError):
        return None
