"""Answers within a time limit: a few processes, and the answers of the last requests.

Enters: tasks, from several threads. Leaves: answers, or refusals in words. Must not know: HTTP, or what a
task is about.
"""

from __future__ import annotations

import queue
import threading
from collections import OrderedDict
from typing import Protocol

from symbp.serve.desk import Answer, Refusal, Task
from symbp.serve.worker import Died, TooLong, Worker

WORKERS = 2
SECONDS = 20.0
MEMORY = 3 << 30  # bytes of addresses; what is used is much less
MOST_KEPT = 64  # answers
MOST_CHARACTERS = 32_000_000  # of all answers that are kept


class Busy(Refusal):
    """There is no answer now."""


class Slow(Refusal):
    """There is no answer within the limit."""


class Answers(Protocol):
    """Whatever answers tasks."""

    def answer(self, task: Task) -> Answer | Refusal:
        """The answer, or why there is none."""


class Pool:
    """Processes that answer tasks, each within `seconds`; what takes longer is ended."""

    def __init__(self, *, workers: int = WORKERS, seconds: float = SECONDS, memory: int = MEMORY) -> None:
        self.seconds = seconds
        self._workers = [Worker(seconds, memory) for _ in range(workers)]
        self._free: queue.Queue[Worker] = queue.Queue()
        for worker in self._workers:
            self._free.put(worker)
        self._kept = Kept()

    def answer(self, task: Task) -> Answer | Refusal:
        """The answer; the same as before, if it was given before."""
        known = self._kept.get(task)
        if known is not None:
            return known
        try:
            worker = self._free.get(timeout=self.seconds)
        except queue.Empty:
            return Busy("others are being answered; try again in a moment")
        try:
            found = worker.answer(task)
        except TooLong:
            return Slow(
                f"this took longer than {self.seconds:g} s and was ended\n"
                "  help: ask for less, such as fewer parameters; the command line has no limit"
            )
        except Died:
            return Slow("this took more memory or time than a request may take, and was ended")
        finally:
            self._free.put(worker)
        self._kept.put(task, found)
        return found

    def close(self) -> None:
        """Ends all processes."""
        for worker in self._workers:
            worker.end()


class Kept:
    """The last answers, as far as they fit."""

    def __init__(self, most: int = MOST_KEPT, characters: int = MOST_CHARACTERS) -> None:
        self.most, self.characters = most, characters
        self._answers: OrderedDict[Task, Answer | Refusal] = OrderedDict()
        self._lock = threading.Lock()

    def get(self, task: Task) -> Answer | Refusal | None:
        """The answer that was given to the same task, if it is still here."""
        with self._lock:
            if task in self._answers:
                self._answers.move_to_end(task)
            return self._answers.get(task)

    def put(self, task: Task, answer: Answer | Refusal) -> None:
        """Keeps an answer, and forgets the oldest ones."""
        with self._lock:
            self._answers[task] = answer
            while len(self._answers) > self.most or self._size() > self.characters:
                self._answers.popitem(last=False)

    def _size(self) -> int:
        return sum(len(a.text) if isinstance(a, Answer) else len(a.message) for a in self._answers.values())
