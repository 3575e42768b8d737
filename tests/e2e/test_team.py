"""Several annotators of one image, the page that decides between them, and the map of a pool of 50,000."""

import statistics
from typing import Any

import numpy as np
import pytest
from playwright.sync_api import expect

from pickwell.acquisition.projection import Projection
from pickwell.campaign.latent_maps import Maps
from pickwell.items import Pick
from pickwell.store import Store

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(240)]
MANY = 50_000


def _asked_of_two(store: Store, count: int) -> None:
    store.close_round(1)
    picks = [Pick(item, item + 1, 0.5) for item in range(count)]
    store.open_round(number=2, strategy="vaal", seed=0, picks=picks, overlap=2)


def test_two_answer_and_a_third_decides_by_keyboard(serve: Any, opened: Any) -> None:
    site = serve(4, 96, 72, **{"serve.overlap": 2})
    with site.store() as store:
        _asked_of_two(store, 4)
    for name, keys in (("anna", "1234"), ("ben", "1235")):
        page = opened(site, name)
        for place, key in enumerate(keys):
            expect(page.locator("#pace")).to_contain_text("in round 2")
            expect(page.locator("#stage img")).to_have_js_property("complete", value=True)
            page.keyboard.press(key)
            if place < 3:
                expect(page.locator("#strip li")).to_have_count(place + 1)
        expect(page.locator("#saved")).to_have_text("all saved")
        expect(page.locator("#wait-title")).to_have_text("You have answered all you can")
    expect(page.locator("#wait-text")).to_contain_text("1 of them are disputed")
    judge = opened(site, "carl", "/decide")
    expect(judge.locator("#opinions li")).to_have_text(["personanna", "roofben"])
    expect(judge.locator("#stage img")).to_have_js_property("complete", value=True)
    judge.keyboard.press("5")
    expect(judge.locator("#wait-title")).to_have_text("Nothing is disputed")
    judge.keyboard.press("Backspace")
    expect(judge.locator("#opinions li")).to_have_count(2)
    judge.locator("#opinions button").first.click()
    expect(judge.locator("#saved")).to_have_text("all saved")
    with site.store() as store:
        assert store.labels().values == ["boat", "flower", "house", "person"]
        assert store.current() is None
        assert [entry.source for entry in store.log()][-3:] == ["adjudicated", "undo", "adjudicated"]


HOVER = """async () => {
  const canvas = document.querySelector("#map");
  const { left, top, width, height } = canvas.getBoundingClientRect();
  const took = [];
  for (let k = 0; k < 300; k++) {
    const [x, y] = [20 + ((k * 37) % (width - 40)), 20 + ((k * 53) % (height - 40))];
    const began = performance.now();
    canvas.dispatchEvent(new PointerEvent("pointermove", { clientX: left + x, clientY: top + y }));
    took.push(performance.now() - began);
    if (k % 10 === 0) await new Promise(requestAnimationFrame);
  }
  return took.sort((a, b) => a - b);
}"""


def test_fifty_thousand_points_stay_fluid(serve: Any, opened: Any) -> None:
    site = serve(30, 96, 72)
    rng = np.random.default_rng(0)
    points = rng.normal(size=(MANY, 2)).astype(np.float32)
    scores = rng.random(MANY).astype(np.float32)
    (site.root / "rounds").mkdir()
    # Thumbnails exist of the 30 picks alone: only those are looked at, but all are searched.
    items = np.arange(MANY) % 30
    Maps(site.root / "rounds").write(1, Projection(items, points, scores, np.zeros(MANY, bool)))
    page = opened(site, path="/dashboard")
    expect(page.locator("#map-legend button").nth(2)).to_have_text("picked 50,000")
    paints = []
    for _ in range(20):
        page.locator("#map-scores").click()
        page.wait_for_timeout(60)
        paints.append(float(str(page.get_attribute("#map", "data-milliseconds"))))
    hovers = page.evaluate(HOVER)
    print(f"\n50,000 points: painted in {statistics.median(paints):.1f} ms; under the pointer in {hovers[285]:.1f} ms")
    page.focus("#map")
    page.keyboard.press("Escape")  # what the pointer was at
    page.keyboard.press("ArrowRight")
    expect(page.locator("#map-card")).to_contain_text("picked, score")
    assert "/api/images/0?size=thumb&" in page.evaluate("document.querySelector('#map-card img').src")
    page.keyboard.press("Escape")
    expect(page.locator("#map-card")).to_be_hidden()
    page.locator("#map-legend button").nth(2).click()
    expect(page.locator("#map-legend button").nth(2)).to_have_attribute("aria-pressed", "false")
    assert statistics.median(paints) <= 50
    assert hovers[285] <= 16
