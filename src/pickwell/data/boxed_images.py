"""HEIC and AVIF: images in the boxes of MPEG-4, which other libraries read than those of all other kinds."""

import io
from collections.abc import Callable

from PIL.AvifImagePlugin import SUPPORTED, AvifImageFile
from PIL.ImageFile import ImageFile

from pickwell.data.image_errors import ImageError, Reason

_HEIC = frozenset((b"heic", b"heix", b"heim", b"heis", b"hevc", b"hevx", b"mif1", b"msf1"))
_AVIF = frozenset((b"avif", b"avis"))


def reader(data: bytes) -> Callable[[io.BytesIO], ImageFile] | None:
    """What opens the image; None if it is neither, ImageError where its library is not installed."""
    if data[4:8] != b"ftyp":
        return None
    # A file may be named after what all such boxes share, and say after that whose they are.
    brands = {data[at : at + 4] for at in (8, *range(16, min(int.from_bytes(data[:4], "big"), 256), 4))}
    if brands & _AVIF:
        if not SUPPORTED:
            raise ImageError(Reason.AVIF, "this build of Pillow reads none; install another, then add the images again")
        return AvifImageFile
    return _heic() if brands & _HEIC else None


def _heic() -> Callable[[io.BytesIO], ImageFile]:
    try:
        from pillow_heif import HeifImageFile
    except ImportError:
        raise ImageError(Reason.HEIC, "pip install 'pickwell[heif]', then add the images again") from None
    opener: Callable[[io.BytesIO], ImageFile] = HeifImageFile
    return opener
