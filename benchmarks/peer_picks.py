"""The peer's half of `benchmarks.peers`, run by an environment that has scikit-activeml and none of ours.

Its argument is a folder that holds `rows.npy`. Each line of its input is a rule, a seed and a budget; `asked.npz`
then holds the places of the labelled rows and the head's weights and biases. The answer is `picks.npy`, and a line: the
seconds of the query and the most memory that this process has held, in MiB.
"""

import sys
import time
from collections.abc import Callable
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np
from skactiveml import pool
from skactiveml.base import SkactivemlClassifier

RULES: dict[str, Callable[..., Any]] = {
    "margin": lambda classes, seed: pool.UncertaintySampling(method="margin_sampling", random_state=seed),
    "badge": lambda classes, seed: pool.Badge(random_state=seed),
    "core-set": lambda classes, seed: pool.CoreSet(random_state=seed),
    "typiclust": lambda classes, seed: pool.TypiClust(random_state=seed),
    "probcover": lambda classes, seed: pool.ProbCover(n_classes=classes, random_state=seed),
    "maxherding": lambda classes, seed: pool.MaxHerding(random_state=seed),
    "dropquery": lambda classes, seed: pool.DropQuery(random_state=seed),
}
"""Its strategies of the same names as ours, with its own defaults."""
MODEL = ("margin", "badge", "dropquery")
"""Those that ask the head."""


class Head(SkactivemlClassifier):  # type: ignore[misc]
    """A linear head that was fitted elsewhere."""

    def __init__(self, classes: Any = None, weight: Any = None, bias: Any = None) -> None:
        super().__init__(classes=classes)
        self.weight, self.bias = weight, bias

    def fit(self, rows: Any, known: Any, sample_weight: Any = None) -> "Head":
        return self

    def predict_proba(self, rows: Any) -> Any:
        logits = rows @ self.weight.T + self.bias
        powers = np.exp(logits - logits.max(1, keepdims=True))
        return powers / powers.sum(1, keepdims=True)

    def predict(self, rows: Any) -> Any:
        return self.predict_proba(rows).argmax(1)


@lru_cache(maxsize=1)
def strategy(rule: str, classes: int, seed: int) -> Any:
    """One object for each campaign, as the library's tutorials have it."""
    return RULES[rule](classes, seed)


def picked(rows: Any, asked: Any, rule: str, seed: int, budget: int) -> Any:
    classes = len(asked["bias"])
    known = np.full(len(rows), np.nan)
    known[asked["labelled"]] = 0  # which rows are labelled; what their labels are, the head knows
    head = Head(list(range(classes)), asked["weight"], asked["bias"])
    model = {"clf": head, "fit_clf": False} if rule in MODEL else {}
    return strategy(rule, classes, seed).query(rows, known, batch_size=budget, **model)


def peak() -> float:
    """The most memory of this program; what `getrusage` says is also of the one that started it."""
    (line,) = (line for line in Path("/proc/self/status").read_text(encoding="utf-8").splitlines() if "VmHWM" in line)
    return int(line.split()[1]) / 1024


def main() -> None:
    folder = Path(sys.argv[1])
    rows = np.load(folder / "rows.npy")
    for line in sys.stdin:
        rule, seed, budget = line.split()
        with np.load(folder / "asked.npz") as asked:
            began = time.perf_counter()
            places = picked(rows, asked, rule, int(seed), int(budget))
        seconds = time.perf_counter() - began
        np.save(folder / "picks.npy", np.asarray(places, dtype=np.int64))
        print(seconds, peak(), flush=True)


if __name__ == "__main__":
    main()
