"""Contrast by WCAG 2.2 AA: 4.5 for words, 3 for what else carries meaning, in both colour schemes."""

import re
from importlib.resources import files

import pytest

STYLE = (files("pickwell.web") / "static" / "page.css").read_text()
LIGHT, DARK = (
    dict(re.findall(r"--([\w-]+): (#[0-9a-f]{6});", block)) for block in STYLE.split("* {")[0].split("@media")
)
SCHEMES = {"light": LIGHT, "dark": {**LIGHT, **DARK}}
WORDS = [
    *((ink, ground) for ink in ("ink", "muted") for ground in ("paper", "raised", "stage")),
    ("ink", "pressed"), ("text-0", "paper"), ("text-1", "paper"), ("paper", "ink"), ("paper", "line-0"),
]  # fmt: skip
SIGNS = [
    ("line-0", "paper"), ("line-0", "grid"), ("line-1", "paper"), ("edge", "paper"), ("line-0", "pressed"),
    *((f"map-{name}", "stage") for name in ("unlabelled", "labelled", "picked")), ("low", "stage"), ("high", "stage"),
]  # fmt: skip


def luminance(colour: tuple[float, float, float]) -> float:
    linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in colour]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def rgb(colour: str) -> tuple[float, float, float]:
    red, green, blue = (int(colour[at : at + 2], 16) / 255 for at in (1, 3, 5))
    return red, green, blue


def contrast(one: tuple[float, float, float], other: tuple[float, float, float]) -> float:
    low, high = sorted((luminance(one), luminance(other)))
    return (high + 0.05) / (low + 0.05)


def test_contrast_is_that_of_the_standard() -> None:
    assert contrast(rgb("#000000"), rgb("#ffffff")) == pytest.approx(21)
    assert contrast(rgb("#777777"), rgb("#ffffff")) == pytest.approx(4.48, abs=0.005)


@pytest.mark.parametrize("scheme", SCHEMES)
@pytest.mark.parametrize(("ink", "ground", "least"), [(*p, 4.5) for p in WORDS] + [(*p, 3.0) for p in SIGNS])
def test_what_is_drawn_can_be_seen(scheme: str, ink: str, ground: str, least: float) -> None:
    colours = SCHEMES[scheme]
    assert contrast(rgb(colours[ink]), rgb(colours[ground])) >= least


@pytest.mark.parametrize("scheme", SCHEMES)
def test_numbers_can_be_read_on_the_strongest_heat(scheme: str) -> None:
    colours = SCHEMES[scheme]
    heat, paper, ink = (rgb(colours[name]) for name in ("heat", "paper", "ink"))
    red, green, blue = (0.6 * a + 0.4 * b for a, b in zip(heat, paper, strict=True))
    assert "min(60%, var(--share, 0) * 150%)" in STYLE
    assert contrast(ink, (red, green, blue)) >= 4.5
