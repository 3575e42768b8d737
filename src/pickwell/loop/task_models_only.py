"""The task models without a strategy: for labels after which nothing is asked."""

from dataclasses import dataclass
from typing import NoReturn, Self

from pickwell.errors import RoundError
from pickwell.strategies import Strategy
from pickwell.strategies.strategy import RoundView


@dataclass(kw_only=True)
class TaskModelsOnly(Strategy):
    """As many task models as another strategy wants, trained as it wants them, and none of its own networks."""

    members: int
    resampled: bool

    @classmethod
    def like(cls, other: Strategy) -> Self:
        """The other's task models: what is measured is the same."""
        return cls(members=other.committee, resampled=other.bootstrap)

    @property
    def committee(self) -> int:
        return self.members

    @property
    def bootstrap(self) -> bool:
        return self.resampled

    def select(self, view: RoundView, budget: int) -> NoReturn:
        raise RoundError("these task models were trained to be measured, not to pick; ask with a strategy")
