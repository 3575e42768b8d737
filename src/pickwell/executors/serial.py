"""One task after another."""

from collections.abc import Callable, Generator, Sequence
from dataclasses import dataclass

from pickwell.executors.executor import Done, Task


@dataclass(frozen=True)
class Serial:
    """Runs tasks one after another in this process, whatever `jobs` there are."""

    jobs: int = 1

    def map(self, work: Callable[[Task], Done], tasks: Sequence[Task]) -> Generator[Done, None, None]:
        """What `work` returns of each task, in order."""
        yield from map(work, tasks)
