import importlib.util
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from pickwell.report.report import Report

# Tests are imported by path, so their neighbours are too.
_spec = importlib.util.spec_from_file_location("report_examples", Path(__file__).with_name("examples.py"))
assert _spec is not None
assert _spec.loader is not None
_examples = importlib.util.module_from_spec(_spec)
sys.modules["report_examples"] = _examples
_spec.loader.exec_module(_examples)


@pytest.fixture(scope="session")
def example() -> Callable[..., Report]:
    """Makes a report of made-up runs: `example(strategies, seeds)`."""
    make: Callable[..., Report] = _examples.example
    return make
