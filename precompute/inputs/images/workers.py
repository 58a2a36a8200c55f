"""Worker processes: run one function on many files, and hand the results back in order.

Knows nothing of images: a task is an ImageFile and whatever else its function takes.
"""

import multiprocessing
import pickle
import queue
import signal
import sys
import warnings
from collections import deque
from collections.abc import Callable, Generator, Iterable
from concurrent.futures import ThreadPoolExecutor
from itertools import islice
from multiprocessing.connection import Connection
from typing import Any

from db.errors import UserError


class WorkerDied(UserError):
    """A worker process ended in the middle of a file; names the file and what ended it."""


def in_order(
    function: Callable, tasks: Iterable[tuple], *, workers: int, window: int
) -> Generator[Any, None, None]:
    """Results of `function(*task)` in the order of `tasks`; the first entry of a task is its ImageFile.

    At most `window` tasks are under way or waiting to be taken, so memory stays flat. Leaving the iterator
    early, or Ctrl-C, ends the workers.
    """
    if not workers:
        yield from (_named(function, task) for task in tasks)
        return

    tasks = iter(tasks)
    crew = _start(workers)
    free: queue.SimpleQueue[_Worker] = queue.SimpleQueue()
    for worker in crew:
        free.put(worker)
    # One thread a worker waits for its answers, so that results are taken in while the caller computes.
    threads = ThreadPoolExecutor(workers)
    try:
        under_way = deque(threads.submit(_borrow, free, function, task) for task in islice(tasks, window))
        while under_way:
            yield under_way.popleft().result()
            under_way.extend(threads.submit(_borrow, free, function, task) for task in islice(tasks, 1))
    finally:
        threads.shutdown(wait=False, cancel_futures=True)
        for worker in crew:
            worker.process.terminate()
        for worker in crew:
            worker.process.join()
        threads.shutdown()
        for worker in crew:
            worker.connection.close()


def _borrow(free: "queue.SimpleQueue[_Worker]", function: Callable, task: tuple) -> Any:
    """Run one task in a worker that has nothing to do."""
    worker = free.get()
    try:
        return worker.call(function, task)
    finally:
        free.put(worker)


def _named(function: Callable, task: tuple) -> Any:
    """Run one task; an error that nobody foresaw names the file."""
    try:
        return function(*task)
    except Exception as error:
        error.add_note(f"while reading {task[0].where}")
        raise


class _Worker:
    """One process that runs one task at a time.

    An executor of the standard library would do, but when one of its processes dies it cannot say on which
    file, nor of what.
    """

    def __init__(self, context: Any) -> None:
        # Any: the type of the fork server's context does not exist on Windows.
        self.connection, theirs = context.Pipe()
        self.process = context.Process(target=_serve, args=(theirs,), daemon=True)
        self.process.start()
        # Otherwise the death of the process would not end the wait for its answer.
        theirs.close()

    def call(self, function: Callable, task: tuple) -> Any:
        """The result of `function(*task)`; its error is raised here. Raises WorkerDied."""
        try:
            self.connection.send((function, task))
            succeeded, result = self.connection.recv()
        except (EOFError, OSError) as error:
            self.process.join(timeout=5)
            raise WorkerDied(
                f"the worker process that read {task[0].where} {_ending(self.process.exitcode)}. "
                "Run again with fewer workers; if it is always this file, leave it out."
            ) from error
        if not succeeded:
            raise result
        return result


def _ending(exitcode: int | None) -> str:
    """How a process ended, in words."""
    if exitcode is None:
        return "stopped answering"
    if exitcode >= 0:
        return f"ended with exit code {exitcode}"
    why = " (the system does this when memory runs out)" if -exitcode == getattr(signal, "SIGKILL", 9) else ""
    return f"was killed by {signal.Signals(-exitcode).name}{why}"


def _start(workers: int) -> list[_Worker]:
    """Start processes that have nothing of this one: a fork of a process with torch's threads may hang."""
    if "forkserver" not in multiprocessing.get_all_start_methods():
        spawn = multiprocessing.get_context("spawn")
        return [_Worker(spawn) for _ in range(workers)]
    forkserver = multiprocessing.get_context("forkserver")
    # What the fork server has imported no worker imports again; this module brings the whole package with it.
    # torch takes seconds: only where it is in use.
    loaded = [name for name in ("torch", "torchvision") if name in sys.modules]
    forkserver.set_forkserver_preload([__name__, *loaded])
    return [_Worker(forkserver) for _ in range(workers)]


def _serve(connection: Connection) -> None:
    """What a worker does: answer until the other end is gone."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is the parent's business.
    warnings.simplefilter("ignore")  # Pillow's, about metadata; the parent reports what failed.
    while True:
        try:
            function, task = connection.recv()
        except (EOFError, OSError):
            return
        except Exception as error:
            answer = False, _sendable(error)
        else:
            if torch := sys.modules.get("torch"):
                torch.set_num_threads(1)  # Workers times cores threads would stand in each other's way.
            answer = _attempt(function, task)
        try:
            connection.send(answer)
        except OSError:
            return


def _attempt(function: Callable, task: tuple) -> tuple[bool, Any]:
    """Whether one task succeeded, and its result or error."""
    try:
        return True, _named(function, task)
    except Exception as error:
        return False, _sendable(error)


def _sendable(error: Exception) -> Exception:
    """The error itself, or its text where it cannot be pickled and read back."""
    try:
        return pickle.loads(pickle.dumps(error))
    except Exception:
        return RuntimeError(f"{type(error).__name__}: {error}")
