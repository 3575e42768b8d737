"""Any encoder that was exported as an ONNX file, run in onnxruntime; beside it a TOML file says how images enter.

Use when: a network of your own, or one that a hub offers as ONNX, is to encode.
Source: Open Neural Network Exchange, onnx.ai.
"""

from pathlib import Path
from typing import Annotated, Any, Literal

import numpy as np
from numpy.typing import NDArray
from pydantic import Field

from pickwell.config import Document
from pickwell.encoders.encoder import Encoder, Facts, Graph, digest
from pickwell.errors import EncoderError, SettingsError, unknown
from pickwell.files import digest as file_digest

Positive = Annotated[float, Field(gt=0, allow_inf_nan=False)]
Triple = tuple[float, float, float]


class Entrance(Document):
    """How an image enters an ONNX graph, and which output is its vector: what `FILE.toml` says.

    Pixels are scaled to `range`, less `mean`, over `std`. `crop` is the side of a square about the centre as a share of
    the short side, or "squeeze" for the whole image. `length`, if given, is how many numbers a vector must have.
    """

    format: int = 1
    size: int = Field(ge=8, le=2048)
    crop: Annotated[float, Field(gt=0, le=1)] | Literal["squeeze"]
    interpolation: Literal["bilinear", "bicubic"]
    range: tuple[float, float]
    mean: Triple
    std: tuple[Positive, Positive, Positive]
    layout: Literal["NCHW", "NHWC"]
    output: str
    licence: str
    length: int | None = Field(default=None, ge=1)

    def feed(self, block: NDArray[np.uint8]) -> NDArray[np.float32]:
        """Squares `(B, size, size, 3)` as the graph takes them."""
        low, high = self.range
        # One multiplication and one sum a pixel.
        scale = (high - low) / 255 / np.asarray(self.std)
        shift = (low - np.asarray(self.mean)) / np.asarray(self.std)
        scaled = block * scale.astype(np.float32) + shift.astype(np.float32)
        return np.ascontiguousarray(scaled.transpose(0, 3, 1, 2)) if self.layout == "NCHW" else scaled

    def shape(self) -> tuple[int, int, int]:
        """The shape of one image as the graph must take it."""
        return (3, self.size, self.size) if self.layout == "NCHW" else (self.size, self.size, 3)


def facts() -> list[Facts]:
    """One row for all files."""
    return [Facts("onnx:FILE", "a file, with FILE.toml beside it", None, "as FILE.toml says", None, True, "")]


def load(name: str, **options: Any) -> Encoder:
    """The encoder in a file; `options` are entries of `Entrance`, and win over those in `FILE.toml`."""
    from pickwell.encoders.parts.network_encoder import NetworkEncoder
    from pickwell.encoders.parts.preprocessing import Square
    from pickwell.encoders.parts.sessions import Session

    path = Path(name).expanduser()
    session = _session(path)
    entrance = _entrance(path, options)
    _check(session, entrance, path)
    square = Square(entrance.size, None if entrance.crop == "squeeze" else entrance.crop, entrance.interpolation)
    encoder = NetworkEncoder(
        f"onnx:{name}", square, Session(session, entrance.output, entrance.feed), least=square.least,
        identity=digest(_weights(path), square, entrance.model_dump_json(exclude={"licence"})),
        licence=entrance.licence, graph=lambda: _graph(path, entrance),
    )  # fmt: skip
    if entrance.length not in (None, encoder.length):
        raise EncoderError(
            f"{path} makes vectors of {encoder.length} numbers and its settings say length = {entrance.length}; name "
            "another output, or mend the length"
        )
    return encoder


def _graph(path: Path, entrance: Entrance) -> Graph:
    """The file as one, with the weights that lay beside it."""
    from onnx import load_model

    said = entrance.model_dump(mode="json", exclude={"format", "output", "licence", "length"})
    return Graph(load_model(path).SerializeToString(), entrance.output, {**said, "type": "float32"})


def _session(path: Path) -> Any:
    from pickwell.encoders.parts.sessions import opened

    if not path.is_file():
        raise EncoderError(f"no ONNX file at {path}; give the path of one, as onnx:encoder.onnx")
    try:
        return opened(path)
    except Exception as error:  # onnxruntime's exceptions have no parent of their own
        said = " ".join(str(error).split())[:200]
        raise EncoderError(
            f"{path} is no ONNX file that can be run ({said}); export the encoder again, or fetch it again"
        ) from error


def _entrance(path: Path, options: dict[str, Any]) -> Entrance:
    beside = path.with_name(f"{path.name}.toml")
    said = Entrance.values(beside) if beside.is_file() else {}
    wanted = [name for name, field in Entrance.model_fields.items() if field.is_required()]
    if missing := [name for name in wanted if name not in said | options]:
        raise SettingsError(
            f"how images enter {path} is not guessed, and it is not said: {', '.join(missing)}; write them into "
            f"{beside}, as in docs/encoders.md, or give them as options"
        )
    return Entrance.parse(said | options, where=str(beside))


def _check(session: Any, entrance: Entrance, path: Path) -> None:
    """Refuses a graph whose input or outputs are not as the entrance says."""
    inputs, outputs = session.get_inputs(), [output.name for output in session.get_outputs()]
    if len(inputs) != 1:
        named = ", ".join(one.name for one in inputs)
        raise EncoderError(
            f"{path} takes {len(inputs)} inputs ({named}), not images alone; export the image part alone"
        )
    taken, given = inputs[0].shape, ("B", *entrance.shape())
    fits = len(taken) == 4 and all(not isinstance(t, int) or t == g for t, g in zip(taken[1:], given[1:], strict=True))
    if not fits or inputs[0].type != "tensor(float)":
        raise EncoderError(
            f"{path} takes {inputs[0].type} of shape {_shape(taken)}, and its settings would give it tensor(float) of "
            f"shape {_shape(given)}; mend size and layout, or export it so"
        )
    if entrance.output not in outputs:
        raise EncoderError(f"{path}: {unknown('output', entrance.output, outputs)}")


def _shape(sides: Any) -> str:
    return "(" + ", ".join(map(str, sides)) + ")"


def _weights(path: Path) -> str:
    """A digest of the file, and of those beside it that hold the weights of a large graph."""
    from onnx import load_model
    from onnx.external_data_helper import uses_external_data

    model = load_model(path, load_external_data=False)
    named = {
        entry.value
        for tensor in model.graph.initializer
        if uses_external_data(tensor)
        for entry in tensor.external_data
        if entry.key == "location"
    }
    return digest(file_digest(path), *(file_digest(path.parent / name) for name in sorted(named)))
