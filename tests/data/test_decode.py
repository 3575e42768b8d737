import contextlib
import io
import struct
import warnings
import zlib
from collections.abc import Callable

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from PIL import Image, ImageOps

from pickwell.data.decode import Examined, decode, examine, view
from pickwell.data.image_errors import ImageError, Reason
from pickwell.data.opening import LIMITS, Limits

Encode = Callable[..., bytes]
LOSSLESS = ("PNG", "BMP", "TIFF", "GIF")


def measure(data: bytes, limits: Limits = LIMITS) -> tuple[int, int]:
    return examine(data, limits).size


def rgb(data: bytes) -> np.ndarray:
    """The independent reference: Pillow's own decoding, turning and conversion."""
    return np.asarray(ImageOps.exif_transpose(Image.open(io.BytesIO(data))).convert("RGB"))


@pytest.mark.parametrize("kind", ["PNG", "BMP", "TIFF"])
def test_lossless_colour_comes_back_exactly(kind: str, scene: Image.Image, encode: Encode) -> None:
    data = encode(scene, kind)
    assert np.array_equal(decode(data), np.asarray(scene))
    assert measure(data) == (40, 24)


@pytest.mark.parametrize("settings", [{"quality": 95}, {"progressive": True}, {"subsampling": 0}])
def test_jpeg_is_what_pillow_makes_of_it(settings: dict[str, int], scene: Image.Image, encode: Encode) -> None:
    data = encode(scene, "JPEG", **settings)
    assert np.abs(decode(data).astype(int) - rgb(data)).max() <= 3
    assert measure(data) == (40, 24)


def test_webp_and_gif_are_close(scene: Image.Image, encode: Encode) -> None:
    assert np.abs(decode(encode(scene, "WEBP", lossless=True)).astype(int) - np.asarray(scene)).max() == 0
    assert np.abs(decode(encode(scene, "GIF")).astype(int) - np.asarray(scene)).mean() < 12


def test_gif_shows_its_first_frame(encode: Encode) -> None:
    first, second = Image.new("RGB", (8, 8), "red"), Image.new("RGB", (8, 8), "blue")
    assert np.array_equal(decode(encode(first, "GIF", save_all=True, append_images=[second]))[4, 4], [255, 0, 0])


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "BMP", "TIFF", "GIF", "WEBP"])
def test_grey_becomes_three_equal_channels(kind: str, scene: Image.Image, encode: Encode) -> None:
    pixels = decode(encode(scene.convert("L"), kind))
    assert pixels.shape == (24, 40, 3)
    assert np.ptp(pixels.astype(int), axis=2).max() <= (1 if kind == "WEBP" else 0)
    assert np.abs(pixels[..., 0].astype(int) - np.asarray(scene.convert("L"))).max() <= 6


@pytest.mark.parametrize("kind", ["PNG", "BMP", "TIFF"])
def test_one_bit_and_palette(kind: str, scene: Image.Image, encode: Encode) -> None:
    bits = scene.convert("1")
    assert np.array_equal(decode(encode(bits, kind))[..., 1] > 0, np.asarray(bits))
    palette = scene.quantize(16)
    assert np.array_equal(decode(encode(palette, kind)), np.asarray(palette.convert("RGB")))


@pytest.mark.parametrize("kind", ["JPEG", "TIFF"])
def test_cmyk(kind: str, encode: Encode) -> None:
    ink = Image.new("CMYK", (16, 16), (0, 255, 255, 0))
    data = encode(ink, kind)
    assert np.abs(decode(data).astype(int) - [255, 0, 0]).max() <= 3
    assert measure(data) == (16, 16)
    bare = data.replace(b"Adobe", b"other")  # the mark that says that inks are stored inverted, as they always are
    assert np.abs(decode(bare).astype(int) - [255, 0, 0]).max() <= 3


def test_alpha_lies_over_white(encode: Encode) -> None:
    half = Image.new("RGBA", (8, 8), (255, 0, 0, 128))
    assert np.array_equal(decode(encode(half, "PNG"))[0, 0], [255, 127, 127])
    assert np.array_equal(decode(encode(Image.new("LA", (8, 8), (0, 0)), "PNG"))[0, 0], [255, 255, 255])
    clear = Image.new("P", (8, 8), 1)
    clear.putpalette([0, 0, 0, 10, 20, 30])
    assert np.array_equal(decode(encode(clear, "PNG", transparency=1))[0, 0], [255, 255, 255])
    assert np.array_equal(decode(encode(clear, "PNG", transparency=bytes([255, 0])))[0, 0], [255, 255, 255])
    assert np.array_equal(decode(encode(clear, "PNG", transparency=0))[0, 0], [10, 20, 30])
    keyed = encode(Image.new("RGB", (8, 8), (1, 2, 3)), "PNG", transparency=(1, 2, 3))
    assert np.array_equal(decode(keyed)[0, 0], [255, 255, 255])


@pytest.mark.parametrize("kind", ["PNG", "TIFF"])
def test_sixteen_bits_are_scaled_not_clipped(kind: str, encode: Encode) -> None:
    levels = np.linspace(0, 65535, 256).round().astype(np.uint16).reshape(16, 16)
    assert np.array_equal(decode(encode(levels, kind))[..., 0].ravel(), np.arange(256))


def test_integer_and_real_grey_use_the_smallest_usual_range(encode: Encode) -> None:
    ramp = np.arange(256, dtype=np.int32).reshape(16, 16)
    assert np.array_equal(decode(encode(ramp * 257, "TIFF"))[..., 2], ramp)
    assert np.array_equal(decode(encode((ramp / 255).astype(np.float32), "TIFF"))[..., 0], ramp)
    assert np.array_equal(decode(encode((ramp * 1e4 - 7e5).astype(np.float32), "TIFF"))[..., 0], ramp)
    flat = np.full((4, 4), -5, np.float32)
    assert np.array_equal(decode(encode(flat, "TIFF"))[..., 0], np.zeros((4, 4)))
    holes = np.array([[np.nan, np.inf], [0, 1]], np.float32)
    assert np.array_equal(decode(encode(holes, "TIFF"))[..., 0], [[0, 0], [0, 255]])


@pytest.mark.parametrize("turned", range(1, 9))
@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP", "TIFF"])
def test_exif_orientation_is_undone(kind: str, turned: int, scene: Image.Image, encode: Encode) -> None:
    exif = Image.Exif()
    exif[0x0112] = turned
    exif[0x010E] = "a description before it"
    data = encode(scene, kind, exif=exif, **({"quality": 95} if kind == "JPEG" else {"lossless": True}))
    expected = rgb(data)
    assert expected.shape == ((40, 24, 3) if turned >= 5 else (24, 40, 3))
    assert measure(data) == (expected.shape[1], expected.shape[0])
    assert np.abs(decode(data).astype(int) - expected).max() <= 3
    # The part shown is the same whether the image is turned or was drawn so.
    upright = view(encode(expected, "PNG"), 24)
    assert np.abs(view(data, 24).astype(int) - upright).max() <= 4


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP", "BMP", "TIFF", "GIF"])
@pytest.mark.parametrize("share", [0.15, 0.5, 0.9])
def test_truncated_files_are_errors(kind: str, share: float, encode: Encode) -> None:
    noise = np.random.default_rng(0).integers(0, 256, (60, 80, 3), dtype=np.uint8)
    data = encode(noise, kind)
    cut = data[: int(len(data) * share)]
    for look in (measure, decode, lambda d: view(d, 16)):
        with pytest.raises(ImageError) as caught:
            look(cut)
        assert caught.value.reason in (Reason.TRUNCATED, Reason.DAMAGED)
        assert caught.value.detail


def test_a_photograph_cut_off_anywhere_says_truncated(scene: Image.Image, encode: Encode) -> None:
    for settings_ in ({}, {"progressive": True}):
        data = encode(scene.resize((160, 96)), "JPEG", **settings_)
        for cut in (len(data) // 2, len(data) - 200, len(data) - 2):
            with pytest.raises(ImageError, match=r"^truncated"):
                measure(data[:cut])


def test_harmless_padding_in_a_jpeg_is_accepted(scene: Image.Image, encode: Encode) -> None:
    data = encode(scene, "JPEG", quality=95)
    padded = data[:-2] + bytes(10) + data[-2:] + b"something after the end"
    assert np.array_equal(decode(padded), decode(data))
    assert measure(padded) == (40, 24)


@pytest.mark.parametrize(
    ("junk", "said"), [(b"\xff\x00", "bad Huffman code"), (b"\xff\xd9", "premature end of data segment")]
)
def test_a_damaged_middle_is_shown_as_pillow_shows_it_and_told(junk: bytes, said: str, encode: Encode) -> None:
    noise = np.random.default_rng(0).integers(0, 256, (64, 64, 3), dtype=np.uint8)
    data = bytearray(encode(noise, "JPEG"))
    data[len(data) // 2 : len(data) // 2 + 40] = junk * (40 // len(junk))
    assert np.array_equal(decode(bytes(data)), rgb(bytes(data)))
    assert examine(bytes(data)) == Examined((64, 64), damage=f"Corrupt JPEG data: {said}")


def test_a_damaged_middle_that_pillow_does_not_show_is_an_error(encode: Encode) -> None:
    noise = np.random.default_rng(0).integers(0, 256, (64, 64, 3), dtype=np.uint8)
    data = bytearray(encode(noise, "JPEG"))
    data[len(data) // 2 : len(data) // 2 + 4] = b"\xff\xaa\x12\x55"
    for look in (measure, decode, lambda d: view(d, 16)):
        with pytest.raises(ImageError, match=r"^damaged"):
            look(bytes(data))


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (b"", "empty file"),
        (b"hello, I am text renamed to .jpg", "not an image: it begins with b'hello, I'"),
        (b"RIFF\x24\0\0\0WAVEfmt ", "not an image"),
        (b"\xff\xd8\xff", "truncated|damaged"),
        (b"\x89PNG\r\n\x1a\n", "truncated|damaged"),
        (b"BMX is a sport", "truncated|damaged"),
        (b"\0" * 100, "not an image"),
    ],
)
def test_what_is_no_image_says_so(data: bytes, reason: str) -> None:
    for look in (measure, decode, lambda d: view(d, 8)):
        with pytest.raises(ImageError, match=f"^({reason})"):
            look(data)


def chunk(kind: bytes, body: bytes) -> bytes:
    return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))


def test_a_decompression_bomb_is_refused_before_it_is_decoded() -> None:
    header = chunk(b"IHDR", struct.pack(">IIBBBBB", 60_000, 60_000, 8, 2, 0, 0, 0))
    bomb = b"\x89PNG\r\n\x1a\n" + header + chunk(b"IDAT", zlib.compress(bytes(1000))) + chunk(b"IEND", b"")
    with pytest.raises(ImageError, match=r"^too large: 60000 x 60000 pixels; at most 178,956,970 are decoded"):
        measure(bomb)


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP", "BMP", "TIFF", "GIF"])
def test_the_pixel_limit_is_a_setting(kind: str, scene: Image.Image, encode: Encode) -> None:
    data = encode(scene, kind)
    assert measure(data, Limits(pixels=960)) == (40, 24)
    for look in (measure, lambda d, limits: decode(d, None, limits), lambda d, limits: view(d, 8, limits)):
        with pytest.raises(ImageError, match=r"^too large: 40 x 24 pixels; at most 959"):
            look(data, Limits(pixels=959))


def test_large_images_and_odd_metadata_never_warn(
    scene: Image.Image, encode: Encode, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", 900)  # Pillow now warns of 960, and refuses more than 1800
    clear = Image.new("P", (60, 60), 1)
    repeated = bytearray(encode(scene, "TIFF"))
    count = repeated.index(struct.pack("<HHI", 0x0106, 3, 1)) + 4
    repeated[count : count + 4] = struct.pack("<I", 2)  # two photometric interpretations where one belongs
    cut = encode(scene, "TIFF", description="x" * 300)
    cut = cut[: cut.index(b"x" * 300) + 100]
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        for kind in ("JPEG", "PNG", "GIF", "TIFF"):
            assert view(encode(scene, kind), 8).shape == (3, 8, 8)
        assert measure(encode(clear, "PNG", transparency=bytes([0, 0]))) == (60, 60)
        for odd in (bytes(repeated), cut):
            with contextlib.suppress(ImageError):  # either outcome is right, but no warning
                measure(odd)


@pytest.mark.parametrize("shape", [(1, 1), (10_000, 1), (1, 10_000), (3, 2)])
@pytest.mark.parametrize("kind", ["JPEG", "PNG"])
def test_extreme_shapes(shape: tuple[int, int], kind: str, encode: Encode) -> None:
    data = encode(Image.new("RGB", shape, (200, 100, 50)), kind)
    assert measure(data) == shape
    assert np.abs(view(data, 32).astype(int) - np.array([200, 100, 50])[:, None, None]).max() <= 3


def test_a_view_of_its_own_size_is_the_image_itself(encode: Encode) -> None:
    noise = np.random.default_rng(1).integers(0, 256, (32, 32, 3), dtype=np.uint8)
    assert np.array_equal(view(encode(noise, "PNG"), 32), noise.transpose(2, 0, 1))


def test_a_view_shows_the_centre(encode: Encode) -> None:
    pixels = np.zeros((20, 60, 3), np.uint8)
    pixels[:, 20:40] = 255
    assert view(encode(pixels, "PNG"), 20).min() == 255
    assert view(encode(pixels.transpose(1, 0, 2), "PNG"), 10).min() >= 250


def test_shrinking_is_antialiased(encode: Encode) -> None:
    board = np.indices((256, 256)).sum(axis=0) % 2 * 255
    for kind in ("PNG", "JPEG"):
        shown = view(encode(board.astype(np.uint8), kind), 16)
        assert np.abs(shown.astype(int) - 127).max() <= 4


def test_a_jpeg_decoded_smaller_looks_like_the_full_one(encode: Encode) -> None:
    coarse = np.random.default_rng(2).integers(0, 256, (6, 8, 3), dtype=np.uint8)
    photo = Image.fromarray(coarse).resize((800, 600), Image.Resampling.BICUBIC)
    data = encode(photo, "JPEG", quality=92)
    assert decode(data, 64).shape == (75, 100, 3)
    assert decode(data, 301).shape == (600, 800, 3)
    by_png = view(encode(photo, "PNG"), 64).astype(int)
    assert np.abs(view(data, 64) - by_png).mean() < 2


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    width=st.integers(1, 70),
    height=st.integers(1, 70),
    size=st.integers(1, 40),
    colour=st.tuples(*[st.integers(0, 255)] * 3),
    kind=st.sampled_from(["PNG", "BMP", "TIFF"]),
)
def test_a_plain_image_stays_plain(
    width: int, height: int, size: int, colour: tuple[int, int, int], kind: str, encode: Encode
) -> None:
    shown = view(encode(Image.new("RGB", (width, height), colour), kind), size)
    assert shown.shape == (3, size, size)
    assert shown.flags.c_contiguous
    assert np.array_equal(shown, np.broadcast_to(np.array(colour)[:, None, None], shown.shape))


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    kind=st.sampled_from(["JPEG", "PNG", "WEBP", "BMP", "TIFF", "GIF"]),
    at=st.integers(3, 400),
    junk=st.binary(min_size=1, max_size=12),
)
def test_damage_gives_an_image_or_an_image_error(
    kind: str, at: int, junk: bytes, scene: Image.Image, encode: Encode
) -> None:
    data = bytearray(encode(scene, kind))
    data[at : at + len(junk)] = junk
    try:
        width, height = measure(bytes(data), Limits(pixels=1_000_000))
    except ImageError:
        return
    assert decode(bytes(data)).shape == (height, width, 3)
