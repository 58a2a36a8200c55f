"""Worker processes: run one function on many files and return the results in order.

Knows nothing of images: a task is an ImageFile and the other arguments of its function.
"""

import queue
import signal
import sys
import warnings
from collections import deque
from collections.abc import Callable, Generator, Iterable
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from itertools import islice
from multiprocessing.connection import Connection
from typing import Any

from db.errors import UserError
from precompute.runtime import processes
from precompute.runtime.processes import exit_phrase, sendable


class WorkerDied(UserError):
    """A worker process ended in the middle of a file; the message names the file and the cause."""


def in_order(
    function: Callable, tasks: Iterable[tuple], *, workers: int, window: int
) -> Generator[Any, None, None]:
    """Yields the results of `function(*task)` in the order of `tasks`; a task begins with its ImageFile.

    At most `window` tasks are running or finished and not yet consumed, so memory stays flat. Closing the
    iterator early, or Ctrl-C, ends the workers.
    """
    if not workers:
        yield from (_run(function, task) for task in tasks)
        return

    tasks = iter(tasks)
    context = processes.context()
    started = [_Worker(context) for _ in range(workers)]
    idle: queue.SimpleQueue[_Worker] = queue.SimpleQueue()
    for worker in started:
        idle.put(worker)
    # One thread per worker receives its results while the caller computes.
    threads = ThreadPoolExecutor(workers)
    try:
        run = partial(_run_in_worker, idle, function)
        running = deque(threads.submit(run, task) for task in islice(tasks, window))
        while running:
            yield running.popleft().result()
            running.extend(threads.submit(run, task) for task in islice(tasks, 1))
    finally:
        threads.shutdown(wait=False, cancel_futures=True)
        for worker in started:
            worker.process.terminate()
        for worker in started:
            worker.process.join()
        threads.shutdown()
        for worker in started:
            worker.connection.close()


def _run_in_worker(idle: "queue.SimpleQueue[_Worker]", function: Callable, task: tuple) -> Any:
    worker = idle.get()
    try:
        return worker.call(function, task)
    finally:
        idle.put(worker)


def _run(function: Callable, task: tuple) -> Any:
    """Runs one task; adds the name of the file to an unexpected error."""
    try:
        return function(*task)
    except Exception as error:
        error.add_note(f"while reading {task[0].where}")
        raise


class _Worker:
    """One process that runs one task at a time.

    When a process of a standard-library executor dies, the executor cannot report the file or the cause.
    """

    def __init__(self, context: Any) -> None:
        # Any: the type of the fork server's context does not exist on Windows.
        self.connection, child_connection = context.Pipe()
        self.process = context.Process(target=_serve, args=(child_connection,), daemon=True)
        self.process.start()
        # With this end open, the death of the process would not end the wait for its result.
        child_connection.close()

    def call(self, function: Callable, task: tuple) -> Any:
        """Returns the result of `function(*task)`, or raises its error. Raises WorkerDied."""
        try:
            self.connection.send((function, task))
            succeeded, result = self.connection.recv()
        except (EOFError, OSError) as error:
            self.process.join(timeout=5)
            raise WorkerDied(
                f"the worker process that read {task[0].where} {exit_phrase(self.process.exitcode)}. "
                "Run again with fewer workers; if it is always this file, leave it out."
            ) from error
        if not succeeded:
            raise result
        return result


def _serve(connection: Connection) -> None:
    """Runs tasks from the connection until its other end is closed."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # The parent handles Ctrl-C.
    warnings.simplefilter("ignore")  # Pillow warns about metadata; the parent reports failures.
    while True:
        try:
            function, task = connection.recv()
        except (EOFError, OSError):
            return
        except Exception as error:
            answer = False, sendable(error)
        else:
            if torch := sys.modules.get("torch"):
                torch.set_num_threads(1)  # Workers times cores threads would slow each other down.
            answer = _attempt(function, task)
        try:
            connection.send(answer)
        except OSError:
            return


def _attempt(function: Callable, task: tuple) -> tuple[bool, Any]:
    """Returns True and the result of a task, or False and its error."""
    try:
        return True, _run(function, task)
    except Exception as error:
        return False, sendable(error)
