"""A page of sections, each of sentences, figures and tables; the same figures and tables as files beside it."""

import csv
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pickwell.report.figures import save
from pickwell.report.html import _environment, _figure, _gallery, _scripts
from pickwell.report.ink import DARK, LIGHT, SCREEN, Ink, variables
from pickwell.report.lines import Figure
from pickwell.report.runs import Gallery

Draw = Callable[[Ink], Figure | None]


@dataclass(frozen=True)
class Table:
    """Rows of words and numbers as a person reads them; `name` is its file's. `folded` ones open on a click."""

    name: str
    title: str
    columns: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    caption: str = ""
    folded: bool = False


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
    """Writes the page, its figures (SVG and PNG, below `figures`) and its tables (CSV, below `tables`)."""
    path.parent.mkdir(parents=True, exist_ok=True)
    for section in page.sections:
        for name, draw in section.figures:
            _draw(path.parent / "figures", name, draw)
        for table in section.tables:
            _list(path.parent / "tables", table)
    # Last, and in one move: a page that is there has its figures beside it.
    partial = path.with_name(f".{path.name}.partial")
    partial.write_text(render(page), encoding="utf-8")
    return partial.replace(path)


def _draw(folder: Path, name: str, draw: Draw) -> None:
    chart = draw(LIGHT)
    if chart is not None:
        folder.mkdir(exist_ok=True)
        for suffix in ("svg", "png"):
            save(chart, folder / f"{name}.{suffix}")


def _list(folder: Path, table: Table) -> None:
    folder.mkdir(exist_ok=True)
    with (folder / f"{table.name}.csv").open("w", newline="", encoding="utf-8") as out:
        csv.writer(out).writerows((table.columns, *table.rows))
