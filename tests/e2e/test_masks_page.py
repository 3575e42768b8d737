"""The page where masks are drawn, by a real pointer in a browser; what is in the store is what was on the screen."""

import base64
import io
import math
import re
import statistics
from collections.abc import Callable, Iterator
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image
from playwright.sync_api import Page, expect

from pickwell.campaign.directory import Directory
from pickwell.data.pool import Pool
from pickwell.tasks.segmentation.label_maps import MaskFolder, encode

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(240)]

CLASSES = [f"class {number}" for number in range(19)]
NOTHING = 255
# The label map that the colours on the screen tell, as base64; a colour that no class has is 254.
SCREEN = """() => {
  const canvas = document.querySelector(".colours");
  const { data } = canvas.getContext("2d").getImageData(0, 0, canvas.width, canvas.height);
  const of = new Map(JSON.parse(document.getElementById("told").textContent).colours.map((colour, at) => [colour, at]));
  const seen = new Uint8Array(data.length / 4);
  for (let i = 0; i < seen.length; i++) {
    const [r, g, b, alpha] = data.subarray(4 * i, 4 * i + 4);
    const colour = "#" + [r, g, b].map((one) => one.toString(16).padStart(2, "0")).join("");
    seen[i] = alpha === 0 ? 255 : alpha === 255 ? of.get(colour) ?? 254 : 254;
  }
  let text = "";
  for (let i = 0; i < seen.length; i += 32768) text += String.fromCharCode(...seen.subarray(i, i + 32768));
  return [canvas.width, canvas.height, btoa(text)];
}"""
# From a move of the pointer being handled to the first task after the frame that shows it.
WATCH = """() => {
  window.painted = [];
  addEventListener("pointermove", (move) => {
    const [began, stamped] = [performance.now(), move.timeStamp];
    requestAnimationFrame(() => {
      const channel = new MessageChannel();
      channel.port1.onmessage = () => window.painted.push([performance.now() - began, performance.now() - stamped]);
      channel.port2.postMessage(0);
    });
  }, true);
}"""


@pytest.fixture
def draw(tmp_path: Path, tools: Any) -> Iterator[Callable[..., Any]]:
    """Makes and serves a campaign of masks."""
    sites: list[Any] = []

    def draw(images: int = 3, width: int = 160, height: int = 120, predicted: Any = None) -> Any:
        tools.photographs(tmp_path / "photographs", images, width, height)
        settings = {"task.kind": "segmentation", "task.classes": CLASSES}
        made = tmp_path / "campaign"
        site = tools.campaign(made, lambda pool: Pool.create(pool, tmp_path / "photographs"), images, **settings)
        if predicted is not None:
            folder = Directory(made).rounds / "0001"
            folder.mkdir(parents=True)
            (folder / "0.mask.png").write_bytes(encode(predicted))
        sites.append(site)
        site.start()
        return site

    yield draw
    for site in sites:
        if site.process is not None:
            site.kill()


def _screen(page: Page) -> NDArray[np.uint8]:
    width, height, text = page.evaluate(SCREEN)
    return np.frombuffer(base64.b64decode(text), np.uint8).reshape(height, width)


class Hand:
    """Moves the pointer to places of the image."""

    def __init__(self, page: Page) -> None:
        self.page = page
        page.wait_for_selector(".world img")
        while not page.evaluate("document.querySelector('.world img').naturalWidth"):
            page.wait_for_timeout(50)
        page.wait_for_timeout(200)

    def at(self, x: float, y: float) -> tuple[float, float]:
        box = self.page.evaluate(
            "(() => { const c = document.querySelector('.colours'), b = c.getBoundingClientRect();"
            " return [b.x, b.y, b.width / c.width]; })()"
        )
        return box[0] + x * box[2], box[1] + y * box[2]

    def stroke(self, *points: tuple[float, float]) -> None:
        self.page.mouse.move(*self.at(*points[0]))
        self.page.mouse.down()
        for point in points[1:]:
            self.page.mouse.move(*self.at(*point), steps=4)
        self.page.mouse.up()

    def click(self, x: float, y: float) -> None:
        self.page.mouse.click(*self.at(x, y))


def _size(page: Page, size: int) -> None:
    page.locator("#size").fill(str(round(100 * math.log(size) / math.log(400))))
    expect(page.locator("#size-of")).to_have_text(str(size))


def _stored(site: Any) -> dict[int, NDArray[np.uint8]]:
    with site.store() as store:
        labels = store.labels()
    masks = MaskFolder(Directory(site.root).masks)
    # Read with Pillow alone: what any other program would find in the file.
    files = {int(item): masks.root / value for item, value in zip(labels.items, labels.values, strict=True)}
    return {item: np.asarray(Image.open(io.BytesIO(file.read_bytes()))) for item, file in files.items()}


def test_what_is_drawn_is_what_is_saved(draw: Any, opened: Any, tools: Any) -> None:
    site = draw()
    page = opened(site)
    hand = Hand(page)
    _size(page, 9)
    page.keyboard.press("2")
    hand.stroke((20.5, 20.5), (60.5, 20.5))
    seen = _screen(page)
    assert seen[20, 10:70].tolist() == [NOTHING] * 6 + [1] * 49 + [NOTHING] * 5  # 9 pixels across, round ends
    assert (seen[:, 40] == 1).sum() == 9
    page.keyboard.press("l")  # a polygon
    page.keyboard.press("a")
    for corner in ((80, 40), (120, 40), (120, 80), (80, 80)):
        hand.click(*corner)
    page.keyboard.press("Enter")
    seen = _screen(page)
    assert (seen == 10).sum() == 1600
    assert (seen[40:80, 80:120] == 10).all()
    page.keyboard.press("e")  # a hole of a pixel that is to be ignored
    page.keyboard.press("b")
    _size(page, 1)
    hand.click(100.5, 60.5)
    page.keyboard.press("g")  # and the rest of the image
    page.keyboard.press("3")
    hand.click(5.5, 100.5)
    seen = _screen(page)
    assert seen[60, 100] == NOTHING
    assert sorted(np.unique(seen).tolist()) == [1, 2, 10, NOTHING]
    assert (seen == NOTHING).sum() == 1
    page.keyboard.press("Enter")
    tools.settled(page)
    np.testing.assert_array_equal(_stored(site)[0], seen)
    expect(page.locator("#why")).to_contain_text("rank 2")
    (entry,) = _log(site)
    assert (entry.annotator, entry.source) == ("anna", "page")
    assert entry.seconds > 0


def test_enter_on_a_link_follows_it_and_saves_nothing(draw: Any, opened: Any) -> None:
    site = draw()
    page = opened(site)
    hand = Hand(page)
    hand.stroke((20, 20), (60, 20))
    page.focus("nav a[href='/dashboard']")
    page.keyboard.press("Enter")
    page.wait_for_url(f"{site.url}/dashboard")
    assert _log(site) == []


def _log(site: Any) -> list[Any]:
    with site.store() as store:
        return list(store.log())


def test_undo_and_redo_to_any_depth(draw: Any, opened: Any) -> None:
    page = opened(draw())
    hand = Hand(page)
    page.keyboard.press("l")
    states = [_screen(page)]
    for number in range(12):
        page.keyboard.press(str((number + 1) % 10))
        for corner in ((number * 5, 10), (number * 5 + 60, 12), (number * 5 + 20, 100)):
            hand.click(*corner)
        page.keyboard.press("Enter")
        states.append(_screen(page))
    assert all((a != b).any() for a, b in pairwise(states))
    for before in states[-2::-1]:
        page.keyboard.press("Control+z")
        np.testing.assert_array_equal(_screen(page), before)
    assert page.is_disabled("[data-move=undo]")
    for after in states[1:]:
        page.keyboard.press("Control+Shift+z")
        np.testing.assert_array_equal(_screen(page), after)
    page.keyboard.press("Control+z")
    page.keyboard.press("b")
    hand.stroke((5, 5), (150, 110))
    assert page.is_disabled("[data-move=redo]")  # what was undone is gone once something else is drawn


def test_a_draft_outlives_the_page(draw: Any, opened: Any, tools: Any) -> None:
    site = draw()
    page = opened(site, offline=True)
    hand = Hand(page)
    page.keyboard.press("4")
    hand.stroke((20, 20), (100, 90), (30, 100))
    seen = _screen(page)
    page.reload()  # at once: what was drawn last is kept as the page is left
    hand = Hand(page)
    expect(page.locator("#why")).to_contain_text("your draft")
    np.testing.assert_array_equal(_screen(page), seen)
    site.kill()
    page.keyboard.press("Enter")  # saved, but the server is gone
    expect(page.locator("#saved")).to_contain_text("1 not saved yet")
    site.start()
    page.reload()
    tools.settled(page)
    np.testing.assert_array_equal(_stored(site)[0], seen)
    # The next image, or the one after it if the page that is gone has not given the next one back yet.
    expect(page.locator("#why")).to_contain_text(re.compile("rank [23]"))
    assert len(_log(site)) == 1


def test_look_back_correct_and_take_back(draw: Any, opened: Any, tools: Any) -> None:
    site = draw()
    page = opened(site)
    hand = Hand(page)
    hand.stroke((20, 20), (100, 90))
    first = _screen(page)
    page.keyboard.press("Enter")
    expect(page.locator("#why")).to_contain_text("rank 2")
    hand.stroke((100, 20), (20, 90))
    second = _screen(page)
    page.keyboard.press("Enter")
    tools.settled(page)
    page.reload()  # the masks come from the server now
    Hand(page)
    expect(page.locator("#strip button")).to_have_count(2)
    page.keyboard.press("ArrowLeft")
    page.keyboard.press("ArrowLeft")
    expect(page.locator("#why")).to_contain_text("you drew this")
    page.wait_for_timeout(300)
    np.testing.assert_array_equal(_screen(page), first)
    hand.stroke((10, 60), (150, 60))
    corrected = _screen(page)
    page.keyboard.press("Enter")
    tools.settled(page)
    np.testing.assert_array_equal(_stored(site)[0], corrected)
    page.keyboard.press("Backspace")
    tools.settled(page)
    np.testing.assert_array_equal(_stored(site)[0], first)
    page.wait_for_timeout(200)
    np.testing.assert_array_equal(_screen(page), first)
    page.keyboard.press("Backspace")  # the last one that stands: the second image's
    tools.settled(page)
    expect(page.locator("#why")).to_contain_text("your draft")
    np.testing.assert_array_equal(_screen(page), second)
    assert list(_stored(site)) == [0]


def test_a_prediction_is_put_beneath_what_is_drawn(draw: Any, opened: Any, tools: Any) -> None:
    rng = np.random.default_rng(0)
    predicted = np.kron(rng.integers(0, 19, (12, 16)), np.ones((10, 10))).astype(np.uint8)
    site = draw(predicted=predicted)
    page = opened(site)
    hand = Hand(page)
    page.keyboard.press("1")
    hand.stroke((20, 20), (100, 90))
    drawn = _screen(page)
    page.keyboard.press("p")
    expect(page.locator("[data-move=undo]")).to_be_enabled()
    page.wait_for_timeout(300)
    np.testing.assert_array_equal(_screen(page), np.where(drawn == NOTHING, predicted, drawn))
    page.keyboard.press("Enter")
    expect(page.locator("#why")).to_contain_text("rank 2")
    assert page.is_disabled("[data-move=predict]")  # nothing is predicted of that one
    hand.stroke((20, 20), (100, 90))
    page.keyboard.press("Enter")
    tools.settled(page)
    sources = [entry.source for entry in _log(site)]
    assert sources == ["page, suggestion seen, suggestion used", "page"]
    with site.store() as store:
        assert len(store.labels()) == 2


def test_zoom_pan_and_only_empty(draw: Any, opened: Any) -> None:
    page = opened(draw())
    hand = Hand(page)
    _size(page, 7)
    page.keyboard.press("1")
    hand.stroke((80.5, 10.5), (80.5, 100.5))
    page.keyboard.press("x")
    page.keyboard.press("2")
    page.mouse.move(*hand.at(80, 60))
    for _ in range(6):
        page.mouse.wheel(0, -100)
    page.keyboard.down(" ")
    page.mouse.down()
    page.mouse.move(page.viewport_size["width"] / 3, page.viewport_size["height"] / 2, steps=3)
    page.mouse.up()
    page.keyboard.up(" ")
    before = _screen(page)
    assert set(np.unique(before)) == {0, NOTHING}  # dragging with the space bar draws nothing
    hand.stroke((60.5, 60.5), (90.5, 60.5))
    seen = _screen(page)
    assert (seen[before == 0] == 0).all()
    assert seen[60, 60:75].tolist() == [1] * 15
    page.keyboard.press("z")
    box = page.locator(".colours").bounding_box()
    stage = page.locator("#stage").bounding_box()
    assert stage["x"] <= box["x"]
    assert box["x"] + box["width"] <= stage["x"] + stage["width"]


def test_classes_by_name_skips_and_two_people(draw: Any, opened: Any, tools: Any) -> None:
    site = draw(5)
    page, other = opened(site), opened(site, "ben")
    hand = Hand(page)
    page.keyboard.press("/")
    page.keyboard.type("class 17")
    page.keyboard.press("Enter")
    _size(page, 3)
    hand.click(50.5, 50.5)
    assert _screen(page)[50, 50] == 17
    page.keyboard.press("Control+z")
    page.keyboard.press("Enter")  # nothing is drawn: nothing is saved
    expect(page.locator("#toast")).to_contain_text("Nothing is drawn")
    page.keyboard.press("s")
    expect(page.locator("#why")).to_contain_text("rank 2")
    Hand(page)
    page.keyboard.press("i")
    tools.settled(page)
    assert [(entry.item, entry.kind) for entry in _log(site)] == [(0, "skip"), (1, "ignore")]
    hand = Hand(other)
    expect(other.locator("#why")).not_to_contain_text("rank 1 ")
    hand.stroke((10, 10), (50, 50))
    other.keyboard.press("Enter")
    tools.settled(other)
    assert [entry.annotator for entry in _log(site)] == ["anna", "anna", "ben"]
    items = [entry.item for entry in _log(site)]
    assert len(set(items)) == 3


def test_two_fingers_move_the_image_and_draw_nothing(draw: Any, opened: Any) -> None:
    page = opened(draw(), has_touch=True)
    Hand(page)
    client = page.context.new_cdp_session(page)
    box = page.locator(".colours").bounding_box()
    x, y = box["x"] + box["width"] / 2, box["y"] + box["height"] / 2

    def touch(kind: str, *places: float) -> None:
        points = [{"x": x + place, "y": y, "id": number} for number, place in enumerate(places)]
        client.send("Input.dispatchTouchEvent", {"type": kind, "touchPoints": points})

    touch("touchStart", -20)
    touch("touchStart", -20, 20)
    for apart in (30, 45, 60):
        touch("touchMove", -apart, apart)
    touch("touchEnd")
    assert (_screen(page) == NOTHING).all()
    assert page.locator(".colours").bounding_box()["width"] > 2.5 * box["width"]
    touch("touchStart", 0)
    touch("touchMove", 40)
    touch("touchEnd")
    assert (_screen(page) == 0).sum() > 100  # one finger draws


def test_a_stroke_on_a_large_scene_is_painted_within_a_frame(draw: Any, opened: Any, tools: Any) -> None:
    width, height = 2048, 1024
    predicted = (np.add.outer(np.arange(height) // 64, np.arange(width) // 64) % 19).astype(np.uint8)
    site = draw(1, width, height, predicted=predicted)
    page = opened(site)
    hand = Hand(page)
    page.keyboard.press("p")
    page.wait_for_timeout(1500)
    page.evaluate(WATCH)
    _size(page, 41)
    rng = np.random.default_rng(1)
    for key in "123456":
        page.keyboard.press(key)
        at = rng.uniform((100, 100), (width - 100, height - 100))
        page.mouse.move(*hand.at(*at))
        page.mouse.down()
        for _ in range(50):
            at = np.clip(at + rng.uniform(-60, 60, 2), 20, (width - 20, height - 20))
            page.mouse.move(*hand.at(*at))
        page.mouse.up()
    page.wait_for_timeout(500)
    painted = page.evaluate("window.painted")
    took, whole = (sorted(one[place] for one in painted) for place in (0, 1))
    late, stamped = took[int(len(took) * 0.95)], whole[int(len(whole) * 0.95)]
    print(
        f"\nbrush on {width} x {height}, {len(took)} moves: median {statistics.median(took):.1f} ms, "
        f"95th percentile {late:.1f} ms; from the system's time stamp {statistics.median(whole):.1f}, {stamped:.1f} ms"
    )
    seen = _screen(page)
    page.keyboard.press("Enter")
    tools.settled(page)
    np.testing.assert_array_equal(_stored(site)[0], seen)
    assert (seen != predicted).sum() > 50_000
    assert len(took) >= 300
    assert late <= 16
