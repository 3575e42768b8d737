"""The numbers of the label page, measured where they matter: in a browser, against the real server."""

import random
import signal
import statistics
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from pickwell.items import Pick

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(240)]

# From the key's own time stamp to the first task after the frame that shows the next image.
WATCH = """
window.painted = [];
addEventListener("keydown", (press) => {
  const began = press.timeStamp;
  requestAnimationFrame(() => {
    const channel = new MessageChannel();
    channel.port1.onmessage = () => {
      const image = document.querySelector("#stage img");
      const shown = Boolean(image?.complete && image.naturalWidth);
      window.painted.push([performance.now() - began, Number(image?.dataset.item ?? -1), shown]);
    };
    channel.port2.postMessage(0);
  });
}, true);
"""
PRESSES, SPACING = 300, 0.06
AHEAD = 60
"""Images beyond those that are labelled: a tab alone has half of what is left, and keys come faster than images do."""


def _measure(page: Page, tools: Any, keys: str) -> tuple[float, float, list[Any]]:
    page.wait_for_selector("#stage img")
    page.wait_for_timeout(1500)
    page.evaluate(WATCH)
    tools.press(page, keys, SPACING)
    page.wait_for_timeout(300)
    painted = page.evaluate("window.painted")
    took = sorted(one[0] for one in painted)
    return statistics.median(took), took[int(len(took) * 0.95)], painted


def _keys(count: int, tools: Any) -> tuple[str, list[str]]:
    places = random.Random(3).choices(range(len(tools.CLASSES)), k=count)
    return "".join(str(at + 1) for at in places), [tools.CLASSES[at] for at in places]


def test_a_press_paints_the_next_image_at_once(serve: Any, opened: Any, tools: Any, record_property: Any) -> None:
    site = serve(PRESSES + AHEAD)
    page = opened(site)
    keys, labels = _keys(PRESSES, tools)
    median, late, painted = _measure(page, tools, keys)
    print(f"\nkey press to next image painted: median {median:.1f} ms, 95th percentile {late:.1f} ms")
    tools.settled(page)
    assert site.told() == list(enumerate(labels))  # none lost, order kept: ranks and items rise together
    assert all(shown and item > number for number, (_, item, shown) in enumerate(painted))
    assert len(painted) == PRESSES
    assert median <= 16
    assert late <= 50


@contextmanager
def _training(root: Path, env: dict[str, str]) -> Iterator[None]:
    """A network being trained on both cores, as politely as the loop does it."""
    code = (
        "import os, torch; os.nice(15); torch.set_num_threads(2)\n"
        "from pickwell import models\n"
        "net = models.load('resnet18', 10, image_size=64)\n"
        "step = torch.optim.Adam(net.parameters())\n"
        "print('begun', flush=True)\n"
        "while True:\n"
        "    step.zero_grad(); net(torch.rand(32, 3, 64, 64)).logsumexp(1).mean().backward(); step.step()\n"
    )
    process = subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, text=True, cwd=root, env=env)
    assert process.stdout is not None
    assert process.stdout.readline() == "begun\n"
    yield
    assert process.poll() is None
    process.kill()
    process.wait()
    process.stdout.close()


def test_the_page_stays_quick_while_a_fit_trains(serve: Any, opened: Any, tools: Any, tmp_path: Path) -> None:
    site = serve(PRESSES + AHEAD)
    page = opened(site)
    keys, labels = _keys(PRESSES, tools)
    with _training(tmp_path, tools.environment()):
        median, late, _ = _measure(page, tools, keys)
    print(f"\nwhile a fit trains: median {median:.1f} ms, 95th percentile {late:.1f} ms")
    tools.settled(page)
    assert site.told() == list(enumerate(labels))
    assert late <= 150


@pytest.mark.timeout(600)
def test_four_annotators_share_a_round(serve: Any, opened: Any, tools: Any) -> None:
    site = serve(1000, 96, 72)
    names = ("anna", "ben", "chris", "dana")
    pages = [opened(site, name) for name in names]
    for page in pages:
        page.wait_for_selector("#stage img")
    end, left = time.monotonic() + 400, 1000
    while time.monotonic() < end and left:
        for page in pages:
            tools.press(page, "12345", 0.03)  # a key where no image is shown says nothing
        left = 1000 - len(site.told())
    for page in pages:
        tools.settled(page)
    with site.store() as store:
        entries = list(store.log())
        assert store.current() is None
    assert sorted(entry.item for entry in entries) == list(range(1000))
    shares = {name: sum(entry.annotator == name for entry in entries) for name in names}
    print(f"\nlabels by annotator: {shares}")
    assert min(shares.values()) > 150


def test_a_new_name_gives_back_what_the_old_one_held(serve: Any, opened: Any, tools: Any, browser: Any) -> None:
    site = serve(12, 96, 72)
    page = browser.new_context().new_page()
    page.goto(site.url)
    page.wait_for_selector("#stage img")
    page.on("dialog", lambda dialog: dialog.accept("Ada"))
    page.click("#annotator")
    expect(page.locator("#annotator")).to_have_text("Ada")
    for number in range(12):
        expect(page.locator("#stage img")).to_have_js_property("complete", value=True)
        page.keyboard.press("1")
        expect(page.locator("#strip li")).to_have_count(number + 1)
    tools.settled(page)
    page.context.close()
    with site.store() as store:
        assert [entry.annotator for entry in store.log()] == ["Ada"] * 12


def test_a_round_drawn_at_random_shows_no_scores_and_counts_each_press(serve: Any, opened: Any, tools: Any) -> None:
    site = serve(60, 32, 24, picks=1)
    with site.store() as store:
        store.close_round(1)
        picks = [Pick(item, item, 1 - item / 100) for item in range(1, 60)]
        store.open_round(number=2, strategy="random", seed=0, picks=picks)
    page = opened(site)
    expect(page.locator("#why")).to_have_text("rank 1 of round 2 · drawn at random")
    expect(page.locator("#stage img.small")).to_have_count(1)
    box = page.locator("#stage img").bounding_box()
    assert box is not None
    assert box["width"] == 32 * 12 + 32  # no more than twelve times its size, and the edge
    page.wait_for_timeout(500)
    tools.press(page, "1234567" * 5, 0.06)
    tools.settled(page)
    page.wait_for_timeout(700)
    page.keyboard.press("1")
    tools.settled(page)
    expect(page.locator("#pace")).to_contain_text(f"{len(site.told())} of 59 in round 2")


def test_a_class_named_as_a_key_has_that_key(serve: Any, opened: Any, tools: Any) -> None:
    site = serve(5, 96, 72, **{"task.classes": [*"0123456789", "smudge"]})
    page = opened(site)
    page.wait_for_selector("#stage img")
    page.wait_for_timeout(500)
    tools.press(page, "3071a", 0.1)
    tools.settled(page)
    assert [label for _, label in site.told()] == ["3", "0", "7", "1", "smudge"]


def test_the_leases_of_a_closed_browser_return(serve: Any, opened: Any, tools: Any, browser: Any) -> None:
    site = serve(12, 96, 72, **{"serve.lease_seconds": 10.0})
    gone = browser.new_context().new_page()
    gone.goto(site.url)
    gone.wait_for_selector("#stage img")
    page = opened(site, "ben")
    page.wait_for_selector("#stage img")
    page.wait_for_timeout(500)  # a key for an image that is not shown yet is refused
    tools.press(page, "1" * 8, 0.3)
    page.wait_for_selector("#wait:not([hidden])")
    assert "others have the last images" in page.inner_text("#wait-title").lower()
    gone.evaluate(
        "void (window.fetch = () => new Promise(() => {}))"
    )  # it dies without a word: no release, no heartbeat
    gone.context.close()
    page.wait_for_selector("#stage img", timeout=15_000)
    page.wait_for_timeout(500)
    tools.press(page, "1" * 12, 0.3)
    tools.settled(page)
    assert len(site.told()) == 12


def test_nothing_is_lost_when_the_server_is_killed(serve: Any, opened: Any, tools: Any) -> None:
    kills, burst = 20, 12
    site = serve(kills * burst + AHEAD, 96, 72)
    page = opened(site, offline=True)
    page.wait_for_selector("#stage img")
    page.wait_for_timeout(1000)
    keys, labels = _keys(kills * burst, tools)
    for round_ in range(kills):
        part = keys[round_ * burst : (round_ + 1) * burst]
        tools.press(page, part[: burst // 2], 0.03)
        site.kill(signal.SIGKILL)
        tools.press(page, part[burst // 2 :], 0.03)
        said = page.inner_text("#saved")
        waiting = (
            int(said.split()[0]) if said[0].isdigit() else int(said.split()[1]) if said.startswith("saving") else 0
        )
        assert len(site.told()) >= (round_ + 1) * burst - waiting  # whatever was acknowledged is there
        site.start()
        if round_ % 5 == 4:
            page.reload()  # what waits is in the browser's storage
        tools.settled(page)
        page.wait_for_selector("#stage img")
        page.wait_for_timeout(2500)  # until enough images are fetched ahead for another burst
    assert [label for _, label in site.told()] == labels
    assert sorted(item for item, _ in site.told()) == list(range(kills * burst))


def test_undo_to_any_depth_by_keyboard(serve: Any, opened: Any, tools: Any) -> None:
    site = serve(20, 96, 72)
    page = opened(site)
    page.wait_for_selector("#stage img")
    tools.press(page, "123456789", 0.02)
    for _ in range(9):
        page.keyboard.press("Backspace")
    tools.settled(page)
    assert page.get_attribute("#stage img", "data-item") == "0"
    with site.store() as store:
        assert len(store.labels()) == 0
    tools.press(page, "9", 0.02)
    page.keyboard.press("ArrowLeft")
    page.keyboard.press("2")  # a correction, from the history
    tools.settled(page)
    with site.store() as store:
        assert store.labels().values == ["flower"]
    page.keyboard.press("Control+z")
    tools.settled(page)
    with site.store() as store:
        assert store.labels().values == ["water"]


def test_many_classes_are_found_by_name(serve: Any, opened: Any, tools: Any) -> None:
    names = [f"{word} {number}" for number in range(64) for word in ("owl", "eagle", "heron", "wren")]
    site = serve(6, 96, 72, **{"task.classes": names})
    page = opened(site)
    page.wait_for_selector("#stage img")
    for words in ("heron 41", "wren 7", "1"):
        if words != "1":
            page.keyboard.press("/")
        page.keyboard.type(words)
        if words != "1":
            page.keyboard.press("Enter")
    page.keyboard.press(".")
    tools.settled(page)
    assert [label for _, label in site.told()] == ["heron 41", "wren 7", "owl 0", "owl 0"]


def test_the_grid_labels_a_selection_with_one_key(serve: Any, opened: Any, tools: Any) -> None:
    site = serve(30, 96, 72)
    page = opened(site, path="/grid")
    page.wait_for_selector("#tiles li")
    expect(page.locator("#tiles li")).to_have_count(15)  # half of the round: somebody may yet come
    page.click("#tiles li:nth-child(2)")
    page.click("#tiles li:nth-child(5)", modifiers=["Shift"])
    page.keyboard.press("ArrowRight")
    page.keyboard.press("ArrowRight")
    page.keyboard.press("x")
    page.keyboard.press("2")
    tools.settled(page)
    assert sorted(item for item, _ in site.told()) == [1, 2, 3, 4, 6]
    with site.store() as store:
        assert {entry.source for entry in store.log()} == {"grid"}
    page.keyboard.press("Backspace")
    tools.settled(page)
    with site.store() as store:
        assert len(store.labels()) == 0
    assert page.locator("#tiles li").count() >= 15


@pytest.mark.parametrize("path", ["/", "/grid"])
def test_a_page_that_stood_open_for_days_labels(serve: Any, opened: Any, tools: Any, path: str) -> None:
    site = serve(3, 96, 72)
    page = opened(site, path=path)
    page.wait_for_selector("#stage img, #tiles li")
    page.wait_for_timeout(500)
    page.evaluate("void (performance.now = () => 3e8)")
    tools.press(page, "1" if path == "/" else "x1", 0.1)
    tools.settled(page)
    with site.store() as store:
        assert [(entry.item, entry.seconds) for entry in store.log()] == [(0, 86_400)]


def test_enter_follows_the_link_that_has_the_focus(serve: Any, opened: Any) -> None:
    site = serve(3, 96, 72)
    page = opened(site)
    page.wait_for_selector("#stage img")
    page.focus("nav a[href='/dashboard']")
    page.keyboard.press("Enter")
    page.wait_for_url(f"{site.url}/dashboard")


def test_every_page_is_quiet(serve: Any, opened: Any) -> None:
    """No error in the console, no request to another host: what the fixture watches for."""
    site = serve(8, 96, 72)
    for path in ("/", "/grid", "/dashboard", "/docs"):
        page = opened(site, path=path)
        page.wait_for_load_state("networkidle" if path == "/docs" else "load")
        page.wait_for_timeout(500)
        assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
        page.set_viewport_size({"width": 390, "height": 844})
        assert page.evaluate("document.documentElement.scrollWidth <= innerWidth"), path


def test_a_million_images(tmp_path: Path, opened: Any, tools: Any) -> None:
    import numpy as np
    import pyarrow as pa

    from pickwell.data.manifest import ROWS, Manifest
    from pickwell.data.pool import Pool

    count = 1_000_000
    tools.photographs(tmp_path / "photographs", 4, 640, 480)

    def pool(where: Path) -> None:
        Pool.create(where, tmp_path / "photographs")
        (where / "manifest.parquet").unlink()
        names = pa.array([f"camera-{n // 5000:03d}/2026-11-22/frame-{n:07d}.jpg" for n in range(count)])
        paths = pa.array([f"{n % 4:04d}.jpg" for n in range(4)]).take(pa.array(np.arange(count) % 4))
        numbers = {"source": np.zeros(count), "width": np.full(count, 640), "height": np.full(count, 480)}
        columns = {"name": names, "path": paths, "row": pa.nulls(count), "known": pa.nulls(count), **numbers}
        fields = pa.schema([field for field in ROWS if field.name in columns])
        Manifest.write(where / "manifest.parquet", pa.table(columns).select(fields.names).cast(fields))

    site = tools.campaign(tmp_path / "campaign", pool, 1000)
    site.start()
    try:
        page: Page = opened(site, offline=True)
        page.wait_for_selector("#stage img")
        page.evaluate("document.querySelector('#stage img').decode()")
        first = page.evaluate("performance.now()") / 1000  # since the browser set out for the page
        tools.press(page, "12345" * 6, 0.06)
        tools.settled(page)
        opened(site, "ben", "/dashboard", offline=True).wait_for_selector("#gallery li")
        memory = site.memory()
        print(f"\n1,000,000 images: first image shown after {first:.2f} s, server {memory:.0f} MiB")
        assert first <= 1
        assert memory <= 300
    finally:
        site.kill(signal.SIGTERM)


def test_the_next_round_appears_without_a_reload(tmp_path: Path, opened: Any, tools: Any) -> None:
    """The real loop: init, label a round by keyboard, and the model is trained and picks in another process."""
    tools.photographs(tmp_path / "photographs", 60, 48, 48)
    order = [sys.executable, "-m", "pickwell"]
    root = tmp_path / "campaign"
    settings = {"training.epochs": 2, "model.image_size": 16, "strategy.name": "random", "loop.budget": 10}
    sets = [part for key, value in settings.items() for part in ("--set", f"{key}={value}")]
    made = [*order, "init", str(root), "--images", str(tmp_path / "photographs"), "--classes", ",".join(tools.CLASSES)]
    subprocess.run([*made, *sets], check=True, capture_output=True)
    site = tools.Site(root)
    site.start()
    try:
        page: Page = opened(site, offline=True)
        for number in (1, 2, 3):
            expect(page.locator("#why")).to_contain_text(f"round {number}", timeout=60_000)
            page.wait_for_timeout(500)
            tools.press(page, _keys(10, tools)[0], 0.06)
            tools.settled(page)
        with site.store() as store:
            assert len(store.labels()) == 30
            assert [result.labels for result in store.results() if result.metric == "accuracy"][:2] == [10, 20]
        opened(site, "anna", "/dashboard", offline=True).wait_for_selector("#curve svg", timeout=30_000)
    finally:
        site.kill(signal.SIGTERM)
