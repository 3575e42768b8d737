"""Good files that are not as most are, and what is said of those that nothing reads."""

import io
import struct
import subprocess
import sys
import zlib
from collections.abc import Callable

import numpy as np
import pytest
from PIL import Image, ImageOps, PngImagePlugin

from pickwell.data.decode import decode, examine
from pickwell.data.image_errors import ImageError, Reason

Encode = Callable[..., bytes]


def segment(marker: int, body: bytes) -> bytes:
    return b"\xff" + bytes([marker]) + struct.pack(">H", len(body) + 2) + body


def chunk(kind: bytes, body: bytes) -> bytes:
    return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))


def before(marker: bytes, data: bytes, extra: bytes) -> bytes:
    at = data.index(marker)
    return data[:at] + extra + data[at:]


ICC = segment(0xE2, b"ICC_PROFILE\0\1\1" + bytes(200))


@pytest.mark.parametrize(
    ("marker", "extra"),
    [
        (b"\xff\xdb", b"\0"),
        (b"\xff\xdb", b"\xff\0\xff\0"),
        (b"\xff\xc0", b"\x55" * 1000),
        (b"\xff\xc4", b"\xff" * 7),
        (b"\xff\xdb", segment(0xEE, b"Adobe\0d")),
        (b"\xff\xda", ICC),
        (b"\xff\xda", ICC.replace(b"\1\1", b"\5\1", 1)),
        (b"\xff\xdb", segment(0xE0, b"JFIF\0\7\1" + bytes(7))),
    ],
)
def test_bytes_that_do_not_belong_in_a_jpegs_header_change_no_pixel(
    marker: bytes, extra: bytes, scene: Image.Image, encode: Encode
) -> None:
    good = encode(scene, "JPEG", quality=95)
    odd = before(marker, good, extra)
    assert np.array_equal(decode(odd), decode(good))
    assert examine(odd) == examine(good)


def exif(order: str, *entry: int, kind: str) -> bytes:
    head = {"<": b"II*\0\x08\0\0\0", ">": b"MM\0*\0\0\0\x08"}[order]
    return b"Exif\0\0" + head + struct.pack(order + "H" + kind, 1, *entry).ljust(14, b"\0") + bytes(4)


XMP = b'http://ns.adobe.com/xap/1.0/\0<x:xmpmeta><rdf:Description tiff:Orientation="6"/></x:xmpmeta>'


@pytest.mark.parametrize(
    "header",
    [
        segment(0xE1, exif(">", 0x112, 4, 1, 6, kind="HHII")),
        segment(0xE1, exif("<", 0x112, 4, 1, 6, kind="HHII")),
        b"\xff\xff" + segment(0xE1, exif(">", 0x112, 3, 1, 6, kind="HHIH")),
        b"junk" + segment(0xE1, exif(">", 0x112, 3, 1, 6, kind="HHIH")),
        segment(0xE1, XMP),
        segment(0xE1, exif(">", 0x100, 3, 1, 6, kind="HHIH")) + segment(0xE1, XMP),
    ],
)
def test_a_jpeg_is_turned_however_its_orientation_is_written(header: bytes, scene: Image.Image, encode: Encode) -> None:
    good = encode(scene, "JPEG", quality=95)
    data = before(b"\xff\xdb", good, header)
    wanted = ImageOps.exif_transpose(Image.open(io.BytesIO(data)))
    assert wanted.size == (24, 40)
    assert np.array_equal(decode(data), np.asarray(wanted))
    assert examine(data).size == (24, 40)


def test_png_and_webp_are_turned_by_what_xmp_says(scene: Image.Image, encode: Encode) -> None:
    said = PngImagePlugin.PngInfo()
    said.add_itxt("XML:com.adobe.xmp", XMP.partition(b"\0")[2].decode())
    for data in (encode(scene, "PNG", pnginfo=said), encode(scene, "WEBP", lossless=True, xmp=XMP)):
        assert np.array_equal(decode(data), np.asarray(scene).swapaxes(0, 1)[:, ::-1])


@pytest.mark.parametrize("junk", [b"", b"MM", b"II*\0\xff\xff\xff\xff", b"MM\0*\0\0\0\x08\xff\xff"])
def test_a_damaged_exif_block_turns_nothing(junk: bytes, scene: Image.Image, encode: Encode) -> None:
    good = encode(scene, "JPEG")
    data = good[:2] + segment(0xE1, b"Exif\0\0" + junk) + good[2:]
    assert np.array_equal(decode(data), decode(good))


def test_png_with_megabytes_of_text_or_profile_is_an_image_like_any_other(scene: Image.Image, encode: Encode) -> None:
    said = PngImagePlugin.PngInfo()
    said.add_text("workflow", "x" * 1_100_000, zip=True)
    said.add_itxt("prompt", "y" * 1_100_000, zip=True)
    for data in (encode(scene, "PNG", pnginfo=said), encode(scene, "PNG", icc_profile=bytes(1_100_000))):
        assert np.array_equal(decode(data), np.asarray(scene))
    late = before(b"\0\0\0\0IEND", encode(scene, "PNG"), chunk(b"zTXt", b"a\0\0" + zlib.compress(bytes(1_100_000))))
    assert np.array_equal(decode(late), np.asarray(scene))


def told(data: bytes) -> ImageError:
    with pytest.raises(ImageError) as caught:
        examine(data)
    return caught.value


def test_kinds_that_nothing_reads_are_named(scene: Image.Image, encode: Encode) -> None:
    assert told(b"\xff\n" + bytes(20)).reason == "JPEG XL"
    assert told(b"%PDF-1.7 a scan").reason == "document"
    assert told(bytes(128) + b"DICM" + bytes(20)).reason == "DICOM"
    assert told(b"\0\0\0\x18ftypheic\0\0\0\0mif1heic").reason in (Reason.HEIC, Reason.DAMAGED)
    lossless = encode(scene, "JPEG").replace(b"\xff\xc0", b"\xff\xc3", 1)
    assert told(lossless).reason == Reason.UNREAD
    deep = bytearray(encode(scene, "BMP"))
    deep[28] = 7  # bits a pixel
    assert told(bytes(deep)).reason == Reason.UNREAD


def test_a_bomb_of_any_kind_is_too_large(scene: Image.Image, encode: Encode) -> None:
    webp = bytearray(encode(scene, "WEBP", lossless=True, xmp=XMP))
    assert webp[12:16] == b"VP8X"
    webp[24:30] = b"\xfe\x3f\0" * 2
    assert told(bytes(webp)).reason == Reason.TOO_LARGE
    gif = bytearray(encode(scene, "GIF"))
    gif[6:10] = b"\xff" * 4
    assert told(bytes(gif)).reason == Reason.TOO_LARGE
    jpeg = bytearray(encode(scene, "JPEG"))
    at = jpeg.index(b"\xff\xc0")
    jpeg[at + 5 : at + 9] = b"\xff" * 4
    assert told(bytes(jpeg)).reason == Reason.TOO_LARGE


def test_libtiff_writes_nothing_to_the_terminal(scene: Image.Image, encode: Encode) -> None:
    code = "import sys; from pickwell.data.decode import examine; examine(sys.stdin.buffer.read())"
    data = bytearray(encode(scene.resize((400, 240)), "TIFF", compression="tiff_lzw"))
    data[200:800] = bytes(600)
    done = subprocess.run([sys.executable, "-c", code], input=bytes(data), capture_output=True, check=False)
    assert b"ImageError" in done.stderr
    assert b"LZW" not in done.stderr.partition(b"Traceback")[0]
    assert done.stderr.startswith(b"Traceback")


@pytest.mark.parametrize("kind", ["GIF", "TIFF", "WEBP", "PNG", "MPO"])
def test_frames_beyond_the_first_are_counted(kind: str, scene: Image.Image, encode: Encode) -> None:
    others = [scene.rotate(90 * n) for n in (1, 2)]
    assert examine(encode(scene, kind, save_all=True, append_images=others)).frames == 3
    assert examine(encode(scene, "JPEG" if kind == "MPO" else kind)).frames == 1


@pytest.mark.parametrize("kind", ["JPEG2000", "PPM", "SGI", "PCX", "TGA", "QOI", "DDS"])
def test_kinds_that_are_seldom_met_are_read(kind: str, scene: Image.Image, encode: Encode) -> None:
    assert np.array_equal(decode(encode(scene, kind)), np.asarray(scene))
