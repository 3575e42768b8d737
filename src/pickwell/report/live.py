"""The live table in the terminal; plain lines where nothing can be redrawn."""

import os
import time
from collections.abc import Callable, Sequence
from types import TracebackType
from typing import Literal, Self

from rich.console import Console, Group, RenderableType
from rich.live import Live
from rich.progress_bar import ProgressBar
from rich.table import Table
from rich.text import Text

from pickwell.report.text.phrases import DASH, number, percent
from pickwell.statistics.runs import RoundRow, known

Key = tuple[str, int]
COLUMNS = ("strategy", "seed", "round", "labels")
SHOWN_WARNINGS = 4


class LiveTable:
    """A table that fills as rounds end: a row a run, or, of a lone run, a row a round; with the time left.

    `rounds` is how many `update` calls each run will make. Where the console is no terminal, or NO_COLOR is set,
    each update prints one line; `silent` prints nothing at all.
    """

    def __init__(
        self, title: str, runs: Sequence[Key], rounds: int, *, group: str | None = None, metric: str = "accuracy",
        silent: bool = False, console: Console | None = None, clock: Callable[[], float] = time.monotonic,
    ) -> None:  # fmt: skip
        self._title, self._runs, self._rounds = title, list(runs), rounds
        self._group, self._metric, self._silent, self._clock = group, metric, silent, clock
        self._console = console or Console()
        self._redraws = self._console.is_terminal and "NO_COLOR" not in os.environ and not silent
        self._rows: dict[tuple[str, int, int], RoundRow] = {}
        self._done: dict[Key, int] = {}
        self._doing: tuple[Key, str, float] | None = None
        self._warnings: list[str] = []
        self._began = clock()
        self._live: Live | None = None

    def __enter__(self) -> Self:
        self._began = self._clock()
        if self._redraws:
            self._live = Live(get_renderable=self._draw, console=self._console, refresh_per_second=4, transient=False)
            self._live.start()
        elif not self._silent:
            self._console.print(self._title, markup=False, highlight=False)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._doing = None
        if self._live is not None:
            self._live.stop()

    def working(self, strategy: str, seed: int, doing: str, share: float = 0.0) -> None:
        """Says what a run is at, and what share of its current round is done."""
        self._doing = ((strategy, seed), doing, min(max(share, 0.0), 1.0))

    def update(self, strategy: str, seed: int, row: RoundRow) -> None:
        """Shows a round that has ended."""
        key = (strategy, seed)
        self._done[key] = self._done.get(key, 0) + 1
        # Of several runs the newest round is shown, of a lone one all.
        self._rows[(strategy, seed, row.round if len(self._runs) == 1 else 0)] = row
        self._doing = None
        self._warnings += [f"{strategy}: {text}" for text in row.monitors.get("warnings") or ()]
        if self._live is None and not self._silent:
            self.log(self._sentence(key, row))

    def log(self, text: str) -> None:
        """Prints a sentence, above the table where there is one."""
        if not self._silent:
            self._console.print(text, markup=False, highlight=False, soft_wrap=True)

    @property
    def share(self) -> float:
        """The share of the work that is done."""
        begun = self._doing[2] if self._doing else 0.0
        return min(1.0, (sum(self._done.values()) + begun) / max(1, len(self._runs) * self._rounds))

    def time_left(self) -> float | None:
        """Seconds left at the pace so far; None before there is a pace."""
        share = self.share
        return (self._clock() - self._began) * (1 - share) / share if share > 0 else None

    def _sentence(self, key: Key, row: RoundRow) -> str:
        left = self.time_left()
        parts = [
            f"{self.share:4.0%}", f"{key[0]} seed {key[1]}", f"round {row.round}", f"{row.labels} labels",
            f"{self._metric} {number(known(row.accuracy))}",
            *(f"{name} {value}" for name, value in self._extra(row).items() if value != DASH),
            *([f"{duration(left)} left"] if left else []),
            *(f"warning: {text}" for text in row.monitors.get("warnings") or ()),
        ]  # fmt: skip
        return " · ".join(parts)

    def _extra(self, row: RoundRow) -> dict[str, str]:
        """The columns of the query: share of the group, active units, D's AUC."""
        units, latent = known(row.monitors.get("active_units")), known(row.monitors.get("latent_units"))
        active = DASH if units is None else f"{units:.0f}" + ("" if latent is None else f"/{latent:.0f}")
        share = {f"{self._group} in query": percent(known(row.shares.get(self._group)))} if self._group else {}
        return {**share, "active units": active, "D AUC": number(known(row.monitors.get("discriminator_auc")))}

    def _draw(self) -> RenderableType:
        extra = list(self._extra(RoundRow(0, 0)))
        table = Table(box=None, pad_edge=False, title=Text(self._title, style="bold"), title_justify="left")
        for name in (*COLUMNS, self._metric, *extra, ""):
            side: Literal["left", "right"] = "left" if name in ("strategy", "") else "right"
            # Where the terminal is narrow the long headings of the query wrap, not the figures.
            table.add_column(name, justify=side, header_style="dim", no_wrap=name not in extra)
        for cells in self._cells():
            table.add_row(*(Text(cell) for cell in cells))
        return Group(table, *(Text(f"! {text}", style="yellow") for text in self._shown_warnings()), self._progress())

    def _cells(self) -> list[list[str]]:
        if len(self._runs) == 1:
            cells = [self._row(self._runs[0], row) for row in self._rows.values()]
            return cells + ([self._row(self._runs[0], None)] if self._doing else [])
        return [self._row(key, self._rows.get((*key, 0))) for key in self._runs]

    def _row(self, key: Key, row: RoundRow | None) -> list[str]:
        at = self._doing[1] if self._doing and self._doing[0] == key and (row is None or len(self._runs) > 1) else ""
        shown = row or RoundRow(0, 0)
        start = [key[0], str(key[1]), str(row.round) if row else DASH, str(row.labels) if row else DASH]
        return [*start, number(known(shown.accuracy)), *self._extra(shown).values(), at]

    def _shown_warnings(self) -> list[str]:
        """The newest warning of each kind, the last few kinds."""
        kinds = {text.split(":")[0] + text.split(":")[1]: text for text in self._warnings}
        return list(kinds.values())[-SHOWN_WARNINGS:]

    def _progress(self) -> RenderableType:
        left = self.time_left()
        if self.share >= 1:
            words = f"done in {duration(self._clock() - self._began)}"
        else:
            words = f"{self.share:.0%}" + ("" if left is None else f" · about {duration(left)} left")
        line = Table.grid(padding=(0, 1))
        line.add_row(ProgressBar(total=1.0, completed=self.share, width=30), Text(words, style="dim"))
        return line


def duration(seconds: float) -> str:
    """Seconds in words.

    >>> duration(84), duration(7.2), duration(7300)
    ('1 min 24 s', '7 s', '2 h 1 min')
    """
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours} h {minutes} min" if hours else f"{minutes} min {rest} s" if minutes else f"{rest} s"
