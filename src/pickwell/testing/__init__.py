"""For the tests of whoever writes a strategy or a format: contracts to inherit, and what stands in for a campaign."""

import pytest

# Before they are imported: what an assert of theirs has found is then shown.
pytest.register_assert_rewrite("pickwell.testing.strategy_contract", "pickwell.testing.format_contract")

from pickwell.testing.fakes import (  # noqa: E402
    FakeDenseLearner,
    FakeLearner,
    FakeStream,
    FakeView,
    blobs,
    scenes,
    train_auxiliary,
)
from pickwell.testing.format_contract import FormatContract  # noqa: E402
from pickwell.testing.strategy_contract import StrategyContract  # noqa: E402

__all__ = [
    "FakeDenseLearner",
    "FakeLearner",
    "FakeStream",
    "FakeView",
    "FormatContract",
    "StrategyContract",
    "blobs",
    "scenes",
    "train_auxiliary",
]
