"""Taking turns: a lock that is given to whoever has waited longest."""

from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager
from threading import Lock

from pickwell.errors import BusyError


class Turns:
    """A queue of threads of which one at a time has its turn, in the order in which they came."""

    def __init__(self, patience: float, busy: str) -> None:
        self._patience, self._busy = patience, busy
        self._queue: deque[Lock] = deque()
        self._guard = Lock()

    @contextmanager
    def turn(self) -> Iterator[None]:
        """One's turn; BusyError with the sentence `busy` where it does not come within the patience, in seconds."""
        mine = Lock()
        mine.acquire()
        with self._guard:
            self._queue.append(mine)
            if self._queue[0] is mine:
                mine.release()
        try:
            if not mine.acquire(timeout=self._patience):
                raise BusyError(self._busy)
            yield
        finally:
            with self._guard:
                had_turn = self._queue[0] is mine
                self._queue.remove(mine)
                if had_turn and self._queue:
                    self._queue[0].release()
