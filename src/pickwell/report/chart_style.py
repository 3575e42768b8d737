"""The colours (Okabe and Ito's, safe for colour-blind readers) and the charts' calm dress."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from itertools import cycle
from typing import Any, NamedTuple

FONT = "system-ui, -apple-system, 'Segoe UI', 'Liberation Sans', sans-serif"

RAMP = ("#00224e", "#35456c", "#666970", "#948e77", "#c8b866", "#fee838")
"""Of uncertainty, from none to all classes alike: cividis (Nuñez et al. 2018), told apart by all readers."""


@dataclass(frozen=True, slots=True)
class Ink:
    """One set of colours. `lines` draw strategies, `texts` are the same hues, dark or light enough to read as words."""

    paper: str
    ink: str
    muted: str
    grid: str
    heat: str
    baseline: str
    lines: tuple[str, ...]
    texts: tuple[str, ...]


# Okabe-Ito without black (words) and yellow (unreadable on white); sky last, it is nearest to another.
LIGHT = Ink(
    paper="#ffffff", ink="#1d1f23", muted="#5c6370", grid="#e4e6ea", heat="#56b4e9", baseline="#757b87",
    lines=("#0072b2", "#d55e00", "#009e73", "#cc79a7", "#e69f00", "#56b4e9"),
    texts=("#0068a3", "#b04d00", "#00755a", "#9c3f72", "#8a5e00", "#1b75aa"),
)  # fmt: skip
DARK = Ink(
    paper="#15171b", ink="#e8e9ec", muted="#a2a8b4", grid="#2c3038", heat="#0065a0", baseline="#9aa1ad",
    lines=("#4aa3df", "#f0803c", "#2fc49a", "#e09cc4", "#f0b53c", "#9ad7ff"),
    texts=("#6ab8ee", "#f59a62", "#4fd1ab", "#e9b3d2", "#f4c567", "#b5e2ff"),
)  # fmt: skip


def variables(ink: Ink) -> dict[str, str]:
    """The colours by name of CSS variable, without the dashes: `line-0`, `paper`, ..."""
    flat: dict[str, str] = {}
    for name, value in asdict(ink).items():
        flat |= {name: value} if isinstance(value, str) else {f"{name[:-1]}-{i}": v for i, v in enumerate(value)}
    return flat


# A page that follows the reader's light or dark setting draws with variables, so nothing need be drawn again.
SCREEN = Ink(
    **{name: f"var(--{name})" for name in ("paper", "ink", "muted", "grid", "heat", "baseline")},
    lines=tuple(f"var(--line-{i})" for i in range(len(LIGHT.lines))),
    texts=tuple(f"var(--text-{i})" for i in range(len(LIGHT.texts))),
)


DASHES = {"": (1, 0), "-- ": (6, 3), "·· ": (2, 3), "-· ": (9, 3, 2, 3)}
"""How lines are dashed whose colours come again, by the mark before the name at a line's end."""


class Hue(NamedTuple):
    """The colour of a line and that of words about it, and the mark of its dashes."""

    line: str
    text: str
    mark: str = ""


def hues(names: Sequence[str], baseline: str, ink: Ink) -> dict[str, Hue]:
    """How each strategy is drawn in every chart: the baseline grey, the others in their order.

    Past six the colours come again, dashed, and past twelve dotted.
    """
    looks = [Hue(line, text, mark) for mark in DASHES for line, text in zip(ink.lines, ink.texts, strict=True)]
    others = dict(zip((name for name in names if name != baseline), cycle(looks), strict=False))
    return {name: others.get(name, Hue(ink.baseline, ink.muted)) for name in names}


def theme(ink: Ink) -> dict[str, Any]:
    """A Vega-Lite config: no frame, light horizontal rules, titles at the left."""
    words = {"labelFont": FONT, "titleFont": FONT, "labelFontSize": 12, "titleFontSize": 12, "titleFontWeight": 400}
    return {
        "background": "transparent" if ink is SCREEN else ink.paper,
        "font": FONT,
        "view": {"stroke": None},
        "axis": {**words, "labelColor": ink.muted, "titleColor": ink.muted, "domain": False, "ticks": False,
                 "gridColor": ink.grid, "labelPadding": 6, "titlePadding": 8},
        "legend": {**words, "labelColor": ink.ink, "title": None, "orient": "top", "symbolStrokeWidth": 3},
        "title": {"anchor": "start", "color": ink.ink, "subtitleColor": ink.muted, "fontSize": 15, "offset": 14,
                  "subtitleFontSize": 12, "subtitlePadding": 5, "fontWeight": 600, "frame": "group"},
    }  # fmt: skip
