"""Every strategy on both tasks picks, scores and reaches what was recorded before the package was rearranged.

`python -m tests.golden.record` records anew. Only a change that is meant to change results may do that.
"""

import copy
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import torch
from tests.golden import runs
from tests.golden.comparing import HARDWARE, differences, recorded, rounded

QUICK = {
    "classification": {*runs.GROUPS["classification"]} - {"dbal", "least-confidence", "qbc"},
    "segmentation": {"badge", "suggestive-annotation", "vaal"},
    "campaigns": {"held out", "skips and corrections"},
}
"""The runs that every `make test` makes; `make test-slow` makes the others."""
RUNS = [
    pytest.param(group, name, id=f"{group}: {name}", marks=[] if name in QUICK.get(group, ()) else pytest.mark.slow)
    for group, each in runs.GROUPS.items()
    for name in each
]


@pytest.fixture(scope="module", autouse=True)
def _threads() -> Iterator[None]:
    before = torch.get_num_threads()
    torch.set_num_threads(runs.THREADS)
    yield
    torch.set_num_threads(before)


@pytest.fixture(scope="module")
def base(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("golden")


@pytest.mark.parametrize(("group", "name"), RUNS)
def test_a_run_gives_what_was_recorded(base: Path, group: str, name: str) -> None:
    same_kind = json.loads(HARDWARE.read_text(encoding="utf-8"))["kind"] == runs.kind()
    if name.startswith("bf16") and not same_kind:
        pytest.skip("three digits round otherwise on another kind of CPU")
    found = rounded(runs.run(group, name, base))
    assert differences(recorded(group)[name], found, same_kind=same_kind) == []


def test_every_strategy_is_recorded_on_both_tasks() -> None:
    for group in ("classification", "segmentation"):
        assert sorted(recorded(group)) == sorted(runs.GROUPS[group]) == runs.available()


@pytest.mark.parametrize("group", runs.GROUPS)
def test_what_is_recorded_is_what_is_run(group: str) -> None:
    assert [*recorded(group)] == [*runs.GROUPS[group]]


def changed(**parts: Any) -> tuple[dict[str, Any], dict[str, Any]]:
    """A recorded run, and one of which the second round is another."""
    was = recorded("classification")["margin"]
    now = copy.deepcopy(was)
    now["round 2"] |= parts
    return was, now


@pytest.mark.parametrize("same_kind", [True, False])
def test_a_run_is_as_itself(same_kind: bool) -> None:
    for group in runs.GROUPS:
        for values in recorded(group).values():
            assert differences(values, copy.deepcopy(values), same_kind=same_kind) == []


def test_on_the_same_kind_of_cpu_a_small_difference_is_seen() -> None:
    picks, scores = (recorded("classification")["margin"]["round 2"][name] for name in ("picks", "scores"))
    swapped, shifted = [picks[1], picks[0], *picks[2:]], [*scores[:-1], scores[-1] * 1.001]
    for parts, place in (({"picks": swapped}, "picks"), ({"scores": shifted}, "scores/7")):
        (said,) = differences(*changed(**parts), same_kind=True)
        assert said.startswith(f"/round 2/{place}: ")
    assert differences(*changed(scores=[*scores[:-1], scores[-1] * 1.00001]), same_kind=True) == []
    was, now = changed()
    del now["fit before round 2"]["values"]["accuracy"]
    (said,) = differences(was, now, same_kind=True)
    assert said.startswith("/fit before round 2/values: has ")


def test_on_another_kind_of_cpu_a_large_difference_is_seen() -> None:
    picks, scores = (recorded("classification")["margin"]["round 2"][name] for name in ("picks", "scores"))
    for parts in ({"picks": [*picks[:3], "a", "b", "c", "d", "e"]}, {"scores": [*scores[:-1], scores[-1] + 0.5]},
                  {"strategy": "vaal"}, {"picks": picks[:-1]}):  # fmt: skip
        assert len(differences(*changed(**parts), same_kind=False)) == 1
    # Neighbours that change places change the labels of all that follows, but not the fit that was before.
    was, now = changed(picks=[picks[1], picks[0], *picks[2:]])
    now["fit before round 3"]["values"]["accuracy"] += 0.3
    assert differences(was, now, same_kind=False) == []
    now["fit before round 2"]["values"]["accuracy"] += 0.3
    assert len(differences(was, now, same_kind=False)) == 1
