"""How often the judging finds an effect where there is none: `python -m benchmarks.false_claims`.

Every experiment is made up so that its methods differ by chance alone, then judged as a report judges: AUBC, paired
t-tests, Holm over all pairs. One with any claim at all is a false one. Printed are the rate with its exact 95 %
interval, and the counts in each 200 experiments: a single 200 says little, for its count alone spreads by 3.
"""

import json
import sys
import time

import numpy as np
from scipy import stats

from pickwell.statistics.comparisons import ALPHA, compare
from pickwell.statistics.runs import RoundRow, Run

CASES = ((3, 3), (6, 5), (10, 10))
"""Methods, seeds."""
PART, PARTS = 200, 50
LABELS = (100, 150, 200, 300)


def without_effect(rng: np.random.Generator, methods: int, seeds: int) -> list[Run]:
    """Runs that share each seed's luck and differ by noise alone."""
    values = 0.9 - 40 / np.array(LABELS) + rng.normal(0, 0.02, (seeds, 1)) + rng.normal(0, 0.01, (methods, seeds, 4))
    return [
        Run(str(m), s, tuple(map(RoundRow, range(len(LABELS)), LABELS, values[m, s].tolist())))
        for m in range(methods) for s in range(seeds)
    ]  # fmt: skip


def main() -> None:
    for methods, seeds in CASES:
        rng, began, counts = np.random.default_rng([methods, seeds]), time.perf_counter(), []
        for part in range(PARTS):
            counts.append(
                sum(any(c.verdict for c in compare(without_effect(rng, methods, seeds), "0")) for _ in range(PART))
            )
            print(f"\r{methods} methods, {seeds} seeds: {PART * (part + 1):,} experiments", end="", file=sys.stderr)
        print(file=sys.stderr)
        rate = stats.binomtest(sum(counts), PART * PARTS, ALPHA)
        low, high = rate.proportion_ci()
        row = {
            "methods": methods,
            "seeds": seeds,
            "experiments": PART * PARTS,
            "rate": rate.statistic,
            "interval": [round(float(low), 4), round(float(high), 4)],
            "in_each_200": [min(counts), float(np.median(counts)), max(counts)],
            "seconds": round(time.perf_counter() - began),
        }
        print(json.dumps(row), flush=True)


if __name__ == "__main__":
    main()
