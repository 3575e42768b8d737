"""One task after another."""

from collections.abc import Callable, Generator, Sequence

from pickwell.executors.executor import Done, Task


class Serial:
    """Runs tasks one after another in this process, however many `jobs` it is made for."""

    def __init__(self, jobs: int = 1) -> None:
        self.jobs = 1

    def map(self, work: Callable[[Task], Done], tasks: Sequence[Task]) -> Generator[Done, None, None]:
        """What `work` returns of each task, in order."""
        yield from map(work, tasks)
