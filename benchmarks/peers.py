"""The strategies of scikit-activeml beside ours of the same names: `python -m benchmarks.peers`.

The library lives in an environment of its own: `python -m venv .venv-peers` and `.venv-peers/bin/pip install
scikit-activeml==1.0.1`. It sees the vectors, first labels and heads of the few-labels experiments and answers with
picks, through files; our head learns from these, so that picks alone differ. Ours are the committed results of those
experiments. Curves that are there already are not measured again: `--seeds 20` after `--seeds 5` adds fifteen.
"""

import argparse
import json
import os
import subprocess
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow.parquet as pq
import torch
from torch import Tensor

from benchmarks.curve_file import CurveFile, compared, curves, family, gain, told, write
from benchmarks.vector_campaign import VectorCampaign
from pickwell.experiments.experiment import load

SETS = ("clothing", "cifar10", "grocery")
RULES = ("margin", "core-set", "typiclust", "dropquery", "maxherding", "probcover", "badge")
BASELINE, DEFAULT = "random", "uherding"
RESULTS = Path(__file__).parents[1] / "results"
INSTALL = ".venv-peers/bin/pip install scikit-activeml==1.0.1"


class Peer:
    """The library at work on a folder that holds the rows."""

    def __init__(self, folder: Path, process: "subprocess.Popen[str]") -> None:
        self.folder, self.process = folder, process
        self.seconds, self.peak = 0.0, 0.0

    def ask(self, rule: str, seed: int, labelled: Tensor, weight: Tensor, bias: Tensor, budget: int) -> Tensor:
        """The places that the rule picks; its time and memory are kept."""
        assert self.process.stdin
        assert self.process.stdout
        np.savez(self.folder / "asked.npz", labelled=labelled, weight=weight, bias=bias)
        print(rule, seed, budget, file=self.process.stdin, flush=True)
        if not (answer := self.process.stdout.readline()):
            raise SystemExit(f"the peer's {rule} ended without an answer (status {self.process.wait()})")
        self.seconds, self.peak = map(float, answer.split())
        return torch.from_numpy(np.load(self.folder / "picks.npy"))


@contextmanager
def peer(python: Path, rows: Tensor) -> Iterator[Peer]:
    """The library in a process of its own."""
    with tempfile.TemporaryDirectory() as folder:
        np.save(Path(folder) / "rows.npy", rows)
        command = [str(python), str(Path(__file__).with_name("peer_picks.py")), folder]
        alone = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
        with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, env=alone) as process:
            yield Peer(Path(folder), process)
            assert process.stdin
            process.stdin.close()


def measure(name: str, rules: Sequence[str], seeds: int, python: Path, kept: CurveFile) -> None:
    """Adds the curves that are not there yet."""
    done = kept.done()
    if not (wanted := [(rule, seed) for rule in rules for seed in range(seeds) if (name, rule, seed) not in done]):
        return
    campaign = VectorCampaign.of(load(f"few-labels-{name}")[1], kept.path.parent)
    _check_same(name, campaign)
    for rule in dict.fromkeys(rule for rule, _ in wanted):
        with peer(python, campaign.rows) as asked:
            for seed in (seed for one, seed in wanted if one == rule):
                kept.add(name, rule, seed, _points(campaign, asked, rule, seed))
                print(name, rule, seed, f"{asked.seconds:.1f} s, {asked.peak:.0f} MiB", flush=True)


def _points(campaign: VectorCampaign, asked: Peer, rule: str, seed: int) -> Iterator[dict[str, Any]]:
    for number, point in enumerate(campaign.curve(seed, lambda *known: asked.ask(rule, seed, *known))):
        cost = {"query_seconds": round(asked.seconds, 2), "peak_mib": round(asked.peak)} if number else {}
        yield point | cost


def _check_same(name: str, campaign: VectorCampaign) -> None:
    """Refuses vectors other than those that our results are of."""
    ours = pq.read_table(_ours(name) / "cells.parquet", columns=["data"])["data"].unique().to_pylist()
    if ours != [campaign.prepared.fingerprint]:
        raise SystemExit(
            f"the vectors of {name} are not those of {_ours(name)}; measure ours anew on this machine first: "
            f"pickwell bench run few-labels-{name}"
        )


def judge(name: str, kept: CurveFile) -> Iterator[dict[str, Any]]:
    """The default against each of the peer's, and ours against the peer's of the same name: one family of tests a set.

    Gains are over random under the same seeds, in the mean of the curve's points.
    """
    measured = pq.read_table(_ours(name) / "results.parquet", filters=[("metric", "==", "accuracy")])
    ours, theirs = curves(measured.to_pylist(), "value"), kept.curves(name)
    pairs = [(first, rule) for rule in theirs for first in (rule, DEFAULT)]
    found = [compared(first, ours[first], rule, theirs[rule]) for first, rule in pairs]
    for one in family(found):
        gains = [gain(each, ours[BASELINE], theirs[one.second]) for each in (ours[one.first], theirs[one.second])]
        who = {"set": name, "ours": one.first, "theirs": one.second}
        yield who | {"gain_of_ours": round(gains[0], 2), "gain_of_theirs": round(gains[1], 2)} | told(one)


def _ours(name: str) -> Path:
    return RESULTS / f"few-labels-{name}" / "data"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--python", type=Path, default=Path(".venv-peers/bin/python"))
    parser.add_argument("--seeds", type=int, default=10)
    parser.add_argument("--sets", nargs="+", default=SETS, choices=SETS)
    parser.add_argument("--rules", nargs="+", default=RULES, choices=RULES)
    chosen = parser.parse_args()
    if not chosen.python.exists():
        raise SystemExit(f"no {chosen.python}; make it: python -m venv .venv-peers, then {INSTALL}")
    kept = CurveFile(RESULTS / "few-labels-peers" / "curves.csv", ("query_seconds", "peak_mib"))
    for name in chosen.sets:
        measure(name, chosen.rules, chosen.seeds, chosen.python, kept)
    judged = [row for name in SETS for row in judge(name, kept)]
    write(kept.path.with_name("pairs.csv"), judged)
    for row in judged:
        print(json.dumps(row))


if __name__ == "__main__":
    main()
