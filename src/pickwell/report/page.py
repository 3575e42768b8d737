"""A page of sections as one HTML file; its figures and tables may lie as files beside it."""

import base64
import gzip
import re
from collections.abc import Iterator, Sequence
from functools import cache
from io import BytesIO
from pathlib import Path
from typing import Any

import vl_convert
from jinja2 import Environment, PackageLoader, StrictUndefined
from PIL import Image

from pickwell.files import replacing
from pickwell.report import page_files
from pickwell.report.chart_style import DARK, LIGHT, RAMP, SCREEN, variables
from pickwell.report.line_charts import Figure
from pickwell.report.sections import Page, Section
from pickwell.report.text import phrases

UNBROKEN = re.compile(r" (?=%)|(?<=\bp) (?=[<=])|(?<=\bp [<=]) ")
"""Spaces at which no line may break."""


def render(page: Page) -> str:
    """The page as the text of one HTML file that asks nothing of any host."""
    numbering = iter(range(10_000))
    sections = list(_shown(page.sections, numbering))
    specs = [figure["spec"] for section in sections for figure in section["figures"]]
    return _environment().get_template("page.html").render(
        page=page, sections=sections, specs=specs, scripts=_scripts() if specs else "", phrases=phrases,
        picture=_embedded, ramp=RAMP, light=variables(LIGHT), dark=variables(DARK),
    )  # fmt: skip


@cache
def _environment() -> Environment:
    environment = Environment(
        loader=PackageLoader("pickwell.report", "."), autoescape=True, undefined=StrictUndefined,
        trim_blocks=True, lstrip_blocks=True,
    )  # fmt: skip
    environment.filters["whole"] = lambda text: UNBROKEN.sub("\N{NO-BREAK SPACE}", text)
    return environment


@cache
def _scripts() -> str:
    """Vega, Vega-Lite and vega-embed, once for all figures; packed, since they would be most of the file."""
    bundle = vl_convert.javascript_bundle()  # type: ignore[call-arg]  # its stub forgets the defaults
    # Without the time of packing, so that the same report is the same file.
    return base64.b64encode(gzip.compress(bundle.encode(), mtime=0)).decode()


def _shown(sections: Sequence[Section], numbering: Iterator[int]) -> Iterator[dict[str, Any]]:
    """The sections that show something, as the template takes them; a heading where more than albums follows."""
    for section in sections:
        charts = [chart for _, draw in section.figures if (chart := draw(SCREEN)) is not None]
        tables = [table for table in section.tables if table.rows]
        if charts or tables or section.notes or section.albums:
            figures = [{**_figure(chart), "number": next(numbering)} for chart in charts]
            yield {"of": section, "figures": figures, "tables": tables}


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


def _embedded(data: bytes) -> dict[str, Any]:
    """A data URI, and whether the image is so small that its pixels should stay square; nothing for broken bytes."""
    try:
        # No other decoders: the bytes may come from anywhere.
        with Image.open(BytesIO(data), formats=("PNG", "JPEG", "WEBP", "GIF")) as image:
            small, kind = max(image.size) < 64, Image.MIME[image.format or "PNG"]
    except OSError:
        return {"uri": None, "small": False}
    return {"uri": f"data:{kind};base64,{base64.b64encode(data).decode()}", "small": small}


def write(page: Page, path: Path, *, files: bool = False) -> Path:
    """Writes the page in one move and returns the path.

    With `files` also its figures (SVG and PNG, below `figures`) and its tables (CSV, below `tables`); those of a page
    that was written here before, which this one has not, are removed.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    written = page_files.written(page, path.parent) if files else []
    # Last, and in one move: a page that is there has its figures beside it.
    with replacing(path, durable=False) as new:
        new.write_text(render(page), encoding="utf-8")
        if files:
            page_files.remove_older(path.parent, written)
    return path
