import io
import os
import re
from pathlib import Path
from typing import Any
from zlib import crc32

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image

from pickwell.data.layouts import CAMVID, layout
from pickwell.data.mask_files import MaskFiles
from pickwell.data.pool import Pool
from pickwell.errors import LabelError, PoolError, SettingsError
from pickwell.tasks.segmentation.label_maps import encode

SIZE = (24, 16)


def mask_of(number: int, high: int = 4) -> NDArray[np.uint8]:
    """Values 0 to `high` - 1, another pattern for each number."""
    y, x = np.mgrid[0 : SIZE[1], 0 : SIZE[0]]
    return np.array((x // 5 + y // 7 + number) % high, dtype=np.uint8)


def write(root: Path, names: list[str], *, masks: Path | None = None, high: int = 4) -> None:
    """Images under these names and, in the folder `masks`, a mask for each."""
    for number, name in enumerate(names):
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        # Each image another: copies would be one.
        Image.new("RGB", SIZE, tuple(crc32(f"{root.name}/{name}".encode()).to_bytes(4))[1:]).save(path)
        if masks:
            mask = (masks / name).with_suffix(".png")
            mask.parent.mkdir(parents=True, exist_ok=True)
            mask.write_bytes(encode(mask_of(number, high)))


NAMES = ["1.jpg", "2.png", "3.left.jpg", "a/1.jpg", "a/10.bmp"]


@pytest.fixture
def town(tmp_path: Path) -> Path:
    write(tmp_path / "images", NAMES, masks=tmp_path / "masks")
    return tmp_path


def made(town: Path, classes: int = 3, void: tuple[int, ...] = (3,), **options: Any) -> Pool:
    return Pool.create(town / "pool", town / "images", masks=MaskFiles(town / "masks", classes, void), **options)


def test_masks_are_found_by_stem_and_read_with_void_ignored(town: Path) -> None:
    pool = made(town)
    assert str(pool.summary) == "5 images added, 5 of them with a mask, 5 in the pool"
    assert pool.manifest.known() == ["1.png", "2.png", "3.left.png", "a/1.png", "a/10.png"]
    opened = Pool.open(town / "pool")
    for item in range(5):
        wanted = np.where(mask_of(item) == 3, 255, mask_of(item))
        assert np.array_equal(opened.mask(item), wanted)
        assert opened.mask(item).dtype == np.uint8


def test_a_void_value_among_the_classes_moves_those_above_it(town: Path) -> None:
    pool = made(town, 3, (1,))
    wanted = np.array([0, 255, 1, 2], np.uint8)[mask_of(4)]
    assert np.array_equal(pool.mask(4), wanted)


def test_an_image_without_a_mask_stays_and_a_mask_without_an_image_is_nothing(town: Path) -> None:
    (town / "masks/2.png").unlink()
    (town / "masks/none.png").write_bytes(b"never read")
    pool = made(town)
    assert str(pool.summary) == "5 images added, 4 of them with a mask, 5 in the pool"
    assert pool.item(1).known is None
    with pytest.raises(LabelError, match=r"the image '2\.png' \(item 1\) has no known mask"):
        pool.mask(1)


def test_masks_inside_the_images_folder_are_no_images(tmp_path: Path) -> None:
    write(tmp_path / "images", NAMES, masks=tmp_path / "images/labels/fine")
    pool = Pool.create(tmp_path / "pool", tmp_path / "images", masks=MaskFiles(tmp_path / "images/labels/fine", 4))
    assert pool.manifest.names() == NAMES
    assert pool.manifest.known()[3] == "a/1.png"


def test_an_image_is_turned_upright_and_its_mask_must_be(town: Path) -> None:
    turned = Image.Exif()
    turned[0x0112] = 6
    for name in ("1.jpg", "a/1.jpg"):
        Image.new("RGB", SIZE).save(town / "images" / name, exif=turned)
    (town / "masks/1.png").write_bytes(encode(mask_of(0).T))
    pool = made(town)
    assert pool.mask(0).shape == (SIZE[0], SIZE[1])
    assert pool.set_aside() == [
        (
            "a/1.jpg",
            "mask of another size",
            "the mask is 24 x 16 pixels, its image 16 x 24; draw it on the image as it is seen upright, at full size",
        )
    ]


def spoilt(mask: Any, **settings: Any) -> bytes:
    out = io.BytesIO()
    Image.fromarray(mask).save(out, "PNG", **settings)
    return out.getvalue()


WRONG = mask_of(0)
WRONG[2, 3:15] = 37
WRONG[0, 0] = 40
BAD = [
    (WRONG, "mask with values outside the class list", "has the values 37 (12 pixels), 40 (1 pixels); the class list"),
    (mask_of(0)[:, 1:], "mask of another size", "the mask is 23 x 16 pixels, its image 24 x 16"),
    (np.repeat(mask_of(0)[..., None], 3, axis=2), "unreadable mask", "the mask is RGB; a mask is a grey or palette"),
    (b"", "unreadable mask", "the mask is no PNG"),
    (encode(mask_of(0))[:70], "unreadable mask", "the mask is a damaged PNG"),
    (None, "unreadable mask", "not a regular file"),
]


@pytest.mark.parametrize(("mask", "reason", "detail"), BAD)
def test_a_bad_mask_sets_its_image_aside(town: Path, mask: Any, reason: str, detail: str) -> None:
    path = town / "masks/1.png"
    path.unlink()
    if mask is None:
        os.mkfifo(path)
    else:
        path.write_bytes(mask if isinstance(mask, bytes) else spoilt(mask))
    pool = made(town)
    assert pool.summary is not None
    assert (pool.summary.added, pool.summary.masks, pool.summary.reasons) == (4, 4, {reason: 1})
    [(name, why, said)] = pool.set_aside()
    assert (name, why) == ("1.jpg", reason)
    assert detail in said
    assert pool.summary.spoilt == (f"1.jpg: {said}",)
    path.unlink()
    path.write_bytes(encode(mask_of(0)))
    assert pool.add(town / "images").added == 1
    assert np.array_equal(pool.mask(4), np.where(mask_of(0) == 3, 255, mask_of(0)))
    assert pool.set_aside() == []


def test_a_bad_image_is_its_own_reason(town: Path) -> None:
    (town / "images/1.jpg").write_bytes(b"no image")
    pool = made(town)
    assert pool.summary is not None
    assert pool.summary.reasons == {"not an image": 1}
    assert pool.summary.spoilt == ()


def test_a_class_list_that_most_masks_disagree_with_is_wrong(town: Path) -> None:
    sentence = (
        "the class list disagrees with 5 of 5 masks, 1.jpg: the mask has the values 3 (80 pixels); the class list "
        "allows 0 to 2, and 255 for what is to be ignored; correct the list"
    )
    with pytest.raises(LabelError, match=re.escape(sentence)):
        made(town, 3, ())
    assert not (town / "pool/manifest.parquet").exists()
    assert len(made(town, 4, ())) == 5


def test_more_images_with_masks_are_added(town: Path) -> None:
    pool = made(town)
    write(town / "images", ["b/7.jpg"], masks=town / "masks")
    assert (pool.add(town / "images").masks, pool.item(5).known) == (1, "b/7.png")
    write(town / "images", ["b/8.jpg"], masks=town / "masks")
    assert pool.add(town / "images/b").added == 1
    assert (pool.item(6).name, pool.item(6).known) == ("b/8.jpg", "b/8.png")
    write(town / "images", ["b/9.jpg"], masks=town / "masks")
    assert pool.add(town / "images/b", masks=MaskFiles(town / "masks/b", 3, (3,))).masks == 1
    assert np.array_equal(pool.mask(7), np.where(mask_of(0) == 3, 255, mask_of(0)))
    write(town / "more", ["1.jpg"], masks=town / "more-masks", high=2)
    pool.add(town / "more", masks=MaskFiles(town / "more-masks", 3, (3,)))
    assert pool.item(8).name == "more/1.jpg"
    assert np.array_equal(Pool.open(town / "pool").mask(8), mask_of(0, 2))


def test_a_folder_around_one_with_masks_brings_the_others(town: Path) -> None:
    pool = Pool.create(town / "pool", town / "images/a", masks=MaskFiles(town / "masks/a", 3, (3,)))
    summary = pool.add(town / "images", masks=MaskFiles(town / "masks", 3, (3,)))
    assert (summary.added, summary.already, summary.masks) == (3, 2, 3)
    assert pool.manifest.known() == ["1.png", "10.png", "1.png", "2.png", "3.left.png"]
    assert np.array_equal(pool.mask(0), np.where(mask_of(3) == 3, 255, mask_of(3)))
    assert np.array_equal(pool.mask(2), np.where(mask_of(0) == 3, 255, mask_of(0)))


def test_a_source_keeps_the_masks_it_has(town: Path) -> None:
    write(town / "other", NAMES, masks=town / "other-masks")
    pool = made(town)
    with pytest.raises(PoolError, match=r"are in the pool already, with masks at '.*/masks', not at '.*/other-masks'"):
        pool.add(town / "images", masks=MaskFiles(town / "other-masks", 3, (3,)))
    plain = Pool.create(town / "plain", town / "other")
    with pytest.raises(PoolError, match="are in the pool already, without masks; tell their masks"):
        plain.add(town / "other", masks=MaskFiles(town / "other-masks", 3, (3,)))


@pytest.mark.parametrize(
    ("images", "masks", "sentence"),
    [
        ("images", "nowhere", "there is no such folder; name the folder of the mask files"),
        ("images", "images", "images and masks are both in"),
        ("images", "empty", "the mask of a/b.jpg is a/b.png: name another folder"),
        ("digits", "masks", "segmentation takes its images from a folder, and 'digits' is none"),
    ],
)
def test_masks_that_cannot_be_found_are_told_of(town: Path, images: str, masks: str, sentence: str) -> None:
    (town / "empty").mkdir()
    where = images if images == "digits" else town / images
    with pytest.raises((PoolError, SettingsError), match=re.escape(sentence)):
        Pool.create(town / "pool", where, masks=MaskFiles(town / masks, 3, (3,)))


def test_a_mask_that_changed_or_went_is_named(town: Path) -> None:
    pool = made(town)
    (town / "masks/1.png").write_bytes(encode(mask_of(0)[1:]))
    with pytest.raises(PoolError, match=r"the mask of '1\.jpg' \(item 0\) can no longer be used: mask of another size"):
        pool.mask(0)
    (town / "masks/1.png").unlink()
    with pytest.raises(PoolError, match="missing file"):
        pool.mask(0)


def test_the_layout_of_camvid(tmp_path: Path) -> None:
    for part in ("train", "test", "val"):
        write(tmp_path / part, ["0001TP_006690.png", "Seq05VD_f00000.png"], masks=tmp_path / f"{part}annot")
    whole = layout(tmp_path, None, "train")
    assert whole.camvid
    assert whole == (tmp_path / "train", tmp_path / "trainannot")
    assert layout(tmp_path, None, "test") == (tmp_path / "test", tmp_path / "testannot")
    assert layout(tmp_path / "val", None, "train") == (tmp_path / "val", tmp_path / "valannot")
    assert layout(tmp_path / "val", tmp_path / "x", "train") == (tmp_path / "val", tmp_path / "x")
    assert layout(tmp_path / "none", None, "train") == (tmp_path / "none", None)
    write(tmp_path / "train", ["my own.png"], masks=tmp_path / "trainannot")
    assert not layout(tmp_path, None, "train").camvid
    assert len(CAMVID) == 11
