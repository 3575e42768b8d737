import io
import re
import zlib
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from PIL import Image

from pickwell.errors import LabelError, StoreError
from pickwell.tasks.segmentation.label_maps import Mask, MaskFolder, check_mask, decode, encode
from pickwell.tasks.segmentation.mask_values import MaskValues

MASKS = arrays(np.uint8, st.tuples(st.integers(1, 40), st.integers(1, 40)), elements=st.integers(0, 255))


def png(values: Any, mode: str, **settings: Any) -> bytes:
    out = io.BytesIO()
    image = values if isinstance(values, Image.Image) else Image.fromarray(values)
    (image if image.mode == mode else image.convert(mode)).save(out, "PNG", **settings)
    return out.getvalue()


@given(mask=MASKS)
def test_what_is_encoded_comes_back(mask: Mask) -> None:
    found = decode(encode(mask))
    assert found.dtype == np.uint8
    assert np.array_equal(found, mask)


@pytest.mark.parametrize(
    "mask",
    [
        np.full((3, 5), 255, np.uint8),
        np.zeros((1, 1), np.uint8),
        np.arange(256, dtype=np.uint8)[None],
        np.arange(256, dtype=np.uint8)[:, None],
        np.eye(300, dtype=np.uint8)[:, ::2],
    ],
    ids=["all ignored", "one pixel", "every value in a row", "every value in a column", "strided"],
)
def test_odd_masks_come_back(mask: Mask, tmp_path: Path) -> None:
    assert np.array_equal(decode(encode(mask)), mask)
    folder = MaskFolder(tmp_path / "masks")
    assert np.array_equal(folder.get(folder.put(mask)), mask)


@pytest.mark.parametrize("bits", [1, 2, 4, 8])
def test_palettes_and_grey_of_few_bits_give_their_numbers(bits: int) -> None:
    values = np.arange(2**bits, dtype=np.uint8).reshape(2, -1)
    palette = Image.fromarray(values).convert("P")
    palette.putdata(values.ravel().tolist())
    palette.putpalette([7 * i % 256 for i in range(768)])
    assert np.array_equal(decode(png(palette, "P", bits=bits)), values)
    assert np.array_equal(decode(grey(values, bits)), values)


def grey(values: Mask, depth: int, colour: int = 0, extra: bytes = b"") -> bytes:
    """A PNG made by hand: numbers of `depth` bits a pixel."""
    rows = b""
    for row in values.tolist():
        text = "".join(f"{v:0{depth}b}" for v in row)
        text += "0" * (-len(text) % 8)
        rows += b"\0" + bytes(int(text[i : i + 8], 2) for i in range(0, len(text), 8))
    height, width = values.shape
    chunks = head(depth, width, height, colour) + extra + chunk(b"IDAT", zlib.compress(rows)) + chunk(b"IEND", b"")
    return b"\x89PNG\r\n\x1a\n" + chunks


def head(depth: int, width: int, height: int, colour: int = 0) -> bytes:
    return chunk(b"IHDR", width.to_bytes(4, "big") + height.to_bytes(4, "big") + bytes([depth, colour, 0, 0, 0]))


def chunk(kind: bytes, data: bytes) -> bytes:
    return len(data).to_bytes(4, "big") + kind + data + zlib.crc32(kind + data).to_bytes(4, "big")


SCENE = np.arange(12, dtype=np.uint8).reshape(3, 4)
EXIF = b"II*\0\x08\0\0\0\x01\0\x12\x01\x03\0\x01\0\0\0\x06\0\0\0\0\0\0\0"
BOMB = head(8, 60_000, 60_000)


@pytest.mark.parametrize(
    ("data", "sentence"),
    [
        (b"", "the mask is no PNG (it begins with b'')"),
        (b"\xff\xd8\xff\xe0 jpeg", "the mask is no PNG"),
        (b"\x89PNG\r\n\x1a\n", "the mask is no PNG"),
        (png(SCENE, "RGB"), "the mask is RGB; a mask is a grey or palette PNG"),
        (png(SCENE, "RGBA"), "the mask is RGB with transparency"),
        (png(SCENE, "LA"), "the mask is grey with transparency"),
        (png(SCENE.astype(np.uint16), "I;16"), "the mask has 16 bits a pixel"),
        (encode(SCENE)[:50], "the mask is a damaged PNG"),
        (encode(SCENE)[:33], "the mask is a damaged PNG"),
        (b"\x89PNG\r\n\x1a\n" + BOMB, "the mask has 60000 x 60000 pixels; at least 1 and at most 178,956,970"),
        (b"\x89PNG\r\n\x1a\n" + head(8, 0, 0), "the mask has 0 x 0 pixels"),
        (grey(SCENE, 8, extra=chunk(b"eXIf", EXIF)), "the mask is to be turned (EXIF orientation 6)"),
        (grey(SCENE, 8, extra=head(8, 60_000, 60_000)), "the mask is a damaged PNG (it has more than one header)"),
        (grey(SCENE, 8, extra=head(8, 4, 3, colour=2)), "the mask is a damaged PNG (it has more than one header)"),
        (grey(SCENE, 8, extra=chunk(b"acTL", bytes(8))), "the mask is an animated PNG"),
        (grey(SCENE, 8, extra=chunk(b"zTXt", b"a\0\0" + zlib.compress(bytes(1 << 25)))), "the mask is a damaged PNG"),
    ],
)
def test_what_is_no_mask_is_named(data: bytes, sentence: str) -> None:
    with pytest.raises(LabelError, match=re.escape(sentence)):
        decode(data)


def test_a_later_header_does_not_lift_the_bound(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("pickwell.tasks.segmentation.label_maps.PIXELS", 4)
    later = grey(np.zeros((40, 30), np.uint8), 8)[8:]
    with pytest.raises(LabelError, match="it has more than one header"):
        decode(b"\x89PNG\r\n\x1a\n" + head(8, 2, 2) + later)


def test_a_text_that_names_a_chunk_is_no_chunk() -> None:
    assert np.array_equal(decode(grey(SCENE, 8, extra=chunk(b"tEXt", b"Comment\0no acTL here"))), SCENE)


@given(data=st.binary(max_size=60), at=st.integers(0, 80))
def test_damage_ends_in_a_sentence_or_a_mask_of_the_same_shape(data: bytes, at: int) -> None:
    whole = encode(SCENE)
    try:
        found = decode(whole[:at] + data + whole[at + len(data) :])
    except LabelError as error:
        assert str(error).startswith("the mask ")  # noqa: PT017
    else:
        assert found.ndim == 2


def test_wrong_values_are_counted() -> None:
    mask = np.zeros((4, 5), np.uint8)
    mask[0] = [10, 11, 37, 37, 255]
    check_mask(mask, (5, 4), 38)
    with pytest.raises(LabelError, match=re.escape("item 3: the mask has the values 37 (2 pixels), 11 (1 pixels); ")):
        check_mask(mask, (5, 4), 11, "item 3: ")
    with pytest.raises(LabelError, match=re.escape("allows 0 to 10, and 11 and 255 for what is to be ignored")):
        MaskValues(11, (11,)).label_map(mask)
    with pytest.raises(LabelError, match=re.escape("(1 pixels) and 249 more values; the class list allows 0 to 0,")):
        check_mask(np.arange(256, dtype=np.uint8)[None], (256, 1), 1)


def test_another_size_or_type_is_named() -> None:
    with pytest.raises(LabelError, match="the mask is 4 x 3 pixels, its image 3 x 4"):
        check_mask(SCENE, (3, 4), 12)
    for wrong in (SCENE.astype(np.int64), SCENE[None], SCENE[:0]):
        with pytest.raises(LabelError, match=r"must be uint8 with shape \(H, W\)"):
            check_mask(wrong, (4, 3), 12)  # type: ignore[arg-type]


@given(mask=MASKS, void=st.sets(st.integers(0, 254), max_size=5), classes=st.integers(1, 250))
def test_void_values_are_left_out_of_the_count(mask: Mask, void: set[int], classes: int) -> None:
    free = [value for value in range(255) if value not in void][:classes]
    if set(mask.ravel().tolist()) <= {*free, *void, 255}:
        wanted = [[255 if v in void or v == 255 else free.index(v) for v in row] for row in mask.tolist()]
        assert MaskValues(classes, tuple(void)).label_map(mask).tolist() == wanted
    else:
        with pytest.raises(LabelError, match="the mask has the values"):
            MaskValues(classes, tuple(void)).label_map(mask)


def test_equal_masks_are_kept_once_and_unequal_shapes_apart(tmp_path: Path) -> None:
    folder = MaskFolder(tmp_path / "masks")
    name = folder.put(SCENE)
    assert folder.put(np.asfortranarray(SCENE)) == name
    assert folder.put(SCENE.reshape(4, 3)) != name
    assert name in folder
    assert "0" * 64 + ".png" not in folder
    assert len(list((tmp_path / "masks").iterdir())) == 2


@pytest.mark.parametrize("name", ["", "../" + "a" * 64 + ".png", "A" * 64 + ".png", "a" * 64 + ".png\n", "a" * 64])
def test_other_names_are_refused(tmp_path: Path, name: str) -> None:
    folder = MaskFolder(tmp_path)
    assert name not in folder
    with pytest.raises(LabelError, match="64 hexadecimal digits"):
        folder.get(name)


def test_a_lost_or_changed_mask_is_named(tmp_path: Path) -> None:
    folder = MaskFolder(tmp_path / "masks")
    name = folder.put(SCENE)
    (folder.root / name).write_bytes(encode(SCENE[::-1]))
    with pytest.raises(StoreError, match="is not as it was written"):
        folder.get(name)
    (folder.root / name).write_bytes(b"")
    with pytest.raises(StoreError, match="cannot be read from"):
        folder.get(name)
    (folder.root / name).unlink()
    with pytest.raises(StoreError, match="No such file"):
        folder.get(name)
    for content in (b"", encode(SCENE[::-1])):
        (folder.root / name).write_bytes(content)
        assert folder.put(SCENE) == name
        assert np.array_equal(folder.get(name), SCENE)


def test_many_threads_keep_the_same_masks(tmp_path: Path) -> None:
    folder = MaskFolder(tmp_path / "masks")
    masks = [np.full((20, 30), number % 4, np.uint8) for number in range(40)]
    with ThreadPoolExecutor(8) as pool:
        names = list(pool.map(folder.put, masks))
    assert len(set(names)) == 4
    assert sorted(path.name for path in folder.root.iterdir()) == sorted(set(names))
    assert [folder.shown(name) for name in names] == [(number % 4,) for number in range(40)]


def test_a_folder_that_cannot_be_written_is_named(tmp_path: Path) -> None:
    (tmp_path / "masks").write_text("a file")
    with pytest.raises(StoreError, match=r"the mask cannot be written to .*/masks: Not a directory"):
        MaskFolder(tmp_path / "masks").put(SCENE)
