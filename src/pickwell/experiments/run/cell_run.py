"""One cell from its first labels to its result: a campaign that goes on where it was stopped."""

import json
import os
import platform
import shutil
from collections import Counter
from contextlib import closing
from dataclasses import asdict
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import torch

from pickwell.campaign.directory import Directory, new_directory
from pickwell.campaign.progress_file import ProgressFile
from pickwell.config import NO_ENCODER, Settings
from pickwell.data.pool import Pool
from pickwell.errors import SettingsError
from pickwell.experiments.cells import Cell
from pickwell.experiments.data.prepare import Prepared
from pickwell.experiments.experiment import FORMAT, FULL
from pickwell.experiments.run.cell_progress import plain, write_rounds
from pickwell.files import replacing
from pickwell.items import Round, RoundKind, RoundState
from pickwell.learner.generators import generator
from pickwell.loop.campaign import Campaign
from pickwell.loop.held_out import versions
from pickwell.loop.round_loop import run
from pickwell.oracle import Noisy, Oracle, Simulated
from pickwell.seeds import derive
from pickwell.store import Store


def run_cell(cell: Cell, prepared: Prepared, root: Path) -> dict[str, Any]:
    """Runs the cell in the directory `root` until its result is written; returns the result."""
    if not (root / "campaign.toml").exists():
        _create(cell, prepared, root)
    resumes = _count_resumes(root)
    with closing(ProgressFile(root)) as progress, Campaign(root, progress=progress) as campaign:
        _share_images(campaign, prepared)
        oracle, shown = _oracle(cell, campaign, prepared), showing(campaign.pool, prepared)
        absent = absent_classes(cell, prepared.classes)
        # An empty log: the first labels are not told yet. A cell that was stopped has them.
        if not campaign.store.position():
            first = first_items(cell, shown, absent)
            campaign.tell(oracle.answer([campaign.pool.item(item) for item in first]), imported=True, source="start")
        rows = partial(_rows, campaign, absent, shown)
        asked = campaign.store.rounds(RoundKind.ASKED, picks=False)
        left = cell.rounds - sum(question.state is RoundState.CLOSED for question in asked)
        told = [lambda _: write_rounds(root, rows())]
        run(campaign, oracle, cell.experiment.rounds.budget, rounds=left, callbacks=told, final=True)
        result = _result(cell, prepared, campaign, absent)
        result |= {"rounds": _with_picks(rows(), cell, campaign), "resumes": resumes}
    with replacing(root / "result.json") as new:
        new.write_text(json.dumps(result, default=plain), encoding="utf-8")
    # Only now: until there is a result, a stopped cell goes on from these.
    shutil.rmtree(root / "fits", ignore_errors=True)
    return result


def _share_images(campaign: Campaign, prepared: Prepared) -> None:
    """Puts images that all cells of this process share in place of the campaign's own."""
    sizes = campaign.settings.model.image_size, campaign.settings.training.memory_limit_mib
    campaign.images = prepared.images(prepared.pool, *sizes)
    campaign.test_images = prepared.images(prepared.test, *sizes)
    # Decoded now if they are to be kept, so that no method's query pays for it.
    next(iter(campaign.images.batches(torch.arange(len(campaign.pool)), 1)), None)


def _create(cell: Cell, prepared: Prepared, root: Path) -> None:
    """Makes the campaign; its pools are links to those that all cells share."""
    settings = campaign_settings(cell, prepared.classes)
    with new_directory(root) as partial:
        directory = Directory(partial)
        for link, target in ((directory.pool, prepared.pool), (directory.test, prepared.test)):
            # Relative, so that a results folder can be moved; and to where the directory will be, not where it is made.
            link.symlink_to(os.path.relpath(target.resolve(), root.resolve()), target_is_directory=True)
        directory.settings.write_text(settings.toml(), encoding="utf-8")
        (partial / "cell.json").write_text(json.dumps(cell.facts(), indent=1, default=plain), encoding="utf-8")
        with Store.open(directory.url(settings), create=True) as store:
            store.create_campaign(name=settings.name, seed=cell.seed, settings=settings.dump(), versions=versions())


def campaign_settings(cell: Cell, classes: tuple[str, ...]) -> Settings:
    """The cell as a campaign's settings."""
    chosen = cell.experiment
    return Settings.parse(
        {
            "name": str(cell),
            "seed": cell.seed,
            # The pool's own masks are read by its sources; those told are the campaign's, which have no void values.
            "task": {"kind": chosen.task, "classes": list(classes)},
            "encoder": chosen.data.encoder if chosen.training.finetune else NO_ENCODER,
            "model": chosen.model.model_dump(),
            "training": chosen.training.model_dump(),
            "validation": chosen.validation.model_dump(),
            "strategy": cell.chosen,
        }
    )


def _count_resumes(root: Path) -> int:
    """How many times the cell was resumed, this time included: 0 at its first start."""
    count = root / "resumes"
    times = int(count.read_text(encoding="utf-8")) + 1 if count.exists() else 0
    # In one move: a file cut short by a kill or a full disk could not be read by any later try.
    with replacing(count) as new:
        new.write_text(str(times), encoding="utf-8")
    return times


def _oracle(cell: Cell, campaign: Campaign, prepared: Prepared) -> Oracle:
    """By the seed alone, so that an image is labelled wrongly under every method or under none."""
    truth = Simulated(campaign.task, campaign.pool)
    noise = cell.experiment.oracle.noise
    return Noisy(truth, noise, prepared.groups, derive(cell.seed, "oracle")) if noise else truth


def absent_classes(cell: Cell, classes: tuple[str, ...]) -> tuple[str, ...]:
    """The classes that the first labels lack: those named, or so many drawn by the seed."""
    absent = cell.experiment.start.absent
    if cell.method == FULL or not absent:
        return ()
    if isinstance(absent, tuple):
        wrong = sorted(set(absent) - set(classes))
        if wrong:
            raise SettingsError(f"start.absent names {', '.join(wrong)}; the classes are {', '.join(classes)}")
        return absent
    if absent > len(classes) - 2:
        raise SettingsError(f"start.absent is {absent} of {len(classes)} classes; at least 2 must have first labels")
    order = torch.randperm(len(classes), generator=generator(cell.seed, "absent"))[:absent]
    return tuple(sorted(classes[at] for at in order.tolist()))


Shown = list[tuple[str, ...]]
"""By item, the classes that it shows: one, or all that are in its mask."""


def showing(pool: Pool, prepared: Prepared) -> Shown:
    """What each item of the pool shows."""
    counts = prepared.shown()
    if counts is None:
        return [(str(name),) for name in pool.manifest.known()]
    names = np.array(prepared.classes)
    return [tuple(names[row > 0].tolist()) for row in counts]


def first_items(cell: Cell, shown: Shown, absent: tuple[str, ...]) -> list[int]:
    """The items labelled at first: by the seed alone, so the same for every method."""
    if cell.method == FULL:
        return list(range(len(shown)))
    start, lacking = cell.experiment.start, set(absent)
    free = np.array([item for item, names in enumerate(shown) if not lacking & set(names)], dtype=np.int64)
    needed = start.labels + cell.rounds * cell.experiment.rounds.budget
    if needed > len(shown):
        raise SettingsError(f"the pool has {len(shown):,} images, the rounds need {needed:,}; ask for fewer")
    if start.labels > len(free):
        raise SettingsError(
            f"{len(free):,} images of the pool show none of {', '.join(absent)}, start.labels is {start.labels:,}; "
            "ask for fewer, or let fewer classes be absent"
        )
    drawn = free[torch.randperm(len(free), generator=generator(cell.seed, "first labels")).numpy()]
    if start.draw == "stratified":
        drawn = drawn[_by_class([shown[item][0] for item in drawn.tolist()])]
    return sorted(drawn[: start.labels].tolist())


def _by_class(names: list[str]) -> np.ndarray[Any, np.dtype[np.int64]]:
    """An order whose every beginning holds the classes in their shares."""
    totals, seen, places = Counter(names), Counter[str](), []
    for name in names:
        seen[name] += 1
        # The k-th of a class of n stands at (k - 1/2) / n: all classes are spread over the same length.
        places.append((seen[name] - 0.5) / totals[name])
    return np.argsort(places, kind="stable")


def _rows(campaign: Campaign, absent: tuple[str, ...], shown: Shown) -> list[dict[str, Any]]:
    """What the cell has shown so far: a row for the first labels, and one for each round."""
    questions = campaign.store.rounds(RoundKind.ASKED)
    metrics: dict[int, dict[str, float]] = {}
    for row in campaign.store.results():
        # By number of labels, which is another after each round.
        metrics.setdefault(row.labels, {})[row.metric] = row.value
    rows, labels = [], 0
    for number, asked in enumerate([campaign.store.rounds()[0], *questions]):
        labels += len(asked.picks)
        details = campaign.store.details(asked.number)
        following = questions[number] if number < len(questions) else None
        # The fit after a round comes before the next question, which keeps its seconds; after the last there is none.
        fit = campaign.store.details(following.number).timings["fit"] if following else campaign.fit_seconds
        query = details.timings.get("query") if number else None
        rows.append(
            {"round": number, "labels": labels, "metrics": metrics.get(labels, {}), "fit_seconds": fit,
             "query_seconds": query, "monitors": details.monitors, **_counted(asked, absent, shown)}
        )  # fmt: skip
    return rows


def _counted(asked: Round, absent: tuple[str, ...], shown: Shown) -> dict[str, Any]:
    """How many of a round's picks show each class, and the share of those that show an absent one."""
    names = [shown[pick.item] for pick in asked.picks]
    counts = Counter(name for each in names for name in each)
    lacking = sum(bool(set(absent) & set(each)) for each in names)
    return {
        "class_counts": dict(sorted(counts.items())),
        "shares": {"absent": lacking / len(names)} if absent and names and asked.kind is RoundKind.ASKED else {},
    }


def _with_picks(rows: list[dict[str, Any]], cell: Cell, campaign: Campaign) -> list[dict[str, Any]]:
    """The rows with each round's picks by name; of the reference, which has all of the pool, none was picked."""
    rounds = [] if cell.method == FULL else campaign.store.rounds()
    names = campaign.pool.item
    picks = [[asdict(pick) | {"name": names(pick.item).name} for pick in asked.picks] for asked in rounds]
    return [row | {"picks": picked} for row, picked in zip(rows, picks or [[]], strict=True)]


def _result(cell: Cell, prepared: Prepared, campaign: Campaign, absent: tuple[str, ...]) -> dict[str, Any]:
    """What the numbers of the rows are of, and were computed with."""
    return {
        "format": FORMAT, "facts": cell.facts(), "method": cell.method, "variant": cell.variant, "seed": cell.seed,
        "code": cell.folder.rsplit(".", 1)[1], "data": prepared.fingerprint, "classes": prepared.classes,
        "absent": absent, "pool": len(campaign.pool), "features": prepared.feature_size(),
        "versions": versions() | {"python": platform.python_version()},
        "hardware": hardware(campaign), "finished": datetime.now(UTC).isoformat(timespec="seconds"),
    }  # fmt: skip


def hardware(campaign: Campaign) -> dict[str, Any]:
    """What the numbers were computed on."""
    device = campaign.devices.device
    name = torch.cuda.get_device_name(device) if device.type == "cuda" else _processor()
    return {
        "device": device.type, "name": name, "precision": campaign.devices.precision, "cores": os.cpu_count(),
        "threads": torch.get_num_threads(), "system": platform.platform(terse=True),
    }  # fmt: skip


def _processor() -> str:
    try:
        with Path("/proc/cpuinfo").open(encoding="utf-8") as lines:
            return next(line.partition(":")[2].strip() for line in lines if line.startswith("model name"))
    except (OSError, StopIteration):
        # Elsewhere this names the processor; on Linux it says little.
        return platform.processor() or platform.machine()
