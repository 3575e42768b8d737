"""Any encoder that was exported to ONNX, with its preprocessing beside it: `onnx:FILE` and `FILE.toml`."""

import hashlib
import json
from pathlib import Path
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray
from PIL import Image
from pydantic import Field, field_validator

from pickwell.config import Document
from pickwell.encoders.encoder import Encoder, Known, Pixels, Vectors, checked
from pickwell.encoders.settings import preprocessing
from pickwell.errors import EncoderError


class Preprocessing(Document):
    """What `FILE.toml` says; nothing has a default that could be wrong.

    An image's middle square (`crop` "centre") or the whole image ("squeeze") is resized to `size` pixels; its values,
    0 to `range`, are shifted by `mean` and divided by `std`, each one number a colour, red first. `output` names the
    output that is the vector; it may be left out where there is one alone.
    """

    format: int = Field(default=1, ge=1, strict=True)
    size: int = Field(ge=8, le=2048)
    mean: tuple[float, float, float]
    std: tuple[float, float, float]
    range: Literal[1, 255]
    layout: Literal["NCHW", "NHWC"]
    crop: Literal["centre", "squeeze"]
    output: str = ""
    licence: str = "not known"

    @field_validator("std")
    @classmethod
    def _divides(cls, std: tuple[float, float, float]) -> tuple[float, float, float]:
        if min(std) <= 0:
            raise ValueError("all three must be above 0")
        return std


def known() -> list[Known]:
    """What is to be said of them."""
    command = "export it, and write FILE.toml beside it"
    return [Known("onnx:FILE", "any encoder exported to ONNX", None, None, "the file's", True, command)]


def load(name: str) -> Encoder:
    """The encoder in a file. Raises EncoderError where it is none, SettingsError for its preprocessing."""
    path = Path(name.partition(":")[2]).expanduser()
    if not path.is_file():
        raise EncoderError(f"encoder '{name}': there is no file {path.absolute()}; name an ONNX file, onnx:FILE")
    return OnnxEncoder(name, path, preprocessing(Preprocessing, path))


class OnnxEncoder(Encoder):
    """A graph of one image at a time, in onnxruntime on the CPU."""

    def __init__(self, name: str, path: Path, chosen: Preprocessing) -> None:
        import onnxruntime

        self.name, self.path, self.chosen, self.licence = name, path, chosen, chosen.licence
        self.least = chosen.size
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = 1  # threads look at an image each
        options.log_severity_level = 4
        content = path.read_bytes()
        try:
            self._session = onnxruntime.InferenceSession(content, options, providers=["CPUExecutionProvider"])
        except Exception as error:  # onnxruntime's own have no common kind
            raise EncoderError(
                f"{path} is no ONNX file that onnxruntime can run ({_line(error)}); export the encoder again"
            ) from error
        self._input, self._output = self._one_input(), self._named_output()
        facts = json.dumps(chosen.model_dump(exclude={"licence", "format"}), sort_keys=True)
        self.identity = hashlib.sha256(content + facts.encode()).hexdigest()
        self.length = self._probed()

    def prepare(self, pixels: Pixels) -> NDArray[np.float32]:
        """The image `(3, size, size)` or `(size, size, 3)`, float32, as the network expects it."""
        chosen, size = self.chosen, (self.chosen.size, self.chosen.size)
        height, width = pixels.shape[:2]
        side = min(height, width)
        left, top = (width - side) / 2, (height - side) / 2
        box = (left, top, left + side, top + side) if chosen.crop == "centre" else (0, 0, width, height)
        drawn = np.asarray(Image.fromarray(pixels).resize(size, Image.Resampling.BICUBIC, box, reducing_gap=3.0))
        scaled = drawn.astype(np.float32) * np.float32(chosen.range / 255)
        mean, std = (np.array(three, np.float32) for three in (chosen.mean, chosen.std))
        values = (scaled - mean) / std
        return np.ascontiguousarray(values.transpose(2, 0, 1) if chosen.layout == "NCHW" else values)

    def vectors(self, prepared: NDArray[Any]) -> Vectors:
        return np.concatenate([self._run(one) for one in np.split(prepared, len(prepared))])

    def _run(self, one: NDArray[Any]) -> Vectors:
        found: Vectors = np.asarray(self._session.run([self._output], {self._input: one})[0], np.float32)
        return found

    def _one_input(self) -> str:
        inputs = self._session.get_inputs()
        size, chosen = self.chosen.size, self.chosen
        expected = [3, size, size] if chosen.layout == "NCHW" else [size, size, 3]
        shape = list(inputs[0].shape)
        fits = len(shape) == 4 and all(
            not isinstance(s, int) or s == e for s, e in zip(shape[1:], expected, strict=True)
        )
        if len(inputs) != 1 or inputs[0].type != "tensor(float)" or not fits:
            said = ", ".join(f"{one.name} {one.type} {list(one.shape)}" for one in inputs)
            raise EncoderError(
                f"{self.path} takes {said}; with layout {chosen.layout} and size {size} an encoder takes one "
                f"tensor(float) of [images, {', '.join(map(str, expected))}]: correct {self.path.name}.toml"
            )
        name: str = inputs[0].name
        return name

    def _named_output(self) -> str:
        names = [one.name for one in self._session.get_outputs()]
        wanted = self.chosen.output or (names[0] if len(names) == 1 else "")
        if wanted not in names:
            raise EncoderError(
                f'{self.path} has the outputs {", ".join(names)}; say which one is the vector: output = "{names[0]}" '
                f"in {self.path.name}.toml"
            )
        return wanted

    def _probed(self) -> int:
        """The length of a vector, found on a grey image."""
        grey = self.prepare(np.full((self.chosen.size, self.chosen.size, 3), 127, np.uint8))
        try:
            found = self._run(grey[None])
        except Exception as error:
            raise EncoderError(f"{self.path} fails on an image of {self.chosen.size} pixels: {_line(error)}") from error
        if found.ndim != 2 or len(found) != 1:
            raise EncoderError(
                f"{self.path}: the output {self._output} of one image has the shape {found.shape}, not (1, "
                "numbers); name an output that is one vector an image, or export the encoder with its pooling"
            )
        self.length = found.shape[1]
        checked(self, found)
        return self.length


def _line(error: Exception) -> str:
    return str(error).strip().splitlines()[0][:200] if str(error).strip() else type(error).__name__
