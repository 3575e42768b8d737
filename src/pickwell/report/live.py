"""The live table in the terminal; plain lines where nothing can be redrawn."""

import os
import time
from collections.abc import Callable, Mapping, Sequence
from threading import RLock
from typing import Literal, Self

from rich.console import Console, Group, RenderableType
from rich.live import Live
from rich.progress_bar import ProgressBar
from rich.table import Table
from rich.text import Text

from pickwell.report.text.phrases import DASH, duration, number, percent
from pickwell.statistics.runs import RoundRow, known

Key = tuple[str, int]
"""A run: its strategy, and its seed."""
COLUMNS = ("strategy", "seed", "round", "labels")
SHOWN_WARNINGS = 4
AROUND = 6
"""Lines of the terminal that are no rows: the title, up to three of headings, the progress, and one left free."""


class LiveTable:
    """A table that fills as rounds end: a row a run, or, of a lone run, a row a round; with the time left.

    `runs` says how many `update` calls each run will have. Where the console is no terminal, or NO_COLOR is set, each
    update prints one line. Any thread may tell it what it is to show.
    """

    def __init__(
        self, title: str, runs: Mapping[Key, int], *, group: str | None = None, metric: str = "accuracy",
        console: Console | None = None, clock: Callable[[], float] = time.monotonic,
    ) -> None:  # fmt: skip
        self._title, self._runs = title, dict(runs)
        self._group, self._metric, self._clock = group, metric, clock
        self._console = console or Console()
        self._redraws = self._console.is_terminal and "NO_COLOR" not in os.environ
        self._rows: dict[Key, list[RoundRow]] = {key: [] for key in self._runs}
        self._doing: dict[Key, tuple[str, float]] = {}
        self._settled: dict[Key, str] = {}
        self._warnings: list[str] = []
        self._left: tuple[float, float] | None = None
        self._lock = RLock()
        self._live: Live | None = None
        self.begin()

    def __enter__(self) -> Self:
        self.begin()
        if self._redraws:
            self._live = Live(get_renderable=self._draw, console=self._console, refresh_per_second=4, transient=False)
            self._live.start()
        else:
            self._console.print(self._title, markup=False, highlight=False)
        return self

    def __exit__(self, *_: object) -> None:
        self._doing.clear()
        if self._live is not None:
            self._live.stop()

    def begin(self) -> None:
        """Starts the clock: what is done by now tells nothing of the time that the rest takes."""
        self._began, self._found = self._clock(), self.share

    def found(self, key: Key, rows: Sequence[RoundRow]) -> None:
        """Takes in the rounds of a run that ended earlier, without a line for each."""
        with self._lock:
            self._rows[key] = list(rows)

    def working(self, key: Key, what: str, done: int, total: int) -> None:
        """Says what a run is at, and how far it is in its current round."""
        with self._lock:
            self._doing[key] = (what, min(max(done / max(total, 1), 0.0), 1.0))

    def update(self, key: Key, row: RoundRow) -> None:
        """Shows a round that has ended."""
        with self._lock:
            self._rows[key].append(row)
            self._doing.pop(key, None)
            self._warnings += [f"{key[0]}: {text}" for text in row.monitors.get("warnings") or ()]
        if self._live is None:
            self.log(self._sentence(key, row))

    def settle(self, key: Key, state: str, left: float | None = None) -> None:
        """Shows what has become of a run; `left` are the seconds for the others, where that is known."""
        with self._lock:
            self._settled[key] = state
            self._doing.pop(key, None)
            self._left = None if left is None else (left, self._clock())

    def log(self, text: str) -> None:
        """Prints a sentence, above the table where there is one."""
        self._console.print(text, markup=False, highlight=False, soft_wrap=True)

    @property
    def is_drawn(self) -> bool:
        """Whether there is a table, and not a line for each round."""
        return self._live is not None

    @property
    def share(self) -> float:
        """The share of the work that is done."""
        with self._lock:
            done = [
                float(rounds) if key in self._settled else len(self._rows[key]) + self._doing.get(key, ("", 0.0))[1]
                for key, rounds in self._runs.items()
            ]
        return min(1.0, sum(done) / max(1, sum(self._runs.values())))

    def time_left(self) -> float | None:
        """Seconds left: as was told, or else at the pace so far; None before there is a pace."""
        now, share = self._clock(), self.share
        if self._left is not None:
            seconds, told = self._left
            return max(0.0, seconds - (now - told))
        made = share - self._found
        return (now - self._began) * (1 - share) / made if made > 0 else None

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
        with self._lock:
            warnings = self._shown_warnings()
            rows, rest = self._cells(max(3, self._console.height - AROUND - len(warnings)))
        extra = list(self._extra(RoundRow(0, 0)))
        title = Text(self._title, style="bold", no_wrap=True, overflow="ellipsis")
        table = Table(box=None, pad_edge=False)
        for name in (*COLUMNS, self._metric, *extra, ""):
            side: Literal["left", "right"] = "left" if name in ("strategy", "") else "right"
            # Where the terminal is narrow the long headings of the query wrap, not the figures.
            table.add_column(name, justify=side, header_style="dim", no_wrap=name not in extra)
        for cells in rows:
            table.add_row(*(Text(cell) for cell in cells))
        below = [Text(rest, style="dim")] if rest else []
        return Group(title, table, *below, *(Text(f"! {text}", style="yellow") for text in warnings), self._progress())

    def _cells(self, height: int) -> tuple[list[list[str]], str]:
        """As many rows as there is room for, those at work first; and a line about the others, if there are some."""
        if len(self._runs) == 1:
            (key,) = self._runs
            cells = [self._row(key, row) for row in self._rows[key]]
            return (cells + ([self._row(key, None)] if self._doing else []))[-height:], ""
        newest = sorted(self._runs, key=lambda key: (key in self._doing, bool(self._rows[key])), reverse=True)
        chosen = newest if len(newest) <= height else newest[: height - 1]
        cells = [self._row(key, next(reversed(self._rows[key]), None)) for key in self._runs if key in chosen]
        rest, done = len(newest) - len(chosen), sum(len(self._rows[key]) >= n for key, n in self._runs.items())
        return cells, f"and {rest} more; {done} of {len(newest)} are done" if rest else ""

    def _row(self, key: Key, row: RoundRow | None) -> list[str]:
        shown, lone = row or RoundRow(0, 0), len(self._runs) == 1
        what, share = self._doing.get(key, ("", 0.0))
        at = f"{what} {share:.0%}" if what and (row is None or not lone) else "" if lone else self._settled.get(key, "")
        start = [key[0], str(key[1]), str(row.round) if row else DASH, str(row.labels) if row else DASH]
        return [*start, number(known(shown.accuracy)), *self._extra(shown).values(), at]

    def _shown_warnings(self) -> list[str]:
        """The newest warning of each kind, the last few kinds."""
        kinds = {text.split(":")[0] + text.split(":")[1]: text for text in self._warnings}
        return list(kinds.values())[-SHOWN_WARNINGS:]

    def _progress(self) -> RenderableType:
        left = self.time_left()
        words = f"{self.share:.0%}" + ("" if left is None else f" · about {duration(left)} left")
        if self.share >= 1:
            words = f"done in {duration(self._clock() - self._began)}"
        line = Table.grid(padding=(0, 1))
        line.add_row(ProgressBar(total=1.0, completed=self.share, width=30), Text(words, style="dim"))
        return line
