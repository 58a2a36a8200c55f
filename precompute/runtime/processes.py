"""Several items at the same time, each in a process of its own with one thread.

A process is never forked from one with torch's threads: it might hang.
"""

import multiprocessing
import os
import pickle
import signal
import sys
import threading
import warnings
from collections import deque
from collections.abc import Callable, Sequence
from functools import partial
from multiprocessing.connection import Connection, wait
from typing import Any, TypeVar

from db.errors import UserError
from precompute.runtime import progress

Item = TypeVar("Item")
Result = TypeVar("Result")

_SAY, _STATE, _RESULT, _ERROR = "say", "state", "result", "error"
"""Kinds of messages from a process: a line, the times of its item so far, and the end of its item."""

_SECONDS_BETWEEN = 1.0
"""Seconds after which the bar shows the time again, if no process has said anything."""


class ProcessDied(UserError):
    """A process ended in the middle of an item; the message names the item and the cause."""


def each(
    function: Callable[[Item], Result], items: Sequence[Item], turns: Sequence[progress.Turn], count: int
) -> list[Result]:
    """Returns `function(item)` of every item, in order, from `count` processes.

    The most expensive items come first, so that all processes end at nearly the same time. `function`, items
    and results must pickle. The processes end with this one, whatever ends it.

    Raises:
        ProcessDied: a process was killed. An error of `function` is raised here as it is.
    """
    waiting = deque(sorted(range(len(items)), key=lambda place: -(turns[place].cost or 0)))
    results: dict[int, Result] = {}
    processes = [_Process(function) for _ in range(min(count, len(items)))]
    try:
        with progress.side_by_side(turns, len(processes)) as display:

            def begin_next(process: _Process) -> None:
                if waiting:
                    display.begin(waiting[0])
                    process.begin(waiting.popleft(), items, turns)

            for process in processes:
                begin_next(process)
            while len(results) < len(items):
                for process in _speaking(processes):
                    kind, content = process.receive(turns)
                    if kind == _SAY:
                        progress.say(f"{turns[process.place].name}: {content}")
                    elif kind == _STATE:
                        display.record(process.place, content)
                    elif kind == _ERROR:
                        raise content
                    else:
                        results[process.place] = pickle.loads(content)
                        display.end(process.place)
                        begin_next(process)
                display.refresh()
    finally:
        for process in processes:
            process.end()
    return [results[place] for place in range(len(items))]


def context() -> Any:
    """Returns how processes start: from a server without threads, or anew where there is none."""
    # Any: the type of the fork server's context does not exist on Windows.
    if "forkserver" not in multiprocessing.get_all_start_methods():
        return multiprocessing.get_context("spawn")
    forkserver = multiprocessing.get_context("forkserver")
    # Processes inherit the imports of the fork server. torch takes seconds to import, so it is preloaded only
    # if this process uses it.
    loaded = [name for name in ("torch", "torchvision") if name in sys.modules]
    forkserver.set_forkserver_preload(["precompute.inputs.images.workers", *loaded])
    return forkserver


def exit_phrase(exitcode: int | None) -> str:
    """Returns the end of a process in words."""
    if exitcode is None:
        return "stopped answering"
    if exitcode >= 0:
        return f"ended with exit code {exitcode}"
    is_kill = -exitcode == getattr(signal, "SIGKILL", 9)
    cause = " (the system does this when memory runs out)" if is_kill else ""
    return f"was killed by {signal.Signals(-exitcode).name}{cause}"


def sendable(error: Exception) -> Exception:
    """Returns the error, or a RuntimeError with its text if it cannot be pickled and unpickled."""
    try:
        return pickle.loads(pickle.dumps(error))
    except Exception:
        return RuntimeError(f"{type(error).__name__}: {error}")


class _Process:
    """One process, which works on one item after the other."""

    def __init__(self, function: Callable) -> None:
        start = context()
        self.place = 0
        """Place of its item."""
        self.connection, child_connection = start.Pipe()
        # Pickled here: multiprocessing would send tensors through shared memory, which may be small.
        arguments = child_connection, pickle.dumps(function)
        self.process = start.Process(target=_serve, args=arguments, daemon=True)
        self.process.start()
        # With this end open, the death of the process would not end the wait for its messages.
        child_connection.close()

    def begin(self, place: int, items: Sequence[Any], turns: Sequence[progress.Turn]) -> None:
        self.place = place
        self.connection.send_bytes(pickle.dumps((items[place], turns[place])))

    def receive(self, turns: Sequence[progress.Turn]) -> tuple[str, Any]:
        """Returns kind and content of the next message. Raises ProcessDied."""
        try:
            return self.connection.recv()
        except (EOFError, OSError) as error:
            self.process.join(timeout=5)
            raise ProcessDied(
                f"the process of {turns[self.place].name} {exit_phrase(self.process.exitcode)}. Give a "
                "smaller --at-once; what is finished is not computed again."
            ) from error

    def end(self) -> None:
        self.process.terminate()
        self.process.join()
        self.connection.close()


def _speaking(processes: Sequence[_Process]) -> list[_Process]:
    """Returns the processes with a message; waits for one, but not for long."""
    ready = wait([process.connection for process in processes], timeout=_SECONDS_BETWEEN)
    return [process for process in processes if process.connection in ready]


def _serve(connection: Connection, content: bytes) -> None:
    """Works on items from the connection until this process is ended."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # The parent handles Ctrl-C.
    threading.Thread(target=_end_with_parent, daemon=True).start()
    warnings.simplefilter("ignore")
    from precompute.runtime import devices  # imports torch, which processes that read images do without

    devices.use_threads(1)
    lock = threading.Lock()

    def send(kind: str, content: Any) -> None:
        with lock:
            connection.send((kind, content))

    function = pickle.loads(content)
    while True:
        item, turn = pickle.loads(connection.recv_bytes())
        try:
            with progress.relayed(turn, partial(send, _SAY), partial(send, _STATE)):
                result = pickle.dumps(function(item))
        except Exception as error:
            send(_ERROR, sendable(error))
        else:
            send(_RESULT, result)


def _end_with_parent() -> None:
    """Ends this process when the one that started it has ended, even by a kill."""
    parent = multiprocessing.parent_process()
    assert parent is not None
    parent.join()
    os._exit(1)
