"""Work by threads, in order and bounded. The image libraries release the interpreter's lock."""

import os
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from typing import TypeVar

In = TypeVar("In")
Out = TypeVar("Out")


def cores() -> int:
    """How many cores this process may use: not every one need be its own."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


@contextmanager
def workers(threads: int | None) -> Iterator[ThreadPoolExecutor]:
    """Threads, by default one a core and one to wait for the disk; leaving early drops what they have not begun."""
    pool = ThreadPoolExecutor(threads or cores() + 1, thread_name_prefix="pickwell")
    try:
        yield pool
    finally:
        pool.shutdown(wait=True, cancel_futures=True)


def in_order(begin: Callable[[In], Out], items: Iterable[In], ahead: int) -> Iterator[Out]:
    """What `begin` returns of each item, `ahead` items begun before the first is handed out: a bounded queue."""
    begun: deque[Out] = deque()
    for item in items:
        begun.append(begin(item))
        if len(begun) > ahead:
            yield begun.popleft()
    yield from begun


def all_done(futures: Iterable[Future[None]]) -> None:
    """Waits for all; raises the first failure in their order."""
    for future in futures:
        future.result()
