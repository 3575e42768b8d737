"""Label Studio's brush run lengths: the rle-pack of thi.ng/umbrella over an RGBA picture, bit by bit.

A header (32 bits: bytes in all; 5: bits of a word less 1; four times 4: bits of a run length less 1), then tokens. A
token is 1 bit (1: a run, 0: single words), 2 bits that choose one of the four lengths, that length less 1, and the word
of the run or each of the single words. Most significant bit first; zeros fill up the last byte.
"""

from collections.abc import Iterator, Sequence

import numpy as np
from numpy.typing import NDArray

from pickwell.errors import LabelError
from pickwell.formats.exchange.run_lengths import Region, runs_of

WORD = 8
LENGTHS = (3, 4, 8, 16)
HALF = 128
"""Brushes have soft edges: a pixel belongs to the region from half its opacity on."""


def encode(region: Region) -> list[int]:
    """The bytes of a region: all four channels 255 inside, 0 outside."""
    header = f"{region.size * 4:032b}{WORD - 1:05b}" + "".join(f"{bits - 1:04b}" for bits in LENGTHS)
    tokens = [header]
    for index, pixels in enumerate(runs_of(region.ravel()).tolist()):
        tokens += _run(4 * pixels, "11111111" if index % 2 else "00000000")
    bits = "".join(tokens)
    bits += "0" * (8 - len(bits) % 8)  # a whole byte where none is missing: so does Label Studio's own converter
    return list(int(bits, 2).to_bytes(len(bits) // 8, "big"))


def _run(length: int, word: str) -> Iterator[str]:
    longest = 1 << LENGTHS[-1]
    while length > longest:
        yield f"111{longest - 1:0{LENGTHS[-1]}b}{word}"
        length -= longest
    if length:
        which = next(i for i, bits in enumerate(LENGTHS) if length <= 1 << bits)
        yield f"1{which:02b}{length - 1:0{LENGTHS[which]}b}{word}"


class _Bits:
    """Reads bytes bit by bit, the most significant first."""

    def __init__(self, data: bytes, what: str) -> None:
        self.data, self.what, self.at = data, what, 0

    def take(self, count: int) -> int:
        """The next bits as a number; at most 32."""
        end = self.at + count
        if end > 8 * len(self.data):
            raise LabelError(f"{self.what} ends in the middle of its brush run lengths; export it again")
        chunk = self.data[self.at >> 3 : (end + 7) >> 3]
        self.at = end
        return (int.from_bytes(chunk, "big") >> (-end % 8)) & ((1 << count) - 1)


def decode(rle: Sequence[int], size: tuple[int, int], what: str) -> Region:
    """The region `(H, W)` of pixels that are at least half opaque; LabelError if it is not for that size."""
    try:
        bits = _Bits(bytes(rle), what)
    except (ValueError, TypeError):
        raise LabelError(f"{what} has brush run lengths that are no bytes; export it again") from None
    total, (width, height) = bits.take(32), size
    if total != 4 * width * height:
        raise LabelError(f"{what} has a brush for {total / 4:,.10g} pixels, not {width} x {height}; export it again")
    if bits.take(5) + 1 != WORD:
        raise LabelError(f"{what} has brush words that are not bytes; export it again")
    lengths = [bits.take(4) + 1 for _ in LENGTHS]
    # Of each RGBA pixel the opacity.
    return _words(bits, total, lengths)[3::4].reshape(height, width) >= HALF


def _words(bits: _Bits, total: int, lengths: Sequence[int]) -> NDArray[np.uint8]:
    words = np.zeros(total, dtype=np.uint8)
    at = 0
    while at < total:
        run = bits.take(1)
        end = at + 1 + bits.take(lengths[bits.take(2)])
        if end > total:
            raise LabelError(f"{bits.what} has brush run lengths that are longer than the picture; export it again")
        if run:
            words[at:end] = bits.take(WORD)
        else:
            words[at:end] = [bits.take(WORD) for _ in range(end - at)]
        at = end
    return words
