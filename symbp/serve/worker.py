"""A process that answers tasks, and can be ended.

Enters: tasks, seconds. Leaves: answers, or `TooLong`, `Died`. Must not know: what a task is about.

A derivation can't be interrupted from within, and what is typed decides how long it takes: so it runs in a
process of its own, whose memory and processor time have limits where the system knows such limits.
"""

from __future__ import annotations

import contextlib
import multiprocessing
import signal
import warnings
from collections.abc import Iterator
from multiprocessing.connection import Connection
from multiprocessing.context import SpawnProcess
from typing import Any

from symbp.serve.asked import PARTS, Asked
from symbp.serve.desk import Answer, Desk, Refusal, Task

STARTING = 120.0  # seconds in which a process must have loaded what it needs
READY = "ready"
AFTER = 5  # seconds of processor time beyond the limit, after which the system ends a process left alone


class TooLong(Exception):
    """A task that took longer than it may."""


class Died(Exception):
    """The process ended in the middle of a task."""


class Worker:
    """One process, started when it is made, and again when it had to be ended."""

    def __init__(self, seconds: float, memory: int) -> None:
        self.seconds, self.memory = seconds, memory
        self._ready = False
        self._process, self._connection = self._started()

    def answer(self, task: Task) -> Answer | Refusal:
        """The answer of the process. Raises TooLong, Died; the process is then a new one."""
        try:
            if not self._ready:
                self._receive(STARTING)
                self._ready = True
            self._connection.send(task)
            found: Answer | Refusal = self._receive(self.seconds)
            return found
        except (EOFError, OSError):
            self._again()
            raise Died from None
        except TooLong:
            self._again()
            raise

    def end(self) -> None:
        """Ends the process, whatever it does."""
        self._process.kill()
        self._process.join()
        self._connection.close()

    def _receive(self, seconds: float) -> Any:
        if not self._connection.poll(seconds):
            raise TooLong
        return self._connection.recv()

    def _again(self) -> None:
        self.end()
        self._ready = False
        self._process, self._connection = self._started()

    def _started(self) -> tuple[SpawnProcess, Connection]:
        spawn = multiprocessing.get_context("spawn")
        ours, theirs = spawn.Pipe()
        process = spawn.Process(target=serve, args=(theirs, self.seconds, self.memory), daemon=True)
        with _without_interrupts():
            process.start()
        theirs.close()
        return process, ours


@contextlib.contextmanager
def _without_interrupts() -> Iterator[None]:
    """A process that starts within never hears Ctrl-C, which is meant for the server alone."""
    if not hasattr(signal, "pthread_sigmask"):
        yield
        return
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


def serve(connection: Connection, seconds: float, memory: int) -> None:
    """What the process does: it answers until the other end is closed."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    warnings.simplefilter("ignore")  # what concerns whoever asked stands on the page
    _limit_memory(memory)
    desk = Desk()
    for part in PARTS:  # all that answers take is loaded before the clock runs
        desk.answer(Task(Asked(formula="x'*x", wrt="x"), part))
    connection.send(READY)
    while True:
        try:
            task = connection.recv()
        except (EOFError, OSError):
            return
        _limit_time(seconds)
        connection.send(desk.answer(task))


def _limit_memory(most: int) -> None:
    with contextlib.suppress(ImportError, ValueError, OSError):
        import resource

        resource.setrlimit(resource.RLIMIT_AS, (most, most))


def _limit_time(seconds: float) -> None:
    """Processor time for the next task, should nobody be left to end it."""
    with contextlib.suppress(ImportError, ValueError, OSError):
        import resource

        used = resource.getrusage(resource.RUSAGE_SELF)
        end = int(used.ru_utime + used.ru_stime + seconds) + AFTER
        resource.setrlimit(resource.RLIMIT_CPU, (end, resource.RLIM_INFINITY))
