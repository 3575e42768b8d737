"""Vectors of the whole pool: made once, kept on disk, the same whether they were kept or not."""

import errno
import shutil
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image
from torch import Tensor

from pickwell.items import Round
from pickwell.loop.campaign import Campaign
from pickwell.loop.pool_vectors import PoolVectors
from pickwell.strategies import Stream
from pickwell.testing import FakeStream

PATCHES = "pickwell.strategies.vaal.representations.learn"


@pytest.fixture
def diverse(campaign: Campaign) -> Iterator[Campaign]:
    """A campaign whose next question is asked by vaal-diverse."""
    settings = campaign.directory.settings
    settings.write_text(settings.read_text().replace('name = "vaal"', 'name = "vaal-diverse"'))
    with Campaign(campaign.directory.root) as opened:
        opened.tell({item: str(opened.pool.item(item).known) for item in range(30)}, imported=True)
        yield opened


def learnt(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """Counts how often patch features are learnt, and from how many images."""
    from pickwell.acquisition.patch_features import PatchFeatures, learn

    seen: list[int] = []

    def counted(images: Tensor, rng: torch.Generator) -> PatchFeatures:
        seen.append(len(images))
        return learn(images, rng)

    monkeypatch.setattr(PATCHES, counted)
    return seen


def answered(campaign: Campaign, question: Round) -> list[tuple[int, float]]:
    campaign.tell({pick.item: str(campaign.pool.item(pick.item).known) for pick in question.picks})
    return [(pick.item, pick.score) for pick in question.picks]


def test_patches_are_learnt_once_and_picks_do_not_depend_on_it(
    diverse: Campaign, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    shutil.copytree(diverse.directory.root, tmp_path / "other")
    seen = learnt(monkeypatch)
    kept = [answered(diverse, diverse.ask(5)) for _ in range(3)]
    assert seen == [1797]
    with Campaign(tmp_path / "other") as other:
        anew = []
        for _ in range(3):
            anew.append(answered(other, other.ask(5)))
            shutil.rmtree(other.directory.vectors)
    assert len(seen) == 4
    assert anew == kept


def test_a_pool_that_grew_is_learnt_from_anew(
    diverse: Campaign, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen = learnt(monkeypatch)
    answered(diverse, diverse.ask(5))
    (old,) = diverse.directory.vectors.iterdir()
    (tmp_path / "more").mkdir()
    Image.new("L", (20, 20), 90).save(tmp_path / "more" / "one.png")
    diverse.add(tmp_path / "more")
    answered(diverse, diverse.ask(5))
    assert seen == [1797, 1798]
    (new,) = diverse.directory.vectors.iterdir()
    assert new != old
    assert len(np.load(new)) == 1798


class Counted:
    """Makes vectors out of ids and one random number, in parts of two rows; counts how often."""

    def __init__(self) -> None:
        self.times = 0

    def __call__(self, pool: Stream, rng: torch.Generator) -> Iterator[Tensor]:
        self.times += 1
        number = torch.rand((), generator=rng)
        for ids in pool.ids().split(2):
            yield torch.stack((ids.float(), number.expand(len(ids))), dim=1)


def vectors(folder: Path, *, seed: int = 0, facts: tuple[object, ...] = (), count: int = 5) -> PoolVectors:
    return PoolVectors(
        folder / "vectors", FakeStream(torch.zeros(count, 3, 8, 8), torch.arange(count)), count, seed, facts
    )


def test_rows_are_items(tmp_path: Path) -> None:
    make = Counted()
    rows = vectors(tmp_path).get("some", make)
    assert isinstance(rows, np.memmap)
    assert rows[:, 0].tolist() == [0, 1, 2, 3, 4]
    assert np.array_equal(vectors(tmp_path).get("some", make), rows)
    assert make.times == 1


@pytest.mark.parametrize("other", [{"seed": 1}, {"facts": ("size", 16)}, {"count": 6}])
def test_what_can_change_them_makes_them_anew(tmp_path: Path, other: dict[str, object]) -> None:
    make = Counted()
    before = np.array(vectors(tmp_path).get("some", make))
    vectors(tmp_path).get("others", make)
    after = vectors(tmp_path, **other).get("some", make)  # type: ignore[arg-type]
    assert make.times == 3
    assert (after[0, 1] != before[0, 1]) == ("seed" in other)
    assert len(list((tmp_path / "vectors").glob("some-*"))) == len(list((tmp_path / "vectors").glob("others-*"))) == 1


@pytest.mark.parametrize("damage", [b"", b"half", None])
def test_a_damaged_file_is_made_anew(tmp_path: Path, damage: bytes | None) -> None:
    make = Counted()
    rows = np.array(vectors(tmp_path).get("some", make))
    (path,) = (tmp_path / "vectors").iterdir()
    whole = path.read_bytes()
    path.write_bytes(whole[:-4] if damage is None else damage)
    assert np.array_equal(vectors(tmp_path).get("some", make), rows)
    assert path.read_bytes() == whole
    assert make.times == 2


def test_a_full_disk_is_told_of_and_leaves_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr("os.fsync", full)
    with pytest.raises(OSError, match=r"No space left on device: '.*some-.*\.npy'"):
        vectors(tmp_path).get("some", Counted())
    assert not list((tmp_path / "vectors").iterdir())
