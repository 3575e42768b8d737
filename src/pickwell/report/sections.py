"""What a page is made of: sections of sentences, figures, tables and pictures."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field

from pickwell.report.chart_style import Ink
from pickwell.report.galleries import Gallery
from pickwell.report.line_charts import Figure
from pickwell.statistics.estimates import Estimate

Draw = Callable[[Ink], Figure | None]


@dataclass(frozen=True)
class Entry:
    """What a person reads of a value, and the value itself, which the table's file holds; None is unknown."""

    words: str
    value: float | Estimate | None

    def __str__(self) -> str:
        return self.words


Cell = str | Entry


@dataclass(frozen=True)
class Table:
    """Rows of words and values; `name` is its file's. `folded` ones open on a click, `prose` is read in lines.

    On narrow screens `cards` stand one below the other.
    """

    name: str
    title: str
    columns: tuple[str, ...]
    rows: tuple[tuple[Cell, ...], ...]
    caption: str = ""
    folded: bool = False
    prose: bool = False
    cards: bool = False

    @classmethod
    def of(cls, name: str, title: str, rows: Iterable[Mapping[str, Cell]], caption: str = "", **how: bool) -> "Table":
        """The table of rows that are told by column, all of the same columns."""
        found = list(rows)
        columns = tuple(found[0]) if found else ()
        return cls(name, title, columns, tuple(tuple(row.values()) for row in found), caption, **how)


@dataclass(frozen=True)
class Album:
    """Galleries that open together on a click; `scored` ones tell each image's rank and score."""

    title: str
    galleries: tuple[Gallery, ...]
    caption: str = ""
    open: bool = False
    scored: bool = False


@dataclass(frozen=True)
class Section:
    """A heading with sentences, figures by their files' names, tables and albums; `legend` has colours of classes."""

    heading: str
    notes: tuple[str, ...] = ()
    figures: tuple[tuple[str, Draw], ...] = ()
    tables: tuple[Table, ...] = ()
    size: str = ""
    albums: tuple[Album, ...] = ()
    legend: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Page:
    """All that a page shows."""

    title: str
    subtitle: str
    summary: tuple[str, ...]
    sections: tuple[Section, ...]
    warnings: tuple[str, ...] = ()
