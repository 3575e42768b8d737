"""Made-up runs to test with and to look at: `python tests/report/examples.py OUT` writes their report."""

import io
import sys
from pathlib import Path

import numpy as np
from PIL import Image
from sklearn.datasets import load_digits

from pickwell.report.campaign_page import page
from pickwell.report.galleries import Gallery, Picked
from pickwell.report.page import write
from pickwell.report.report import Report
from pickwell.statistics.runs import RoundRow, Run

CLASSES = tuple("0123456789")
GAINS = {"random": 0.0, "vaal": 0.01, "vaal-diverse": 0.05}
SHARES = {"random": 0.30, "vaal": 0.85, "vaal-diverse": 0.62}


def run(strategy: str, seed: int, rounds: int = 5, gain: float | None = None) -> Run:
    """A run whose curve rises like a real one's; runs of one seed share their luck."""
    luck, own = np.random.default_rng(seed), np.random.default_rng([seed, *strategy.encode()])
    gain = GAINS.get(strategy, 0.02) if gain is None else gain
    shared = luck.normal(0, 0.012)
    rows = []
    for number in range(rounds + 1):
        level = 0.95 - 0.25 * 0.6**number + shared + (gain * min(number, 2) / 2) * 0.8 + own.normal(0, 0.006)
        rows.append(row(strategy, number, float(min(level, 0.995)), own))
    return Run(strategy, seed, tuple(rows))


def row(strategy: str, number: int, accuracy: float, own: np.random.Generator) -> RoundRow:
    if number == 0:
        return RoundRow(0, 40, accuracy)
    share = float(np.clip(SHARES.get(strategy, 0.4) * 0.93**number + own.normal(0, 0.04), 0.05, 1))
    chances = [(1 - share) / 7] * 7 + [share / 3] * 3
    counts = own.multinomial(20, chances)
    monitors = vaal_monitors(number, own) if strategy.startswith("vaal") else {}
    return RoundRow(
        number, 40 + 20 * number, accuracy, shares={"absent": share}, monitors=monitors,
        class_counts=dict(zip(CLASSES, counts.tolist(), strict=True)), timings={"fit": 2.1, "query": 0.31},
    )  # fmt: skip


def vaal_monitors(number: int, own: np.random.Generator) -> dict[str, object]:
    new, old = own.beta(2.6, 1.2, 1600), own.beta(1.2, 4, 40 + 20 * number)
    return {
        "active_units": int(own.integers(14, 17)), "latent_units": 16,
        "kl_per_unit": (own.gamma(2, 0.9, 16)).round(4).tolist(),
        "discriminator_auc": 0.97 + own.normal(0, 0.004), "discriminator_auc_held_out": 0.72 + own.normal(0, 0.03),
        "score_histogram": np.histogram(new, 20, (0, 1))[0].tolist(),
        "score_histogram_labelled": np.histogram(old, 20, (0, 1))[0].tolist(),
        "warnings": ["D saturated: it tells labelled from unlabelled perfectly (AUC 0.998); train fewer steps"]
        if number == 4 else [],
    }  # fmt: skip


def gallery(strategy: str, number: int, count: int = 20) -> Gallery:
    digits = load_digits()
    own = np.random.default_rng([number, *strategy.encode()])
    items = own.choice(len(digits.images), count, replace=False)
    scores = np.sort(own.beta(5, 1, count))[::-1]
    picks = [
        Picked(int(i), f"digit-{i}", k + 1, float(scores[k]), str(digits.target[i]), thumbnail(digits.images[i]),
               marked=digits.target[i] >= 7)
        for k, i in enumerate(items)
    ]  # fmt: skip
    return Gallery(f"{strategy}, round {number}", tuple(picks), "seed 0")


def thumbnail(values: np.ndarray) -> bytes:
    buffer = io.BytesIO()
    Image.fromarray((255 - values * 255 / 16).clip(0, 255).astype(np.uint8)).save(buffer, "PNG")
    return buffer.getvalue()


def example(strategies: tuple[str, ...] = ("random", "vaal", "vaal-diverse"), seeds: int = 5) -> Report:
    runs = tuple(run(name, seed) for name in strategies for seed in range(seeds))
    return Report(
        title="Which handwritten digits are worth labelling?",
        subtitle="1,797 digits; 40 labelled at first, none of them a 7, 8 or 9; 5 rounds of 20. Made up.",
        runs=runs, galleries=tuple(gallery(name, r) for r in (1, 5) for name in strategies),
        classes=CLASSES, marked=("7", "8", "9"), pool_shares={"absent": 0.32},
        notes=("A small convolutional network was trained from scratch after each round, and measured on 360 digits "
               "that no strategy could pick.",),
        settings={"strategy.beta": 1.0, "strategy.observation": "calibrated", "learner.steps": 300, "budget": 20},
        versions={"pickwell": "0.1.0", "torch": "2.13.0", "Python": "3.11.7"},
    )  # fmt: skip


if __name__ == "__main__":
    out = Path(sys.argv[1])
    out.mkdir(parents=True, exist_ok=True)
    many = ("random", "core-set", "entropy", "margin", "badge", "vaal", "vaal-diverse", "mc-dropout", "ensemble", "qbc")
    write(page(example()), out / "report.html")
    write(page(example(many)), out / "many.html")
    write(page(example(("vaal-diverse",), 1)), out / "one.html")
