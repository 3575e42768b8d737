"""What an executor is."""

from collections.abc import Callable, Generator, Sequence
from typing import Protocol, TypeVar

Task = TypeVar("Task")
Done = TypeVar("Done")


class Executor(Protocol):
    """Runs one function over tasks, `jobs` at a time; both can be pickled, and tasks do not depend on one another."""

    @property
    def jobs(self) -> int: ...

    def map(self, work: Callable[[Task], Done], tasks: Sequence[Task]) -> Generator[Done, None, None]:
        """What `work` returns of each task, as it is ready; closed early, it ends what is at work."""
        ...
