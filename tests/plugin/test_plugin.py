"""A package of another author, installed with pip: found, asked, held to the contract, named in a cell."""

import json
import os
import re
import shutil
import subprocess
import sysconfig
import venv
from collections.abc import Callable
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pytest

import pickwell

HERE = Path(__file__).parent
CONTRACT = """
from pickwell_darkest import Darkest
from pickwell.testing import StrategyContract

class TestClasses(StrategyContract):
    def make(self):
        return Darkest(weight=2.0)

class TestMasks(TestClasses):
    masks = True
"""
CELL = """
import sys
from pathlib import Path
import pickwell_darkest
from pickwell.experiments import code_hash
from pickwell.experiments.cells import Cell
from pickwell.experiments.experiment import load

tiny = load("digits")[1].changed({"methods.darkest-first": {"weight": 2.0}})
cell = Cell(tiny, "darkest-first", 0)
before = cell.folder
path = Path(pickwell_darkest.__file__)
path.write_text(path.read_text().replace("BRIGHTEST = 1.0", "BRIGHTEST = 2.0"))
code_hash.digest.cache_clear()
print(before, cell.folder)
"""

Run = Callable[..., str]
pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Run:
    """Runs Python of an environment with the package, in a folder of its own."""
    if not (find_spec("pip") and find_spec("setuptools")):  # looked for, not imported: they change others' imports
        pytest.skip("pip or setuptools is not installed here")
    root = tmp_path_factory.mktemp("plugin")
    # Nothing is fetched: pip, setuptools and all that we need are those of the environment that runs the tests.
    venv.create(root / "venv", with_pip=False)
    (site,) = (root / "venv").glob("lib/python*/site-packages")
    (site / "ours.pth").write_text(f"{sysconfig.get_path('purelib')}\n")
    assert pickwell.__file__ is not None
    source = Path(pickwell.__file__).parents[1]

    def run(*command: str) -> str:
        ended = subprocess.run(
            [root / "venv/bin/python", *command], cwd=root, text=True, capture_output=True, timeout=250,
            env=os.environ | {"PYTHONPATH": str(source), "OMP_NUM_THREADS": "1"},
        )  # fmt: skip
        assert ended.returncode == 0, ended.stdout + ended.stderr
        return ended.stdout

    shutil.copytree(HERE, root / "package", ignore=shutil.ignore_patterns("test_*", "__pycache__"))
    run("-m", "pip", "install", "--no-index", "--no-deps", "--no-build-isolation", "./package")
    return run


def test_the_command_line_finds_it_and_asks_it(run: Run) -> None:
    def command(*words: str) -> dict[str, Any]:
        found: dict[str, Any] = json.loads(run("-m", "pickwell", *words, "--json"))
        return found

    assert command("strategies")["darkest-first"] == {
        "package": "pickwell-darkest",
        "what": "Picks the darkest images first; the score is how much darker than white they are.",
        "use_when": "what is hard to see is to be labelled.",
        "source": "an example.",
    }
    quick = ("--set", "training.epochs=1", "--set", "model.width=0.25", "--set", "validation.share=0")
    command("init", "campaign", "--images", "digits", *quick)
    command("run", "campaign", "--rounds", "1", "--budget", "20", "--strategy", "darkest-first")
    asked = command("ask", "campaign", "--budget", "5", "--strategy", "darkest-first")
    assert (asked["round"], asked["strategy"]) == (2, "darkest-first")
    scores = [pick["score"] for pick in asked["picks"]]
    assert scores == sorted(scores, reverse=True)
    assert 0.5 < scores[0] <= 1


def test_the_contract_that_we_ship_passes_on_it(run: Run, tmp_path: Path) -> None:
    (tmp_path / "test_darkest.py").write_text(CONTRACT)
    said = run("-m", "pytest", "-q", "-p", "no:cacheprovider", str(tmp_path / "test_darkest.py"))
    assert re.search(r"^\d\d passed", said, re.MULTILINE)


def test_its_name_and_its_code_are_in_a_cells_identity(run: Run) -> None:
    before, after = run("-c", CELL).split()
    assert before.startswith("darkest-first.s0.")
    assert before[:-4] == after[:-4]
    assert before[-4:] != after[-4:]
