from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray
from starlette.testclient import TestClient

from pickwell.acquisition.projection import Projection
from pickwell.campaign.latent_maps import Maps

POINTS = np.array([[-1, 0], [3, 2], [1, 1], [0, -2]], np.float32)
SCORES = np.array([0.5, 0.25, 1, np.nan], np.float32)
MAP = Projection(np.array([0, 3, 5, 9]), POINTS, SCORES, np.array([False, False, False, True]))


def unpacked(data: bytes) -> tuple[list[int], NDArray[np.float32], list[int]]:
    n = int(np.frombuffer(data, "<u4", 1)[0])
    columns = np.frombuffer(data, "<f4", 3 * n, 4 + 4 * n).reshape(3, n)
    assert len(data) == 4 + 17 * n
    return np.frombuffer(data, "<u4", n, 4).tolist(), columns, np.frombuffer(data, "u1", n, 4 + 16 * n).tolist()


def test_a_map_goes_to_the_browser_with_the_picks_on_top(client: TestClient, root: Path) -> None:
    assert client.get("/api/rounds/1/map").status_code == 404
    assert client.get("/api/rounds/2/map").status_code == 409
    (root / "rounds").mkdir()
    Maps(root / "rounds").write(1, MAP)
    answer = client.get("/api/rounds/1/map")
    assert answer.headers["content-type"] == "application/octet-stream"
    items, (x, y, score), state = unpacked(answer.content)
    # Round 1 asks for 0 to 9: all but item 9's label is a pick; item 9 was asked again.
    assert (items, state) == ([0, 3, 5, 9], [2, 2, 2, 2])
    assert (x.tolist(), y.tolist()) == ([0, 1, 0.5, 0.25], [0.5, 1, 0.75, 0])
    assert score.tolist()[:3] == [0.5, 0.25, 1]
    assert client.get("/api/dashboard").json()["maps"] == [1]


def test_what_was_labelled_lies_above_the_rest(tmp_path: Path) -> None:
    Maps(tmp_path).write(7, MAP)
    data = Maps(tmp_path).of(7, np.array([3]))
    assert data is not None
    items, _, state = unpacked(data)
    assert (items, state) == ([0, 5, 9, 3], [0, 0, 1, 2])


@pytest.mark.parametrize("damage", ["cut", "empty", "text", "pickle", "short", "nan"])
def test_a_map_that_cannot_be_read_is_none(tmp_path: Path, damage: str) -> None:
    Maps(tmp_path).write(1, MAP)
    path = tmp_path / "0001.latents.npz"
    columns = {"items": MAP.items, "points": MAP.points, "scores": MAP.scores, "labelled": MAP.labelled}
    if damage == "cut":
        path.write_bytes(path.read_bytes()[:300])
    elif damage in ("empty", "text"):
        path.write_bytes(b"" if damage == "empty" else b"items")
    else:
        broken = {
            "pickle": {"items": np.array([{}] * 4, object)},
            "short": {"scores": SCORES[:2]},
            "nan": {"points": POINTS * np.nan},
        }[damage]
        np.savez(path, **{**columns, **broken})  # type: ignore[arg-type]
    assert Maps(tmp_path).of(1, np.array([3])) is None


def test_a_full_disk_keeps_no_round_from_opening(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    (tmp_path / "rounds").write_text("no folder")
    Maps(tmp_path / "rounds").write(1, MAP)
    assert "round 1 has no map" in caplog.text
