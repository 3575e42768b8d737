"""A small campaign without any network, and a client of its page."""

import io
import uuid
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from httpx2 import Response
from PIL import Image
from starlette.testclient import TestClient

from pickwell.campaign.directory import Directory
from pickwell.config import Settings
from pickwell.data.pool import Pool
from pickwell.items import Pick
from pickwell.store import Store
from pickwell.web import Desk, create_app

HOST = "testserver"


def photograph(number: int, width: int = 40, height: int = 30) -> bytes:
    """A JPEG that differs with its number."""
    pixels = np.random.default_rng(number).integers(0, 256, (height, width, 3), dtype=np.uint8)
    out = io.BytesIO()
    Image.fromarray(pixels).save(out, "JPEG", quality=80)
    return out.getvalue()


def make_campaign(root: Path, images: int = 12, **settings: Any) -> Path:
    """A campaign of so many images, made without torch."""
    folder = root / "images"
    folder.mkdir(parents=True)
    for number in range(images):
        (folder / f"{number:03d}.jpg").write_bytes(photograph(number))
    directory = Directory(root / "campaign")
    directory.root.mkdir()
    Pool.create(directory.pool, folder)
    values = {"name": "owls", "task": {"classes": ["barn", "eagle", "snowy"]}}
    chosen = Settings.parse(values).changed({"loop.when": "hand", **settings})
    directory.settings.write_text(chosen.toml(), encoding="utf-8")
    with Store.open(directory.url(chosen), create=True) as store:
        store.create_campaign(name=chosen.name, seed=0, settings=chosen.dump(), versions={})
    return directory.root


def open_round(store: Store, items: range, number: int = 1) -> None:
    picks = [Pick(item, rank, 1 - rank / 100, held_out=rank == 3) for rank, item in enumerate(items, 1)]
    store.open_round(
        number=number, strategy="vaal", seed=0, picks=picks, monitors={"active_units": 3, "loss": float("nan")}
    )


@pytest.fixture
def make(tmp_path: Path) -> Callable[..., Path]:
    """Makes a campaign of so many images, with settings of one's choice."""

    def make(images: int = 12, **settings: Any) -> Path:
        return make_campaign(tmp_path, images, **settings)

    return make


@pytest.fixture
def root(make: Callable[..., Path]) -> Path:
    return make()


@pytest.fixture
def desk(root: Path) -> Iterator[Desk]:
    opened = Desk(root)
    yield opened
    opened.close()


@pytest.fixture
def client(desk: Desk) -> Iterator[TestClient]:
    open_round(desk.store, range(10))
    with TestClient(create_app(desk, hosts=(HOST,)), raise_server_exceptions=True) as opened:
        yield opened


Post = Callable[..., Response]


@pytest.fixture
def post(client: TestClient) -> Post:
    """Posts as anna at tab t1, with an event of its own where one is needed."""

    def post(path: str, **body: Any) -> Response:
        common = {"annotator": "anna", "tab": "t1"}
        if path in ("answer", "skip", "ignore", "undo", "remark"):
            common["event"] = uuid.uuid4().hex
        return client.post(f"/api/{path}", json={**common, **body})

    return post
