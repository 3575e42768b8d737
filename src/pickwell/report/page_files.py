"""The figures and tables of a page as files beside it."""

import csv
import re
from collections.abc import Sequence
from itertools import chain
from pathlib import Path

from pickwell.data.csv_rows import escaped
from pickwell.report.chart_style import LIGHT
from pickwell.report.figures import save
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
    return [save(chart, folder / f"{name}.{suffix}") for suffix in ("svg", "png")]


def _list(folder: Path, table: Table) -> Path:
    """The table as a file to compute with: plain numbers, of an estimate three, nothing for what is unknown."""
    folder.mkdir(exist_ok=True)
    rows = [list(chain(*map(_cells, table.columns, row))) for row in table.rows]
    file = folder / f"{table.name}.csv"
    with file.open("w", newline="", encoding="utf-8") as out:
        # What is in the first row of a column is in all of them.
        names = [escaped(name) for name, _ in rows[0]]
        csv.writer(out).writerows([names, *([value for _, value in row] for row in rows)])
    return file


def _cells(column: str, entry: str | Entry) -> list[tuple[str, str | float | None]]:
    """By name: `corrected p` is `corrected_p`; an estimate's are the name with nothing, `_low` and `_high`."""
    name = column.replace(",", "").replace(" ", "_")
    if isinstance(entry, str):
        return [(name, escaped(entry))]
    if not isinstance(entry.value, Estimate):
        return [(name, _rounded(entry.value))]
    parts = {name: entry.value.mean, f"{name}_low": entry.value.low, f"{name}_high": entry.value.high}
    return [(part, _rounded(value)) for part, value in parts.items()]


def _rounded(value: float | None) -> float | None:
    """Six digits: what lies beyond them is of the machine."""
    number = known(value)
    return None if number is None else float(f"{number:.6g}")
