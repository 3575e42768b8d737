"""The figures and tables of a page as files beside it."""

import csv
import re
from collections.abc import Sequence
from pathlib import Path

from pickwell.report.figures import save
from pickwell.report.ink import LIGHT
from pickwell.report.sections import Draw, Entry, Page, Table
from pickwell.statistics.estimates import Estimate
from pickwell.statistics.runs import known

OURS = re.compile(r"(figures/[^/]+\.(svg|png)|tables/[^/]+\.csv)")
"""What a page may write beside itself, and so remove: a folder of results may be someone else's."""


def written(page: Page, folder: Path) -> list[Path]:
    """Writes the figures (SVG and PNG) and the tables (CSV) of a page, each into a folder of theirs."""
    files: list[Path] = []
    for section in page.sections:
        for name, draw in section.figures:
            files += _draw(folder / "figures", name, draw)
        files += [_list(folder / "tables", table) for table in section.tables if table.rows]
    return files


def remove_older(folder: Path, written: Sequence[Path]) -> None:
    """Removes what the page before wrote and this one has not, by the list that it left; leaves such a list."""
    kept = folder / ".report.files"
    names = {file.relative_to(folder).as_posix() for file in written}
    older = set(kept.read_text(encoding="utf-8").splitlines()) if kept.exists() else set()
    for name in older - names:
        if OURS.fullmatch(name):
            (folder / name).unlink(missing_ok=True)
    kept.write_text("\n".join(sorted(names)), encoding="utf-8")


def _draw(folder: Path, name: str, draw: Draw) -> list[Path]:
    chart = draw(LIGHT)
    if chart is None:
        return []
    folder.mkdir(exist_ok=True)
    files = [folder / f"{name}.{suffix}" for suffix in ("svg", "png")]
    for file in files:
        save(chart, file)
    return files


def _list(folder: Path, table: Table) -> Path:
    """The table as a file to compute with: plain numbers, of an estimate three, nothing for what is unknown."""
    folder.mkdir(exist_ok=True)
    # What is in the first row of a column is in all of them.
    names = [name for column, kind in zip(table.columns, table.rows[0], strict=True) for name in _names(column, kind)]
    rows = [[value for entry in row for value in _values(entry)] for row in table.rows]
    file = folder / f"{table.name}.csv"
    with file.open("w", newline="", encoding="utf-8") as out:
        csv.writer(out).writerows([names, *rows])
    return file


def _names(column: str, kind: str | Entry) -> list[str]:
    """`corrected p` is `corrected_p`; an estimate's are the name with nothing, `_low` and `_high`."""
    name = column.replace(",", "").replace(" ", "_")
    estimate = isinstance(kind, Entry) and isinstance(kind.value, Estimate)
    return [name, f"{name}_low", f"{name}_high"] if estimate else [name]


def _values(entry: str | Entry) -> list[str | float | None]:
    if isinstance(entry, str):
        return [entry]
    if isinstance(entry.value, Estimate):
        return [_rounded(bound) for bound in (entry.value.mean, entry.value.low, entry.value.high)]
    return [_rounded(entry.value)]


def _rounded(value: float | None) -> float | None:
    """Six digits: what lies beyond them is of the machine."""
    number = known(value)
    return None if number is None else float(f"{number:.6g}")
