import importlib.util
import sys
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from pickwell.experiments.experiment import Experiment

# Tests are imported by path, so their neighbours are too.
_spec = importlib.util.spec_from_file_location("benchmark_trees", Path(__file__).with_name("trees.py"))
assert _spec is not None
assert _spec.loader is not None
_trees = importlib.util.module_from_spec(_spec)
sys.modules["benchmark_trees"] = _trees
_spec.loader.exec_module(_trees)

TINY: dict[str, Any] = {
    "title": "Tiny",
    "seeds": 2,
    "data": {"set": "digits", "train": 120, "test": 60},
    "start": {"labels": 30},
    "rounds": {"count": 2, "budget": 10},
    "model": {"name": "small_cnn", "image_size": 16, "width": 0.25},
    "training": {"epochs": 1, "augment": "none", "learning_rate": 1e-3, "precision": "fp32"},
    "methods": {"random": {}, "margin": {}},
}


@pytest.fixture(scope="session")
def trees() -> ModuleType:
    """Writes tiny data sets in the official layouts."""
    return _trees


@pytest.fixture
def tiny() -> Experiment:
    return Experiment.parse(TINY)
