"""A page of sections, each of sentences, figures and tables; the same figures and tables as files beside it."""

import csv
import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pickwell.files import replacing
from pickwell.report.campaign_html import _environment, _figure, _gallery, _scripts
from pickwell.report.figures import save
from pickwell.report.ink import DARK, LIGHT, SCREEN, Ink, variables
from pickwell.report.lines import Figure
from pickwell.report.runs import Gallery, known
from pickwell.statistics.estimates import Estimate

Draw = Callable[[Ink], Figure | None]
OURS = re.compile(r"(figures/[^/]+\.(svg|png)|tables/[^/]+\.csv)")
"""What a page may write beside itself, and so remove: a folder of results may be someone else's."""


@dataclass(frozen=True)
class Entry:
    """What a person reads of a value, and the value itself, which the table's file holds; None is unknown."""

    words: str
    value: float | Estimate | None

    def __str__(self) -> str:
        return self.words


Row = tuple[str | Entry, ...]


@dataclass(frozen=True)
class Table:
    """Rows of words and values; `name` is its file's. `folded` ones open on a click, `prose` is read in lines."""

    name: str
    title: str
    columns: tuple[str, ...]
    rows: tuple[Row, ...]
    caption: str = ""
    folded: bool = False
    prose: bool = False


@dataclass(frozen=True)
class Album:
    """Galleries that open together on a click."""

    title: str
    galleries: tuple[Gallery, ...]


@dataclass(frozen=True)
class Section:
    """A heading with sentences, figures by their files' names, tables and albums."""

    heading: str
    notes: tuple[str, ...] = ()
    figures: tuple[tuple[str, Draw], ...] = ()
    tables: tuple[Table, ...] = ()
    size: str = ""
    albums: tuple[Album, ...] = ()


@dataclass(frozen=True)
class Page:
    """All that a page shows."""

    title: str
    subtitle: str
    summary: tuple[str, ...]
    sections: tuple[Section, ...]
    warnings: tuple[str, ...] = ()


def render(page: Page) -> str:
    """The page as the text of one HTML file that asks nothing of any host."""
    numbering = iter(range(10_000))
    sections = list(_shown(page.sections, numbering))
    specs = [figure["spec"] for section in sections for figure in section["figures"]]
    template = _environment().get_template("page.html")
    colours = {"light": variables(LIGHT), "dark": variables(DARK)}
    return template.render(report=page, sections=sections, specs=specs, scripts=_scripts() if specs else "", **colours)


def _shown(sections: Sequence[Section], numbering: Iterator[int]) -> Iterator[dict[str, Any]]:
    """The sections that show something, as the template takes them; a heading where more than albums follows."""
    for section in sections:
        charts = [chart for _, draw in section.figures if (chart := draw(SCREEN)) is not None]
        tables = [table for table in section.tables if table.rows]
        if not (charts or tables or section.notes or section.albums):
            continue
        yield {
            "heading": section.heading if charts or tables or section.notes else "",
            "notes": section.notes,
            "figures": [{**_figure(chart), "number": next(numbering)} for chart in charts],
            "tables": tables,
            "size": section.size,
            "albums": [{"title": a.title, "galleries": [_gallery(g) for g in a.galleries]} for a in section.albums],
        }


def write(page: Page, path: Path) -> Path:
    """Writes the page, its figures (SVG and PNG, below `figures`) and its tables (CSV, below `tables`).

    Of a page that was written here before, figures and tables that this one has not are removed.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    written: list[Path] = []
    for section in page.sections:
        for name, draw in section.figures:
            written += _draw(path.parent / "figures", name, draw)
        written += [_list(path.parent / "tables", table) for table in section.tables]
    # Last, and in one move: a page that is there has its figures beside it.
    with replacing(path, durable=False) as new:
        new.write_text(render(page), encoding="utf-8")
        _remove_older(path.parent, written)
    return path


def _remove_older(folder: Path, written: Sequence[Path]) -> None:
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
    # What is in the first row of a column is in all of them; a table without rows leaves its columns' names.
    kinds = table.rows[0] if table.rows else table.columns
    names = [name for column, kind in zip(table.columns, kinds, strict=True) for name in _names(column, kind)]
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
