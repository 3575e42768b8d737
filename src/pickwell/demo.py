"""A whole campaign on real handwritten digits, three classes absent from the first labels: VAAL beside random."""

import resource
import shutil
import sys
import time
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import torch
from sklearn.datasets import load_digits

from pickwell.campaign.status import interval_of
from pickwell.data.sources.digits import Digits
from pickwell.items import Label, Metrics, Round
from pickwell.learner.seeds import generator
from pickwell.loop.campaign import Campaign
from pickwell.loop.creation import create
from pickwell.loop.picking import versions
from pickwell.oracle import Simulated
from pickwell.report.campaign_page import page
from pickwell.report.galleries import Gallery, Picked
from pickwell.report.live import LiveTable
from pickwell.report.page import write
from pickwell.report.report import Report
from pickwell.statistics.runs import RoundRow, Run

STRATEGIES = ("random", "vaal", "vaal-diverse")
ABSENT = ("7", "8", "9")
INITIAL, BUDGET, ROUNDS, SEEDS = 40, 20, 5, 3
TEST = 450
SHOWN = 20

SETTINGS: Mapping[str, Any] = {
    "model.name": "small_cnn",
    "training.epochs": 60,
    "training.augment": "none",
    "training.learning_rate": 1e-3,
}
"""No flips: a mirrored digit is another sign, or none."""


@dataclass(frozen=True)
class Demo:
    """What the demo measured."""

    runs: tuple[Run, ...]
    report: Path
    seconds: float
    peak_mib: float

    def as_json(self) -> dict[str, Any]:
        """Per strategy and seed the accuracies, absent-class shares and monitors; wall time and peak memory."""
        runs = [
            {
                "strategy": run.strategy,
                "seed": run.seed,
                "labels": [row.labels for row in run.rounds],
                "accuracy": [row.accuracy for row in run.rounds],
                "absent_share": [row.shares["absent"] for row in run.rounds if row.shares],
                "monitors": [dict(row.monitors) for row in run.rounds if row.shares],
            }
            for run in self.runs
        ]
        return {"runs": runs, "report": str(self.report), "seconds": self.seconds, "peak_mib": self.peak_mib}


def demo(out: Path, seed: int = 0, *, silent: bool = False) -> Demo:
    """Runs every strategy under paired seeds, each in a campaign of its own below `out`, and writes the report."""
    began = time.perf_counter()
    pool, test, share = digits(out / "digits")
    keys = [(strategy, s) for s in range(seed, seed + SEEDS) for strategy in STRATEGIES]
    runs, galleries = [], []
    title = "Handwritten digits; 7, 8 and 9 are absent from the first labels"
    with LiveTable(title, keys, ROUNDS + 1, group="absent", silent=silent) as table:
        for strategy, s in keys:
            with _campaign(out / "campaigns" / f"{strategy}-{s}", pool, test, strategy, s) as campaign:
                run, questions = _run(campaign, s, table)
                runs.append(run)
                if s == seed:
                    galleries.append(_gallery(campaign, questions[0]))
    path = write(page(_report(runs, galleries, share)), out / "report.html")
    return Demo(tuple(runs), path, time.perf_counter() - began, peak_mib())


def digits(folder: Path) -> tuple[Path, Path, float]:
    """The digits as two Parquet sets, to pick from and to measure on, the same for every seed; the absent' share."""
    source, numerals = Digits(), load_digits().target
    order = torch.randperm(len(numerals), generator=generator(0, "digits")).tolist()
    paths = folder / "pool.parquet", folder / "test.parquet"
    folder.mkdir(parents=True, exist_ok=True)
    for path, rows in zip(paths, (sorted(order[TEST:]), sorted(order[:TEST])), strict=True):
        images = [{"bytes": source.read("", row, 1 << 20), "path": f"digit-{row:04d}.png"} for row in rows]
        pq.write_table(pa.table({"image": images, "label": [str(numerals[row]) for row in rows]}), path)
    return *paths, sum(str(numerals[row]) in ABSENT for row in order[TEST:]) / len(order[TEST:])


def peak_mib() -> float:
    """The most memory that this process has held, in MiB."""
    most = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return most / (1 << 20 if sys.platform == "darwin" else 1 << 10)


def _campaign(root: Path, pool: Path, test: Path, strategy: str, seed: int) -> Campaign:
    # A demo begins anew, but takes nothing away that is no campaign.
    if (root / "campaign.toml").exists():
        shutil.rmtree(root)
    create(root, pool, test=test, settings={**SETTINGS, "strategy.name": strategy, "seed": seed})
    campaign = Campaign(root)
    campaign.tell(first_labels(campaign, seed), imported=True, source="demo")
    return campaign


def first_labels(campaign: Campaign, seed: int) -> list[Label]:
    """Labels of `INITIAL` items drawn at random from the classes that are not absent: the same for every strategy."""
    known = campaign.pool.manifest.known()
    present = [(item, name) for item, name in enumerate(known) if name not in ABSENT]
    drawn = torch.randperm(len(present), generator=generator(seed, "first labels"))[:INITIAL]
    return [Label(*present[at]) for at in drawn.tolist()]


def _run(campaign: Campaign, seed: int, table: LiveTable) -> tuple[Run, list[Round]]:
    """One campaign from its first fit to its last, told to the table as it goes on."""
    strategy, oracle = str(campaign.settings.strategy["name"]), Simulated(campaign.task, campaign.pool)

    def working(what: str, done: int, total: int) -> None:
        table.working(strategy, seed, what, done / total)

    campaign.progress = working
    rows, questions = [_row(0, campaign.fit())], []
    table.update(strategy, seed, rows[0])
    for number in range(1, ROUNDS + 1):
        question = campaign.ask(BUDGET)
        answers = oracle.answer([campaign.pool.item(pick.item) for pick in question.picks])
        campaign.tell(answers, source="simulated")
        counts = Counter(str(answer.value) for answer in answers)
        kept = campaign.store.details(question.number)
        rows.append(_row(number, campaign.fit(), counts, kept.monitors, kept.timings))
        table.update(strategy, seed, rows[-1])
        questions.append(question)
    return Run(strategy, seed, tuple(rows)), questions


def _row(
    number: int,
    metrics: Metrics,
    counts: Mapping[str, int] | None = None,
    monitors: Mapping[str, Any] | None = None,
    timings: Mapping[str, float] | None = None,
) -> RoundRow:
    interval = interval_of(metrics) or (None, None)
    absent = {"absent": sum(counts[name] for name in ABSENT) / counts.total()} if isinstance(counts, Counter) else {}
    return RoundRow(
        round=number,
        labels=metrics.labels,
        accuracy=metrics.accuracy,
        low=interval[0],
        high=interval[1],
        shares=absent,
        class_counts=counts or {},
        monitors=monitors or {},
        timings=timings or {},
    )


def _gallery(campaign: Campaign, question: Round) -> Gallery:
    picks = []
    for pick in question.picks[:SHOWN]:
        item = campaign.pool.item(pick.item)
        image = campaign.pool.bytes(pick.item)
        picks.append(Picked(item.id, item.name, pick.rank, pick.score, item.known, image, item.known in ABSENT))
    strategy = str(campaign.settings.strategy["name"])
    return Gallery(
        f"{strategy}: the first query", tuple(picks), "Framed: a class that was absent from the first labels."
    )


def _report(runs: Sequence[Run], galleries: Sequence[Gallery], share: float) -> Report:
    return Report(
        title="Pickwell demo: handwritten digits",
        subtitle=(
            f"{INITIAL} labels without the classes 7, 8 and 9, then {BUDGET} a round for {ROUNDS} rounds; "
            f"accuracy on {TEST} digits that are never trained on."
        ),
        runs=tuple(runs),
        galleries=tuple(galleries),
        classes=tuple("0123456789"),
        marked=ABSENT,
        pool_shares={"absent": share},
        settings=SETTINGS,
        versions=versions(),
    )
