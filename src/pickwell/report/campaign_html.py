"""The report as one HTML file that asks nothing of any host."""

import base64
import gzip
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from io import BytesIO
from pathlib import Path
from typing import Any

import altair as alt
import vl_convert
from jinja2 import Environment, PackageLoader, StrictUndefined
from PIL import Image

from pickwell.files import replacing
from pickwell.report import grids, monitor_figures
from pickwell.report.figures import difference_plot, learning_curve, picks_by_class, share_by_round
from pickwell.report.ink import DARK, LIGHT, SCREEN, variables
from pickwell.report.lines import Figure
from pickwell.report.overlays import RAMP
from pickwell.report.runs import Gallery, Report, Run, Scene, known, of, strategies
from pickwell.report.text import phrases, summary
from pickwell.statistics.estimates import (
    Difference,
    Estimate,
    accuracies,
    curve_difference,
    final_difference,
    mean_interval,
    points,
    shared_labels,
    within,
)

OPEN_GALLERIES = 3
"""So many galleries are unfolded when the page opens."""


@dataclass(frozen=True, slots=True)
class Line:
    """One strategy's line in the table of results."""

    strategy: str
    seeds: int
    labels: float | None
    final: Estimate | None
    curve: Estimate | None
    final_difference: Difference | None
    curve_difference: Difference | None
    share: float | None
    pixels: Estimate | None
    timings: Mapping[str, float]


def write(report: Report, path: Path) -> Path:
    """Writes the report to the path, in one move, and returns the path."""
    with replacing(path, durable=False) as new:
        new.write_text(render(report), encoding="utf-8")
    return path


def render(report: Report) -> str:
    """The report as the text of an HTML file."""
    sections = [section for section in _sections(report) if section["figures"]]
    page = _environment().get_template("template.html")
    shared = shared_labels(report.runs)
    lines = [_line(report, name, shared) for name in strategies(report.runs)]
    return page.render(
        report=report, phrases=phrases, sections=sections, galleries=[_gallery(g) for g in report.galleries],
        summary=summary.summary(report), warnings=summary.warnings(report), lines=lines, curve=_curve_table(report),
        over=summary.over(report.runs, shared),
        tasks=list(dict.fromkeys(task for line in lines for task in line.timings)), open_galleries=OPEN_GALLERIES,
        light=variables(LIGHT), dark=variables(DARK), scripts=_scripts() if sections else "",
        scenes=[{"gallery": g, "scenes": [_scene(scene) for scene in g.scenes]} for g in report.scenes], ramp=RAMP,
        scored=_class_table(report, lines),
        specs=[figure["spec"] for section in sections for figure in section["figures"]],
    )  # fmt: skip


@cache
def _environment() -> Environment:
    return Environment(
        loader=PackageLoader("pickwell.report", "."), autoescape=True, undefined=StrictUndefined,
        trim_blocks=True, lstrip_blocks=True,
    )  # fmt: skip


@cache
def _scripts() -> str:
    """Vega, Vega-Lite and vega-embed, once for all figures; packed, since they would be most of the file."""
    bundle = vl_convert.javascript_bundle()  # type: ignore[call-arg]  # its stub forgets the defaults
    # Without the time of packing, so that the same report is the same file.
    return base64.b64encode(gzip.compress(bundle.encode(), mtime=0)).decode()


def _sections(report: Report) -> Iterator[dict[str, Any]]:
    """The figures, by the question that they answer."""
    names, numbering = strategies(report.runs), iter(range(10_000))

    def section(heading: str, figures: list[Figure | None], size: str = "") -> dict[str, Any]:
        shown = [{**_figure(f), "number": next(numbering)} for f in figures if f is not None]
        return {"heading": heading, "figures": shown, "size": size}

    found = [d for d in summary.differences(report) if d is not None]
    learning = [
        learning_curve(report, SCREEN),
        grids.pixel_accuracy(report, SCREEN),
        difference_plot(found, report.metric, SCREEN),
    ]
    yield section("Does it learn faster?" if len(names) > 1 else "What it has learned", learning)
    if report.legend:
        yield from (section(heading, figures, "small") for heading, figures in _by_class(report, names))
    else:
        yield section("What was picked?", [share_by_round(report, SCREEN)])
        yield section("", [picks_by_class(report, name, SCREEN) for name in names], "small")
    yield section("Can VAAL's picks be trusted?", [
        monitor_figures.active_units(report, SCREEN), monitor_figures.discriminator_auc(report, SCREEN),
        *(monitor_figures.score_histogram(report, name, SCREEN) for name in names),
        *(monitor_figures.latent_use(report, name, SCREEN) for name in names),
    ])  # fmt: skip


def _by_class(report: Report, names: list[str]) -> Iterator[tuple[str, list[Figure | None]]]:
    """The figures of classes in masks: side by side of one strategy, else a section each."""
    kinds = {
        "How well is each class found?": grids.class_iou,
        "Which classes were picked?": picks_by_class,
        "Which pixels were labelled?": grids.class_pixels,
    }
    drawn = {heading: [draw(report, name, SCREEN) for name in names] for heading, draw in kinds.items()}
    if len(names) > 1:
        yield from drawn.items()
        return
    alone = [
        None if figure is None else figure.properties(title=alt.TitleParams(heading, subtitle=figure.title.subtitle))
        for heading, (figure,) in drawn.items()
    ]
    yield "Class by class", alone


def _figure(chart: Figure) -> dict[str, Any]:
    """A chart's spec without its title, which the page sets in type that wraps; it fills the page's column.

    `least` pixels are what it needs in width; on narrower screens it scrolls.
    """
    spec = chart.to_dict()
    title, least = spec.pop("title"), spec.pop("usermeta", {}).get("least", 0)
    for key in ("$schema", "width"):
        spec.pop(key, None)
    spec |= {"width": "container", "autosize": {"type": "fit-x", "contains": "padding"}, "description": title["text"]}
    return {"title": title["text"], "subtitle": title["subtitle"], "spec": spec, "height": spec["height"],
            "least": least}  # fmt: skip


def _gallery(gallery: Gallery) -> dict[str, Any]:
    tiles = [{"pick": pick, **_embedded(pick.png)} for pick in gallery.picks]
    return {"title": gallery.title, "caption": gallery.caption, "tiles": tiles}


def _scene(scene: Scene) -> dict[str, Any]:
    return {"scene": scene, "pictures": {kind: _embedded(data)["uri"] for kind, data in scene.pictures.items()}}


def _embedded(data: bytes) -> dict[str, Any]:
    """A data URI, and whether the image is so small that its pixels should stay square; nothing for broken bytes."""
    if not data:
        return {"uri": None, "small": False}
    try:
        # No other decoders: the bytes may come from anywhere.
        with Image.open(BytesIO(data), formats=("PNG", "JPEG", "WEBP", "GIF")) as image:
            small, kind = max(image.size) < 64, Image.MIME[image.format or "PNG"]
    except OSError:
        return {"uri": None, "small": False}
    return {"uri": f"data:{kind};base64,{base64.b64encode(data).decode()}", "small": small}


def _class_table(report: Report, lines: list[Line]) -> list[dict[str, Any]]:
    """For each class, by strategy, its last IoU as a mean over seeds, and its share of the labelled pixels."""
    rows = {n: {line.strategy: _last_of_class(report, line.strategy, n) for line in lines} for n in report.classes}
    if not any(score is not None for cells in rows.values() for score, _ in cells.values()):
        return []
    return [{"class": name, "colour": report.legend.get(name), "cells": cells} for name, cells in rows.items()]


def _last_of_class(report: Report, strategy: str, name: str) -> tuple[float | None, float | None]:
    """The IoU of a class after the last measured round, and its share of all the pixels that the runs labelled."""
    runs = of(report.runs, strategy)
    last = [measured[-1] for run in runs if (measured := [row for row in run.rounds if row.class_scores])]
    scores = [score for row in last if (score := known(row.class_scores.get(name))) is not None]
    pixels = [row.class_pixels for run in runs for row in run.rounds]
    total = sum(sum(counts.values()) for counts in pixels)
    share = sum(counts.get(name, 0) for counts in pixels) / total if total else None
    return (sum(scores) / len(scores) if scores else None), share


def _line(report: Report, name: str, shared: Sequence[int]) -> Line:
    """A strategy's line in the table of results; means over the curve are of the numbers of labels that all share."""
    runs = of(report.runs, name)
    curve = points(runs, lambda row: row.accuracy)
    areas = [sum(values[n] for n in shared) / len(shared) for run in runs if shared and (values := accuracies(run))]
    against = None if name == report.baseline else report.baseline
    return Line(
        name, len(runs), curve[-1].labels if curve else None, within(curve[-1].estimate) if curve else None,
        within(mean_interval(areas)) if areas else None,
        _found(report, name, against, final_difference), _found(report, name, against, curve_difference),
        summary.mean_share(report, name), _pixels(runs), _timings(runs),
    )  # fmt: skip


def _pixels(runs: list[Run]) -> Estimate | None:
    """The last pixel accuracy, a mean over seeds; None where none was measured."""
    curve = points(runs, lambda row: row.pixel_accuracy)
    return within(curve[-1].estimate) if curve else None


def _found(report: Report, name: str, against: str | None, compare: Any) -> Difference | None:
    found: Difference | None = None if against is None else compare(report.runs, name, against)
    return found


def _timings(runs: list[Run]) -> dict[str, float]:
    """Mean seconds by what took them."""
    kept: dict[str, list[float]] = {}
    for run in runs:
        for row in run.rounds:
            for task, value in row.timings.items():
                if (seconds := known(value)) is not None:
                    kept.setdefault(task, []).append(seconds)
    return {task: sum(values) / len(values) for task, values in kept.items()}


def _curve_table(report: Report) -> list[dict[str, Any]]:
    """For each number of labels each strategy's mean."""
    curve = points(report.runs, lambda row: row.accuracy)
    return [
        {"labels": labels, "means": {p.strategy: within(p.estimate) for p in curve if p.labels == labels}}
        for labels in sorted({p.labels for p in curve})
    ]
