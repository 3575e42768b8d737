"""The live table of an experiment: what the cells' own files tell, whichever process is at work on them."""

from collections.abc import Mapping
from pathlib import Path
from threading import Event, Lock, Thread
from typing import Self

from pickwell.campaign.progress_file import doing
from pickwell.experiments.results.cell_results import rows
from pickwell.experiments.run.cell_progress import changed, read_rounds
from pickwell.report.live import Key, LiveTable
from pickwell.statistics.runs import RoundRow

LOOK = 0.5
"""Seconds between two looks at the files."""


class LiveCells:
    """Fills the table from the directories of the cells, twice a second and when one is settled."""

    def __init__(self, table: LiveTable, folders: Mapping[Key, Path], metric: str) -> None:
        self._table, self._folders, self._metric = table, dict(folders), metric
        self._shown = dict.fromkeys(folders, (0, 0))
        self._lock, self._ended = Lock(), Event()
        self._thread = Thread(target=self._watch, name="live table", daemon=True)

    def __enter__(self) -> Self:
        for key, folder in self._folders.items():
            stamp, rows = changed(folder), self._rows(folder)
            self._shown[key] = (stamp, len(rows))
            self._table.found(key, rows)
        self._table.begin()
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._ended.set()
        self._thread.join()

    def settle(self, key: Key, state: str, left: float | None) -> None:
        """Shows what has become of a cell, after the last of its rounds; `left` are the seconds for the others."""
        self._look(key)
        with self._lock:
            self._folders.pop(key, None)
        self._table.settle(key, state, left)

    def _watch(self) -> None:
        while not self._ended.wait(LOOK):
            for key in list(self._folders):
                self._look(key)

    def _look(self, key: Key) -> None:
        with self._lock:
            if (folder := self._folders.get(key)) is None:
                return
            (stamp, count), now = self._shown[key], changed(folder)
            if now != stamp:
                rows = self._rows(folder)
                self._shown[key] = (now, len(rows))
                for row in rows[count:]:
                    self._table.update(key, row)
            if at := doing(folder):
                self._table.working(key, at.what, at.done, at.total)

    def _rows(self, folder: Path) -> list[RoundRow]:
        return list(rows(read_rounds(folder), self._metric))
