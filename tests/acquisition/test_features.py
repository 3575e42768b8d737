"""Tables of features: the same in memory and on disk, and a full disk is said."""

import errno
import os
from collections.abc import Callable
from tempfile import gettempdir

import numpy as np
import pytest
import torch

from pickwell.acquisition import features
from pickwell.acquisition.features import allocate, gathered
from pickwell.errors import TrainingError


@pytest.mark.parametrize("limit", [0, 1 << 20])
def test_parts_come_one_after_another_wherever_the_table_is(monkeypatch: pytest.MonkeyPatch, limit: int) -> None:
    monkeypatch.setattr(features, "IN_MEMORY", limit)
    assert isinstance(allocate(3, 2), np.memmap) is (limit == 0)
    parts = [torch.arange(6.0).view(2, 3), torch.arange(6, 9).view(1, 3).half()]
    assert gathered(iter(parts), torch.arange(3)).tolist() == [[0, 1, 2], [3, 4, 5], [6, 7, 8]]
    with pytest.raises(AssertionError, match="3 feature vectors for 4 items"):
        gathered(iter(parts), torch.arange(4))


@pytest.mark.parametrize("value", [torch.nan, torch.inf])
def test_features_that_are_not_numbers_are_refused_by_item(value: float) -> None:
    parts = [torch.zeros(2, 3), torch.tensor([[0.0, 0.0, 0.0], [0.0, value, 0.0]])]
    with pytest.raises(TrainingError, match=rf"a feature of item 9 is {value}, not a number: .* lower learning rate"):
        gathered(iter(parts), torch.tensor([1, 4, 6, 9]))


def test_a_full_disk_is_an_error_that_names_the_place(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[int] = []

    def full(file: int, start: int, size: int) -> None:
        asked.append(size)
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(features, "IN_MEMORY", 0)
    reserve: Callable[[int, int, int], None] = full
    monkeypatch.setattr(os, "posix_fallocate", reserve, raising=False)
    with pytest.raises(OSError, match="No space left") as caught:
        allocate(100, 5)
    assert (caught.value.errno, caught.value.filename, asked) == (errno.ENOSPC, gettempdir(), [2000])
