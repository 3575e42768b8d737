"""Progress bars on stderr."""

import time
from typing import Self

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TaskID, TextColumn, TimeRemainingColumn

from pickwell.cli.terminal import plain


class Bars:
    """One bar for each kind of work, shown once it has taken a second; nothing when quiet or not in a terminal."""

    def __init__(self, *, quiet: bool) -> None:
        console = Console(stderr=True, emoji=False)
        self._bars = Progress(
            TextColumn("{task.description}"),
            BarColumn(),
            MofNCompleteColumn(),
            TimeRemainingColumn(),
            TextColumn("{task.fields[note]}"),
            console=console,
            transient=True,
            disable=quiet or not console.is_terminal,
        )
        self._shown: dict[str, TaskID] = {}
        self._begun: dict[str, float] = {}

    def __enter__(self) -> Self:
        self._bars.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._bars.stop()

    def __call__(self, what: str, done: int, total: int) -> None:
        """Takes in how far something has come; a note on it stands at the end."""
        what, _, note = what.partition(", ")
        begun = self._begun.setdefault(what, time.monotonic())
        if what not in self._shown and time.monotonic() - begun > 1 and done < total:
            self._shown[what] = self._bars.add_task(what, total=total, note="")
        if what in self._shown:
            self._bars.update(self._shown[what], completed=done, total=total, note=plain(note))
        if done >= total:
            self._begun.pop(what)
            if what in self._shown:
                self._bars.remove_task(self._shown.pop(what))
