import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from pickwell.report.campaign_page import page as page_of
from pickwell.report.page import write
from pickwell.report.report import Report

pytestmark = pytest.mark.slow
playwright = pytest.importorskip("playwright.sync_api", reason="looking at the report needs playwright")
CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
ARGUMENTS = ["--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-sync",
             "--disable-background-networking", "--disable-component-update"]  # fmt: skip
DRAWN = "[...document.querySelectorAll('[data-figure]')].every(place => place.querySelector('svg'))"

FURTHEST = "Math.max(...[...document.querySelectorAll('svg text')].map(text => text.getBoundingClientRect().right))"


@pytest.mark.skipif(CHROMIUM is None, reason="looking at the report needs Chromium")
@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("size", [(1440, 900), (390, 844)])
def test_the_page_draws_itself_and_asks_nobody(
    example: Callable[..., Report], tmp_path: Path, size: tuple[int, int], scheme: Any
) -> None:
    path = write(page_of(example()), tmp_path / "report.html")
    with playwright.sync_playwright() as engine:
        browser = engine.chromium.launch(executable_path=CHROMIUM, args=ARGUMENTS)
        page = browser.new_page(viewport={"width": size[0], "height": size[1]}, color_scheme=scheme)
        asked: list[str] = []
        troubles: list[str] = []
        page.on("request", lambda request: asked.append(request.url))
        page.on("console", lambda message: troubles.append(message.text))
        page.on("pageerror", lambda error: troubles.append(str(error)))
        page.goto(path.as_uri())
        page.wait_for_function(DRAWN, timeout=30_000)
        assert [url for url in asked if not url.startswith("data:")] == [path.as_uri()]
        assert troubles == []
        assert page.evaluate("document.documentElement.scrollWidth") <= size[0]
        assert page.locator("[data-figure] svg").count() == 15
        paper = page.evaluate("getComputedStyle(document.documentElement).backgroundColor")
        assert paper == ("rgb(255, 255, 255)" if scheme == "light" else "rgb(21, 23, 27)")
        # No drawing reaches past the page's edge, where it would be cut off.
        assert page.evaluate(FURTHEST) <= size[0]
        browser.close()
