"""Connections that cannot be held open for nothing: so many at once, and so long for a request to come."""

import asyncio
import logging
from functools import cache

import h11
from uvicorn.protocols.http.h11_impl import H11Protocol

logger = logging.getLogger("pickwell")

HEAD = 10.0
"""Seconds within which the head of a request must have come, however its bytes drip in."""
BODY = 60.0
"""The same for its body: a large mask over a slow line takes some."""
BACKLOG = 8
"""Connections that asyncio takes in at once; four times as many may be on their way before the limit is looked at."""


@cache
def most() -> int:
    """How many connections there may be: a quarter of the files that this process may open, the rest being for work."""
    try:
        from resource import RLIMIT_NOFILE, getrlimit

        files = getrlimit(RLIMIT_NOFILE)[0]
    except ImportError:  # Windows has no such limit
        return 512
    return min(files, 4096) // 4 if files > 0 else 1024


class Connection(H11Protocol):
    """A connection of uvicorn's that ends where no request comes, the one that waits longest making room for others."""

    _awaited: object = None
    _timer: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        super().connection_made(transport)
        self._await()
        if len(self.connections) > most():
            _say()
            waiting = (one for one in self.connections if isinstance(one, Connection) and one._timer is not None)
            min(waiting, key=lambda one: one._timer.when() if one._timer else 0, default=self)._end()

    def data_received(self, data: bytes) -> None:
        super().data_received(data)
        self._await()

    def on_response_complete(self) -> None:
        super().on_response_complete()
        self._await()

    def connection_lost(self, exc: Exception | None) -> None:
        super().connection_lost(exc)
        self._stop()

    def _await(self) -> None:
        """Sets a time for what is to come next; further bytes of the same win no more of it."""
        awaited = self.conn.their_state
        if awaited is self._awaited:
            return
        self._stop()
        self._awaited = awaited
        seconds = {h11.IDLE: HEAD, h11.SEND_BODY: BODY}.get(awaited)
        if seconds is not None:
            self._timer = self.loop.call_later(seconds, self._end)

    def _stop(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _end(self) -> None:
        self._stop()
        self.connections.discard(self)  # at once: more may come before the loop gets to it
        self.transport.abort()


@cache
def _say() -> None:
    """Says it once: whoever opens thousands of connections must not fill the disk with lines."""
    logger.warning("there are more than %d connections to the page; those that wait longest are closed", most())
