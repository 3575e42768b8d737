"""Where work runs: in this process or in some processes of this machine; a cluster's engine fits the interface too."""

import os
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from dataclasses import dataclass
from multiprocessing import get_context
from typing import Protocol, TypeVar

Task = TypeVar("Task")
Done = TypeVar("Done")


class Executor(Protocol):
    """Runs one function over tasks; both can be pickled, and tasks do not depend on one another."""

    def map(self, work: Callable[[Task], Done], tasks: Sequence[Task]) -> Iterator[Done]:
        """What `work` returns of each task, as it is ready."""
        ...


class Here:
    """Runs tasks one after another in this process."""

    def map(self, work: Callable[[Task], Done], tasks: Sequence[Task]) -> Iterator[Done]:
        """What `work` returns of each task, in order."""
        return map(work, tasks)


@dataclass(frozen=True)
class Processes:
    """Runs tasks in `jobs` processes that share the machine's threads; they end with their parent, however it ends."""

    jobs: int

    def map(self, work: Callable[[Task], Done], tasks: Sequence[Task]) -> Iterator[Done]:
        """What `work` returns of each task, as it is ready."""
        threads = max(1, (os.cpu_count() or 1) // self.jobs)
        # Spawned, because a fork of a process with running threads may hang.
        pool = ProcessPoolExecutor(self.jobs, get_context("spawn"), _begin, (threads, os.getpid()))
        try:
            for future in as_completed([pool.submit(work, task) for task in tasks]):
                yield future.result()
        finally:
            pool.shutdown(wait=True, cancel_futures=True)


def _begin(threads: int, parent: int) -> None:
    import torch

    torch.set_num_threads(threads)
    threading.Thread(target=_follow, args=(parent,), daemon=True).start()


def _follow(parent: int) -> None:
    """Ends this process when its parent is gone: a killed parent cannot say goodbye."""
    while os.getppid() == parent:
        time.sleep(1)
    os._exit(1)
