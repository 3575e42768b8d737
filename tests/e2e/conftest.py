"""A real server, real photographs and headless Chromium."""

import io
import json
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image
from playwright.sync_api import Browser, BrowserContext, Page, expect, sync_playwright

from pickwell.campaign.directory import Directory
from pickwell.config import Settings
from pickwell.data.pool import Pool
from pickwell.items import Pick
from pickwell.store import Store

ARGS = ["--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run"]
ARGS += ["--disable-background-networking", "--disable-component-update", "--disable-sync", "--disable-dev-shm-usage"]
CLASSES = ["boat", "flower", "house", "person", "roof", "sky", "tree", "wall", "water"]


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    path = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
    if path is None:
        pytest.skip("no Chromium: apt-get install chromium")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=ARGS)
        yield browser
        browser.close()


def photographs(folder: Path, count: int, width: int, height: int) -> None:
    """So many JPEGs, each another part of one of scikit-learn's two photographs."""
    from sklearn.datasets import load_sample_images

    folder.mkdir(parents=True)
    whole = [Image.fromarray(image) for image in load_sample_images().images]
    rng = np.random.default_rng(0)
    for number in range(count):
        image = whole[number % len(whole)]
        side = rng.uniform(0.4, 0.95)
        wide, high = side * image.width, side * image.width * height / width
        high = min(high, image.height)
        left, top = rng.uniform(0, image.width - wide), rng.uniform(0, image.height - high)
        part = image.resize((width, height), Image.Resampling.BICUBIC, (left, top, left + wide, top + high))
        out = io.BytesIO()
        part.save(out, "JPEG", quality=88)
        (folder / f"{number:04d}.jpg").write_bytes(out.getvalue())


@dataclass
class Site:
    """A campaign and its server, which can be killed and started again at the same address."""

    root: Path
    url: str = ""
    process: "subprocess.Popen[str] | None" = field(default=None, repr=False)

    def start(self) -> None:
        port = self.url.rpartition(":")[2] or "0"
        order = [sys.executable, "-m", "pickwell", "serve", str(self.root), "--port", port, "--json"]
        self.process = subprocess.Popen(order, stdout=subprocess.PIPE, text=True)
        assert self.process.stdout is not None
        self.url = json.loads(self.process.stdout.readline())["url"]

    def kill(self, how: signal.Signals = signal.SIGKILL) -> None:
        assert self.process is not None
        assert self.process.stdout is not None
        self.process.send_signal(how)
        self.process.wait(timeout=20)
        self.process.stdout.close()
        self.process = None

    def store(self) -> Store:
        directory = Directory(self.root)
        return Store.open(directory.url(Settings.read(directory.settings)))

    def told(self) -> list[tuple[int, str | None]]:
        """Items and labels in the order in which they were kept."""
        with self.store() as store:
            return [(entry.item, entry.value) for entry in store.log()]

    def memory(self) -> float:
        """What the server holds in memory, in MiB."""
        assert self.process is not None
        text = Path(f"/proc/{self.process.pid}/status").read_text()
        return int(text.split("VmRSS:")[1].split()[0]) / 1024


def campaign(root: Path, make_pool: Callable[[Path], object], picks: int, **settings: Any) -> Site:
    """A campaign with an open round of so many picks."""
    directory = Directory(root)
    directory.root.mkdir(parents=True)
    make_pool(directory.pool)
    values = {"name": root.name, "task": {"classes": CLASSES}}
    chosen = Settings.parse(values).changed({"loop.when": "hand", **settings})
    directory.settings.write_text(chosen.toml(), encoding="utf-8")
    with Store.open(directory.url(chosen), create=True) as store:
        store.create_campaign(name=chosen.name, seed=0, settings=chosen.dump(), versions={})
        asked = [Pick(item, item + 1, 1 - item / 10_000) for item in range(picks)]
        store.open_round(number=1, strategy="vaal", seed=0, picks=asked)
    return Site(root)


Serve = Callable[..., Site]


@pytest.fixture
def serve(tmp_path: Path) -> Iterator[Serve]:
    """Makes and serves a campaign of photographs."""
    sites: list[Site] = []

    def serve(images: int, width: int = 640, height: int = 480, *, picks: int | None = None, **settings: Any) -> Site:
        photographs(tmp_path / "photographs", images, width, height)
        site = campaign(
            tmp_path / "campaign", lambda pool: Pool.create(pool, tmp_path / "photographs"), picks or images, **settings
        )
        sites.append(site)
        site.start()
        return site

    yield serve
    for site in sites:
        if site.process is not None:
            site.kill(signal.SIGTERM)


@pytest.fixture
def opened(browser: Browser) -> Iterator[Callable[..., Page]]:
    """Opens a page in a context of its own, under an annotator's name; errors and requests elsewhere fail the test."""
    contexts: list[BrowserContext] = []
    faults: list[str] = []

    def opened(site: Site, name: str = "anna", path: str = "/", *, offline: bool = False, **options: Any) -> Page:
        context = browser.new_context(viewport={"width": 1440, "height": 900}, **options)
        contexts.append(context)
        context.add_init_script(f"localStorage.setItem('pickwell/{site.root.name}/name', {json.dumps(name)})")
        page = context.new_page()
        page.on("pageerror", lambda error: faults.append(str(error)))
        page.on("request", lambda request: None if request.url.startswith(site.url) else faults.append(request.url))
        if not offline:
            page.on("console", lambda said: faults.append(said.text) if said.type in ("error", "warning") else None)
        page.goto(site.url + path)
        return page

    yield opened
    for context in contexts:
        context.close()
    assert faults == []


@pytest.fixture
def tools() -> Any:
    """What this file holds, for tests."""
    return sys.modules[__name__]


def press(page: Page, keys: str, spacing: float) -> None:
    """Presses keys at equal times, whatever each press takes."""
    begun = time.perf_counter()
    for number, key in enumerate(keys):
        time.sleep(max(0.0, begun + number * spacing - time.perf_counter()))
        page.keyboard.press(key)


def settled(page: Page) -> None:
    """Waits until everything said is in the store."""
    expect(page.locator("#saved")).to_have_text("all saved", timeout=60_000)


def environment() -> dict[str, str]:
    return {**os.environ, "OMP_NUM_THREADS": "2"}
