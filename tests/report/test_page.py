import base64
import gzip
import io
import json
import math
import re
import subprocess
import sys
from collections.abc import Callable
from dataclasses import replace
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from pickwell.report.campaign_page import page as page_of
from pickwell.report.galleries import Gallery, Picked
from pickwell.report.page import render as rendered
from pickwell.report.page import write
from pickwell.report.report import Report
from pickwell.report.text.phrases import DASH
from pickwell.statistics.runs import RoundRow, Run

Make = Callable[..., Report]
HOSTILE = "</script><script>alert(1)</script><img src=x onerror=alert(2)>\"'&{{ 7*7 }}"


class Page(HTMLParser):
    """A page's elements, its words outside scripts and styles, and its scripts."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.elements: list[tuple[str, dict[str, str | None]]] = []
        self.words: list[str] = []
        self.scripts: list[str] = []
        self.styles: list[str] = []
        self.inside = ""
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, dict(attrs)))
        self.inside = tag

    def handle_endtag(self, tag: str) -> None:
        self.inside = ""

    def handle_data(self, data: str) -> None:
        kept = {"script": self.scripts, "style": self.styles}.get(self.inside, self.words)
        kept.append(data)

    def all(self, tag: str) -> list[dict[str, str | None]]:
        return [attributes for name, attributes in self.elements if name == tag]

    @property
    def text(self) -> str:
        return " ".join(" ".join(self.words).replace("\N{NO-BREAK SPACE}", " ").split())

    @property
    def specs(self) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = json.loads(next(s for s in self.scripts if s.startswith("[{")))
        return found


def render(report: Report) -> str:
    return rendered(page_of(report))


@pytest.fixture(scope="module")
def page(example: Make) -> tuple[str, Page]:
    text = render(example())
    return text, Page(text)


def test_nothing_is_fetched(page: tuple[str, Page]) -> None:
    _, parsed = page
    for _, attributes in parsed.elements:
        for name in ("src", "href", "srcset", "data", "action", "poster"):
            assert (attributes.get(name) or "data:").startswith("data:")
    assert not parsed.all("base")
    assert not parsed.all("iframe")
    styles = " ".join(parsed.styles)
    assert "@import" not in styles
    assert "url(" not in styles
    policy = next(m["content"] or "" for m in parsed.all("meta") if m.get("http-equiv") == "Content-Security-Policy")
    assert "default-src 'none'" in policy
    assert "http" not in policy
    assert "eval" not in policy


def test_the_figures_load_no_data_and_the_scripts_are_there_once(page: tuple[str, Page]) -> None:
    text, parsed = page
    assert "http" not in json.dumps(parsed.specs)
    assert '"url"' not in json.dumps(parsed.specs)
    assert gzip.decompress(base64.b64decode(parsed.scripts[0])).count(b"window.vegaEmbed=") == 1
    assert text.count(parsed.scripts[0]) == 1
    assert len(parsed.specs) == len([1 for div in parsed.all("div") if "data-figure" in div]) == 15


def test_the_file_is_small(page: tuple[str, Page]) -> None:
    assert len(page[0].encode()) < 1_000_000


def test_summary_warnings_and_numbers_are_shown(page: tuple[str, Page]) -> None:
    text = page[1].text
    assert "vaal-diverse is above random at 5 seeds: +3.4 ± 0.7 points of AUBC, corrected p < 0.001." in text
    assert "With 140 labels vaal-diverse reaches accuracy 0." in text
    assert "vaal, in 5 of 25 queries: D saturated" in text
    assert "Share of the absent classes (7, 8 and 9)" in text
    assert "strategy.observation calibrated" in text
    assert "torch 2.13.0" in text


def test_tables_compare_equal_numbers_of_labels_only() -> None:
    def run(strategy: str, step: int, *accuracies: float) -> Run:
        return Run(strategy, 0, tuple(RoundRow(n, n * step, value) for n, value in enumerate(accuracies, start=1)))

    slow = run("random", 20, 0.5, 0.55, 0.57, 0.59, 0.6, 0.65)
    text = Page(render(Report("t", "s", (run("vaal", 50, 0.6, 0.7, 0.8), slow)))).text.replace(DASH, "-")
    assert "seeds AUBC labels at the end difference to random, points p corrected p verdict" in text
    assert "vaal 1 0.700 150 0.800 +10.0 - - no test random 1 0.600 120 0.650 - - - -" in text
    assert "Areas are over the numbers of labels that all runs share, differences over those that the two share" in text
    assert "vaal 2 100 1 0.700 vaal 3 150 1 0.800 random 1 20 1 0.500" in text
    text = Page(render(Report("t", "s", (run("vaal", 50, 0.6), slow)))).text.replace(DASH, "-")
    assert "vaal 1 - 50 0.600 - - - no test random 1 - 120 0.650 - - - -" in text
    assert "never all with the same number" in text


def test_tables_can_be_read_aloud(page: tuple[str, Page]) -> None:
    parsed = page[1]
    assert all(cell.get("scope") in ("row", "col") for cell in parsed.all("th"))
    assert len(parsed.all("caption")) == len(parsed.all("table")) == 7
    assert all(image.get("alt") for image in parsed.all("img"))


def test_small_thumbnails_keep_square_pixels(page: tuple[str, Page]) -> None:
    images = page[1].all("img")
    assert len(images) == 6 * 20
    assert all(image["class"] == "small" for image in images)
    assert all((image["src"] or "").startswith("data:image/png;base64,") for image in images)


def photograph(size: int, form: str) -> bytes:
    buffer = io.BytesIO()
    Image.new("RGB", (size, size), "red").save(buffer, form)
    return buffer.getvalue()


def test_a_photograph_is_shown_as_what_it_is_and_broken_bytes_as_a_gap() -> None:
    picks = (Picked(1, "a.jpg", 1, 0.9, png=photograph(96, "JPEG")), Picked(2, "b.jpg", 2, 0.8, png=b"\xff\xd8broken"))
    parsed = Page(render(Report("t", "s", (), galleries=(Gallery("g", picks),))))
    (image,) = parsed.all("img")
    assert (image["src"] or "").startswith("data:image/jpeg;base64,")
    assert "class" not in image
    assert "b.jpg, no preview" in [div.get("aria-label") for div in parsed.all("div")]


def test_hostile_names_are_words_only(example: Make) -> None:
    bad = Run(
        HOSTILE, 0,
        (RoundRow(1, 40, 0.5, shares={HOSTILE: 0.3}, class_counts={HOSTILE: 3}, timings={HOSTILE: 1.0},
                  monitors={"warnings": [HOSTILE], "active_units": 3, "kl_per_unit": [0.1], "score_histogram": [1]}),),
    )  # fmt: skip
    made = Report(
        HOSTILE, HOSTILE, (bad,), metric=HOSTILE, group=HOSTILE, classes=(HOSTILE,), marked=(HOSTILE,),
        notes=(HOSTILE,),
        settings={HOSTILE: HOSTILE}, versions={HOSTILE: HOSTILE}, warnings=(HOSTILE,), baseline=HOSTILE + "!",
        pool_shares={HOSTILE: 0.3},
        galleries=(Gallery(HOSTILE, (Picked(1, HOSTILE, 1, 0.5, HOSTILE, photograph(8, "PNG")),), HOSTILE),),
    )  # fmt: skip
    parsed, plain = Page(render(made)), Page(render(example(("vaal",), 1)))
    assert len(parsed.scripts) == len(plain.scripts) == 3
    assert parsed.scripts[0] == plain.scripts[0]
    assert parsed.scripts[2] == plain.scripts[2]
    assert len(parsed.all("img")) == 1
    assert not any(name.startswith("on") for _, attributes in parsed.elements for name in attributes)
    assert HOSTILE in parsed.text
    assert "{{ 7*7 }}" in parsed.text


@pytest.mark.parametrize(
    "rows",
    [
        (),
        (RoundRow(0, 40),),
        (RoundRow(0, 40, 0.7),),
        (RoundRow(0, 40, math.nan), RoundRow(1, 60, math.nan, shares={"absent": math.nan})),
        (RoundRow(0, 40, 0.7), RoundRow(1, 60, 0.8, monitors={"active_units": None, "kl_per_unit": [math.nan]})),
        (RoundRow(1, 60, 0.8, monitors={"score_histogram": [0, 0], "discriminator_auc": math.nan}),),
        (RoundRow(0, 40, 0.0), RoundRow(1, 40, 0.0)),
        (RoundRow(0, 40, 1.0, 0.99, 1.0), RoundRow(1, 60, 1.0, 0.99, 1.0, class_counts={"a": 0})),
    ],
)
def test_scarce_runs_make_a_page(rows: tuple[RoundRow, ...]) -> None:
    for runs in ((Run("vaal", 0, rows),), (Run("vaal", 0, rows), Run("random", 0, rows)), ()):
        text = render(Report("title", "", runs))
        assert "NaN" not in "".join(Page(text).scripts[1:2])
        assert "How it was measured" in text


def test_the_file_replaces_the_old_one(tmp_path: Path, example: Make) -> None:
    path = tmp_path / "report.html"
    path.write_text("old")
    assert write(page_of(replace(example(("random",), 1), title="new one")), path) == path
    assert "<title>new one</title>" in path.read_text(encoding="utf-8")
    assert [p.name for p in tmp_path.iterdir()] == ["report.html"]


def test_rendering_is_the_same_each_time(example: Make) -> None:
    made = example(("vaal",), 2)
    assert render(made) == render(made)


def test_no_torch_is_imported() -> None:
    code = "import sys, pickwell.report.campaign_page, pickwell.report.live; print('torch' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "False"


def test_colours_of_the_page_are_variables_for_dark_readers(page: tuple[str, Page]) -> None:
    specs = json.dumps(page[1].specs)
    assert "var(--line-0)" in specs
    assert not re.search(r"#[0-9a-f]{6}", specs)
