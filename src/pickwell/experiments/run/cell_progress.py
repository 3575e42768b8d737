"""What a cell is doing, together with which cell it is and how far it has come."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from pickwell.campaign.directory import Directory
from pickwell.experiments.cells import Cell
from pickwell.items import RoundKind, RoundState
from pickwell.store import Store

Tell = Callable[[str, int, int, str], None]
"""Called as a Progress is, and with a sentence about where that happens."""


@dataclass
class CellProgress:
    """A Progress of the cell in the directory `root`, the `number`-th of `total`, that adds this and the round."""

    tell: Tell
    cell: Cell
    number: int
    total: int
    root: Path
    _doing: str = ""
    _done: int = 0
    _where: str = ""

    def __call__(self, what: str, done: int, total: int) -> None:
        # Looked up where something begins, and not at each of its steps.
        if what != self._doing or done <= self._done:
            self._where = f"cell {self.number} of {self.total}: {self.cell}{self._round()}"
        self._doing, self._done = what, done
        self.tell(what, done, total, self._where)

    def _round(self) -> str:
        """The round that is asked for next, as the cell's own store has it: a cell may have begun long ago."""
        with Store.open(str(Directory(self.root).database)) as store:
            rounds = store.rounds(RoundKind.ASKED, picks=False)
        closed = sum(each.state is RoundState.CLOSED for each in rounds)
        if closed < self.cell.rounds:
            return f", round {closed + 1} of {self.cell.rounds}"
        return f", after round {closed}" if closed else ""
