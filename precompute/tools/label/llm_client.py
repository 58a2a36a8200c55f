"""Ask language models: the only file that opens a socket.

Any service that speaks OpenAI's chat completions will do, hosted or on this machine. What passes (429, 5xx,
silence, a cut connection) is waited out and asked again, later each time and no sooner than the service
asks for; what does not (no such model, a refused key) stops the run. Every answer is kept at once.

The key is taken out of everything that comes back before anyone else sees it: of answers, which a service
may fill with what it was sent, and of errors.
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
from precompute.tools.label.llm_cache import Answer, Answers, Question
from precompute.tools.label.llm_service import (
    KEYS,
    LlmError,
    Service,
    hide,
)

GO_ON = "Answers so far are kept: give the same command again to go on."

OPTIONS = ("response_format", "temperature", "seed", "max_tokens")
"""What a service may refuse to be asked; some do, and then they are asked without."""

NOTE_EVERY = 2.0
"""Seconds between two lines that say what is waited for."""


class TransientError(Exception):
    """Retryable error."""

    def __init__(self, what: str, pause: float | None = None) -> None:
        super().__init__(what)
        self.pause = pause
        """Seconds that the service asks to wait; None where it does not say."""


class Asker:
    """Puts questions to one service, and keeps the answers."""

    def __init__(self, service: Service, answers: Answers) -> None:
        self._service = service
        self._answers = answers
        self._secrets = service.secrets()
        self._lock = threading.Lock()
        self._refused: defaultdict[str, set[str]] = defaultdict(set)
        """Options that the service does not take, by model."""

        self._resume_at = 0.0
        """Before this time (monotonic) nothing is sent."""

        self._noted_at = float("-inf")

    def ask(self, questions: Sequence[Question]) -> list[Answer]:
        """Answers in the order of the questions; those kept from before are not asked again.

        Raises:
            LlmError: the service cannot be asked, or did not answer for too long.
        """
        found = {question: self._answers.find(question) for question in questions}
        new = [question for question, answer in found.items() if answer is None]
        if new:
            done = len(found) - len(new)
            with progress.bar("asking", total=len(found), done=done, unit="answer") as bar:
                for question, answer in self._answered(new):
                    self._answers.keep(question, answer)
                    found[question] = answer
                    bar.update()
        return [cast(Answer, found[question]) for question in questions]

    def _answered(self, questions: list[Question]) -> Iterator[tuple[Question, Answer]]:
        """Answers as they come. Threads are daemons, so that after Ctrl-C nobody waits for them."""
        waiting: queue.SimpleQueue[Question] = queue.SimpleQueue()
        outcomes: queue.SimpleQueue[tuple[Question, Answer | Exception]] = queue.SimpleQueue()
        for question in questions:
            waiting.put(question)
        stop, client = threading.Event(), self._connect()

        def work() -> None:
            while not stop.is_set() and not waiting.empty():
                try:
                    question = waiting.get_nowait()
                except queue.Empty:  # another thread took the last one
                    return
                try:
                    outcomes.put((question, self._answer(client, question, stop)))
                except Exception as error:
                    stop.set()  # nobody is asked in vain once the run has ended
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
        """One answer, however often it takes."""
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
        raise LlmError(f"no answer in {self._service.attempts} attempts. The last: {last}. {GO_ON}")

    def _pause(self, problem: TransientError, attempt: int, stop: threading.Event) -> None:
        service, asked = self._service, problem.pause or 0.0
        if asked > service.longest_pause:
            raise LlmError(f"{problem}; it asks for a pause of {asked:.0f} seconds. {GO_ON}")
        wait = min(service.longest_wait, service.first_wait * 2 ** (attempt - 1)) * random.uniform(0.5, 1)
        wait, now = max(wait, asked), time.monotonic()
        with self._lock:
            # A pause asked of one question holds for all of them.
            self._resume_at = max(self._resume_at, now + asked)
            note = now - self._noted_at > NOTE_EVERY
            self._noted_at = now if note else self._noted_at
        if note:
            tried = f"attempt {attempt + 1} of {service.attempts}"
            progress.say(f"  {problem}: asking again in {wait:.1f} s ({tried})")
        stop.wait(wait)

    def _ask_once(self, client: openai.OpenAI, question: Question) -> Answer:
        """Send a question, without the options that the service refuses."""
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
                if error.code == "content_filter":  # of this question alone, so not the end of the run
                    return Answer(hide(error.message, self._secrets), sent, asked_at, None, None)
                if not self._does_without(question.model, sent, error):
                    raise self._problem(error) from None
            except (openai.OpenAIError, ValueError) as error:
                # Not `from error`: what lies below may show the key.
                raise self._problem(error) from None

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

    def _does_without(self, model: str, sent: dict[str, Any], error: openai.APIStatusError) -> bool:
        """Leave an option out from now on, and say so; False where there is none left to blame."""
        with self._lock:
            if self._refused[model] & set(sent):
                return True  # another question found out first
            told = f"{error.param or ''} {error.message}"
            blamed = [name for name in OPTIONS if name in sent and name in told]
            if "response_format" in sent:  # by far the one most often refused, in any words
                blamed.append("response_format")
            if not blamed:
                return False
            self._refused[model].add(blamed[0])
        progress.say(f"  {model} is asked without {blamed[0]} from now on: {self._told(error)}")
        return True

    def _problem(self, error: Exception) -> Exception:
        """What to raise in place of an error of the library: to be waited out, or the end of the run."""
        endpoint = self._service.endpoint
        if isinstance(error, openai.APITimeoutError):
            return TransientError(f"{endpoint} gave no sign of life for {self._service.timeout:g} s")
        if isinstance(error, openai.APIConnectionError):
            return TransientError(f"{endpoint} cannot be reached, or cut the connection")
        if not isinstance(error, openai.APIStatusError):
            return TransientError(f"{endpoint} sent no sound JSON")
        status, told = error.status_code, self._told(error)
        if error.code == "insufficient_quota":
            return LlmError(f"{told}. The quota of this key is used up. {GO_ON}")
        if status in (408, 409, 429) or status >= 500:
            return TransientError(told, _asked_pause(error))
        if status in (401, 403):
            return LlmError(f"{told}: the key is refused. Set one that it takes in {KEYS[0]}. {GO_ON}")
        return LlmError(f"{told}. Check --url and the name of the model. {GO_ON}")

    def _told(self, error: openai.APIStatusError) -> str:
        """What the service said, on one line; of a refused key only that it is refused."""
        said = f"{self._service.endpoint} answered {error.status_code}"
        if error.status_code in (401, 403):
            return said
        detail = " ".join(hide(error.message, self._secrets).split())
        return f"{said} ({detail[:200]})"

    def _connect(self) -> openai.OpenAI:
        authorization = self._service.authorization
        return openai.OpenAI(
            # Without user and password: addresses are shown in logs, headers are not.
            base_url=self._service.endpoint,
            api_key=self._service.key or "none",  # the library asks for one even where the service does not
            default_headers={"Authorization": authorization} if authorization else {},
            timeout=self._service.timeout,
            max_retries=0,  # ours says what it waits for
        )


def _asked_pause(error: openai.APIStatusError) -> float | None:
    """Seconds of the header Retry-After, a number or a date."""
    given = error.response.headers.get("retry-after", "")
    try:
        return max(0.0, float(given))
    except ValueError:
        pass
    try:
        return max(0.0, (parsedate_to_datetime(given) - datetime.now(UTC)).total_seconds())
    except (ValueError, TypeError):
        return None
