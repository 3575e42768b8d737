"""Small fixed runs through the public interface, and what each of them must give.

Every run is a function from an empty folder to plain values: picks in rank order by name, scores, metrics, monitors.
Images are written here, so that no run hangs on a data set; all training is in float32 unless a case says otherwise.
VAAL's encoders have far fewer than the 4 million weights from which one was ever scored in eight bits: the values are
those of the float path on every CPU.
"""

import csv
import io
import json
import platform
import re
import shutil
import sys
from collections.abc import Callable, Iterable, Mapping
from contextlib import chdir, redirect_stdout
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any
from unittest.mock import patch

import numpy as np
import torch
from numpy.typing import NDArray
from PIL import Image
from sklearn.datasets import load_digits

# All that these runs import of the package.
import pickwell
from pickwell import strategies
from pickwell.cli import main
from pickwell.items import Kind, Label

Values = dict[str, Any]
Mask = NDArray[np.uint8]

POOL, TEST = 90, 50
"""Digits in the pool and in the test set."""
SCENES, SCENES_TEST = 22, 6
CLASSES = ("left", "right", "ball", "!void")


# What the runs work on.


@cache
def digits() -> tuple[NDArray[np.uint8], list[int]]:
    """scikit-learn's digits as grey levels `(N, 8, 8)`, and their classes."""
    found = load_digits()
    return np.rint(found.images * (255 / 16)).astype(np.uint8), found.target.tolist()


def write_digits(root: Path, first: int, count: int) -> Path:
    """Some of the digits as PNGs of 16 x 16 pixels, a folder a class."""
    levels, classes = digits()
    for number in range(first, first + count):
        path = root / str(classes[number]) / f"{number:04d}.png"
        path.parent.mkdir(parents=True, exist_ok=True)
        # Each pixel four times: no resampling, which another version of Pillow might do otherwise.
        Image.fromarray(levels[number].repeat(2, 0).repeat(2, 1)).save(path)
    return root


def scene(number: int) -> tuple[NDArray[np.uint8], Mask]:
    """A dark and a bright part with a void column between them, and in some a ball; pixels and mask."""
    rng = np.random.default_rng(number)
    height, width = ((16, 24), (24, 16))[number // 3 % 2]
    border = 4 + number % 8
    mask = np.where(np.arange(width) < border, 0, 1).astype(np.uint8).reshape(1, -1).repeat(height, 0)
    if number % 3 != 1:
        rows, columns = np.ogrid[:height, :width]
        mask[(rows - rng.integers(3, height - 3)) ** 2 + (columns - rng.integers(3, width - 3)) ** 2 <= 6] = 2
    shades = np.array([(50, 60, 80), (150, 140, 120), (220, 60, 60)])
    pixels = shades[mask] + rng.integers(0, 40, (height, width, 1))
    mask[:, border] = 3
    return pixels.clip(0, 255).astype(np.uint8), mask


def write_scenes(root: Path, first: int, count: int) -> tuple[Path, Path]:
    """Some scenes as PNGs, and their masks beside them: the two folders."""
    images, masks = root / "images", root / "masks"
    for folder in (images, masks):
        folder.mkdir(parents=True)
    for number in range(first, first + count):
        pixels, mask = scene(number)
        Image.fromarray(pixels).save(images / f"{number:02d}.png")
        Image.fromarray(mask).save(masks / f"{number:02d}.png")
    return images, masks


# How a campaign is run and read.

TRAINING: Values = {
    "training.precision": "fp32",
    "training.augment": "none",
    "training.learning_rate": 2e-3,
}
CLASSIFY: Values = TRAINING | {
    "model.name": "small_cnn",
    "model.width": 0.25,
    "model.image_size": 16,
    "training.epochs": 6,
    "training.batch_size": 16,
}
SEGMENT: Values = TRAINING | {
    "task.kind": "segmentation",
    "model.width": 0.0625,
    "model.image_size": 16,
    "training.epochs": 3,
    "training.batch_size": 4,
}


def begin(root: Path, settings: Mapping[str, Any], *, masks: bool = False, test: bool = True) -> pickwell.Campaign:
    """A campaign on digits, or on scenes with masks, and with `test` a test set of its own."""
    if masks:
        images, drawn = write_scenes(root / "pool", 0, SCENES)
        tested: Values = {}
        if test:
            tested["test"], tested["test_masks"] = write_scenes(root / "test", 50, SCENES_TEST)
        pickwell.create(
            root / "c", images, masks=drawn, classes=list(CLASSES), settings=SEGMENT | dict(settings), **tested
        )
    else:
        tested = {"test": write_digits(root / "test", 1000, TEST)} if test else {}
        pool = write_digits(root / "pool", 0, POOL)
        pickwell.create(root / "c", pool, labels_from_folders=True, settings=CLASSIFY | dict(settings), **tested)
    return pickwell.Campaign(root / "c")


def answers(campaign: pickwell.Campaign, question: pickwell.Round) -> list[Label]:
    """The right label of everything that a round waits for."""
    return list(campaign.oracle("simulated").answer([campaign.pool.item(pick.item) for pick in question.waiting]))


def asked(campaign: pickwell.Campaign, question: pickwell.Round) -> Values:
    """A round as it was asked: its picks in rank order, their scores, and what the strategy says of itself."""
    assert [pick.rank for pick in question.picks] == list(range(1, len(question.picks) + 1))
    held_out = [campaign.pool.item(pick.item).name for pick in question.picks if pick.held_out]
    monitors = {name: value for name, value in campaign.status().monitors.items() if name != "warnings"}
    return {
        "strategy": question.strategy,
        "picks": [campaign.pool.item(pick.item).name for pick in question.picks],
        "scores": [pick.score for pick in question.picks],
        **({"held out": held_out} if held_out else {}),
        **({"monitors": monitors} if monitors else {}),
    }


def reached(metrics: pickwell.Metrics) -> Values:
    """What a fit reached, on how many images, after how many labels."""
    return {"values": dict(metrics.values), "measured": metrics.measured, "labels": metrics.labels}


def play(campaign: pickwell.Campaign, budgets: Iterable[int]) -> Values:
    """Asks, answers and fits, once for each budget."""
    rounds = []
    for budget in budgets:
        question = campaign.ask(budget)
        said = asked(campaign, question)
        campaign.tell(answers(campaign, question))
        rounds.append(said | {"metrics": reached(campaign.fit())})
    return {"rounds": rounds}


def begun(root: Path, *, masks: bool) -> Path:
    """A campaign beside `root` whose first, random round is told; made once, to be copied."""
    place = root.parent / ("begun scenes" if masks else "begun digits")
    if not place.exists():
        with begin(place, {"strategy.name": "random"}, masks=masks) as campaign:
            campaign.tell(answers(campaign, campaign.ask(6 if masks else 20)))
    return place / "c"


@dataclass(frozen=True, kw_only=True)
class Case:
    """A strategy's rounds after a random one, with its own settings, and the campaign's by dotted key."""

    strategy: str
    masks: bool = False
    settings: Values = field(default_factory=dict)
    campaign: Values = field(default_factory=dict)
    rounds: int = 2

    def __call__(self, root: Path) -> Values:
        if self.campaign:
            chosen = {"strategy.name": self.strategy}
            chosen |= {f"strategy.{name}": value for name, value in self.settings.items()}
            with begin(root, chosen | self.campaign, masks=self.masks) as campaign:
                return play(campaign, (6, 4) if self.masks else (20, 8))
        shutil.copytree(begun(root, masks=self.masks), root / "c")
        said: Values = {}
        with pickwell.Campaign(root / "c") as campaign:
            for number in range(2, 2 + self.rounds):
                said[f"fit before round {number}"] = reached(campaign.fit(self.strategy, **self.settings))
                question = campaign.ask(4 if self.masks else 8, self.strategy, **self.settings)
                said[f"round {number}"] = asked(campaign, question)
                campaign.tell(answers(campaign, question))
        return said


# Every strategy on both tasks.

SMALL: Values = {"steps": 6, "latent": 4, "discriminator_width": 16}
PIXELS: Values = SMALL | {"widths": [8, 16]}
SQUARE: Values = PIXELS | {"working_size": 16}
FEATURES: Values = SMALL | {"representation": "features", "feature_width": 16, "feature_batch": 16}
COMMITTEE: Values = {"members": 2}

STRATEGIES: dict[str, Values] = {
    "badge": {},
    "core-set": {},
    "dbal": {"passes": 3},
    "dropquery": {},
    "ensemble": COMMITTEE,
    "entropy": {},
    "least-confidence": {},
    "margin": {},
    "maxherding": {},
    "mc-dropout": {"passes": 3},
    "probcover": {},
    "qbc": COMMITTEE,
    "random": {},
    "suggestive-annotation": COMMITTEE,
    "typiclust": {},
    "uherding": {},
    "vaal": SQUARE,
    "vaal-diverse": FEATURES | {"representation": "both"},
    "vaal-frozen": SQUARE | {"vae_steps": 3},
    "vaal-no-vae": SQUARE,
    "vaal-wasserstein": SQUARE,
}
"""The settings of each strategy's first run. VAAL and its ablations learn on pixels beside the task model here."""

FROZEN_FEATURES = FEATURES | {"vae_steps": 3}
OTHERS: dict[str, tuple[str, Values]] = {
    "vaal on features": ("vaal", FEATURES),
    "vaal on patches": ("vaal", FEATURES | {"representation": "patches"}),
    "vaal on both": ("vaal", FEATURES | {"representation": "both"}),
    "vaal of the last weights": ("vaal", SQUARE | {"averaging": 0.0, "observation": "unit"}),
    "vaal as the released code": ("vaal", SQUARE | {"observation": "released_code", "lambda2": 10.0, "beta": 2.0}),
    "vaal-diverse on pixels": ("vaal-diverse", SQUARE | {"representation": "pixels"}),
    "vaal-diverse on features": ("vaal-diverse", FEATURES),
    "vaal-diverse between inputs": (
        "vaal-diverse",
        FEATURES | {"representation": "both", "space": "inputs", "reach": 0.5, "candidates": 12},
    ),
    "vaal-frozen on features": ("vaal-frozen", FROZEN_FEATURES),
    "vaal-no-vae on features": ("vaal-no-vae", FEATURES),
    "vaal-wasserstein on features": ("vaal-wasserstein", FEATURES),
    "vaal-wasserstein to the nearest": ("vaal-wasserstein", SQUARE | {"to": "nearest"}),
    "entropy by power": ("entropy", {"picking": "power", "sharpness": 4.0}),
    "margin by softmax": ("margin", {"picking": "softmax", "sharpness": 2.0}),
    "least-confidence by softrank": ("least-confidence", {"picking": "softrank"}),
    "mc-dropout by bald": ("mc-dropout", {"passes": 3, "measure": "bald", "reduction": "top", "top_share": 0.25}),
    "mc-dropout by votes": ("mc-dropout", {"passes": 5, "measure": "variation-ratio", "reduction": "max"}),
    "qbc of three in sum": ("qbc", {"members": 3, "reduction": "sum"}),
}
"""Further settings, which other code serves."""
OTHERS_ON_MASKS = (
    "vaal on features",
    "vaal on both",
    "vaal-diverse on pixels",
    "vaal-frozen on features",
    "mc-dropout by bald",
    "mc-dropout by votes",
    "qbc of three in sum",
)
"""Those that do more on masks than they do on classes."""

NARROW = {"model.width": 0.125}
NETWORKS: dict[str, Case] = {
    "resnet18": Case(strategy="core-set", campaign=NARROW | {"model.name": "resnet18"}),
    "vgg16_bn": Case(strategy="dbal", settings={"passes": 2}, campaign=NARROW | {"model.name": "vgg16_bn"}),
    "drn_d_22 of classes": Case(strategy="badge", campaign={"model.width": 0.0625, "model.name": "drn_d_22"}),
    "drn_c_26": Case(strategy="core-set", masks=True, campaign={"model.name": "drn_c_26"}),
    "drn_d_54": Case(strategy="mc-dropout", settings={"passes": 2}, masks=True, campaign={"model.name": "drn_d_54"}),
}
BF16 = {"training.precision": "bf16"}
TRAININGS: dict[str, Case] = {
    "augmented": Case(strategy="entropy", campaign={"training.augment": "crop-flip", "training.schedule": "constant"}),
    "augmented scenes": Case(strategy="vaal", settings=SQUARE, masks=True, campaign={"training.augment": "crop-flip"}),
    "streamed": Case(strategy="vaal", settings=PIXELS, campaign={"training.memory_limit_mib": 1, "seed": 5}),
    "bf16": Case(strategy="vaal", settings=PIXELS, campaign=BF16),
    "bf16 scenes": Case(strategy="margin", masks=True, campaign=BF16),
}


# What else a campaign does.


def held_out(root: Path) -> Values:
    """Without a test set a share of every round is drawn at random, and measured on."""
    with begin(
        root,
        {"strategy.name": "vaal", **{f"strategy.{k}": v for k, v in PIXELS.items()}, "validation.share": 0.3},
        test=False,
    ) as campaign:
        return play(campaign, (20, 8, 8))


def held_out_scenes(root: Path) -> Values:
    """The same of masks."""
    with begin(root, {"strategy.name": "margin", "validation.share": 0.3}, masks=True, test=False) as campaign:
        return play(campaign, (7, 4, 4))


def standing(campaign: pickwell.Campaign) -> Values:
    """The counts of a campaign's status."""
    now = campaign.status()
    return {
        name: getattr(now, name)
        for name in ("images", "labelled", "held_out", "ignored", "rounds", "waiting", "open_round", "measured")
    } | {"classes": {name: count for name, count in now.classes.items() if count}}


def skips_and_corrections(root: Path) -> Values:
    """A round answered in part, with a skip and an ignore, closed; a correction and an undo; images added later."""
    with begin(root, {"strategy.name": "margin", "validation.share": 0.2}, test=False) as campaign:
        first = campaign.ask(20)
        right = answers(campaign, first)
        told = campaign.tell(
            [*right[:12], Label(right[12].item, None, Kind.SKIP), Label(right[13].item, None, Kind.IGNORE)]
        )
        said: Values = {"told": [told.answered, told.skipped, told.ignored], "open": standing(campaign)}
        campaign.close_round()
        said |= {"closed": standing(campaign), "fit": reached(campaign.fit())}
        second = campaign.ask(8)
        campaign.tell(answers(campaign, second))
        said["second"] = asked(campaign, second)
        wrong = {right[0].item: str((int(str(right[0].value)) + 1) % 10)}
        campaign.tell(wrong)
        said["corrected"] = reached(campaign.fit())
        campaign.undo()
        said["undone"] = reached(campaign.fit())
        campaign.add(write_digits(root / "more", 200, 10), labels_from_folders=True)
        imported = {item: str(campaign.pool.item(item).known) for item in range(POOL, POOL + 8)}
        campaign.tell(imported, imported=True)
        said["grown"] = standing(campaign)
        said["third"] = asked(campaign, campaign.ask(8, "core-set"))
        return said


def by_itself(root: Path) -> Values:
    """`run` with an oracle that errs, on both tasks."""
    said: Values = {}
    for name, masks in (("digits", False), ("scenes", True)):
        with begin(root / name, {"strategy.name": "badge"}, masks=masks) as campaign:
            oracle = campaign.oracle("noisy", rate=0.3)
            said[name] = reached(campaign.run(oracle, 2, 6)) | {"classes": dict(campaign.status().classes)}
    return said


def left_behind(root: Path) -> Values:
    """What a round leaves on the disk for people: hints and the map of the latents."""
    chosen = {"strategy.name": "vaal-diverse"} | {f"strategy.{k}": v for k, v in STRATEGIES["vaal-diverse"].items()}
    with begin(root, chosen) as campaign:
        campaign.tell(answers(campaign, campaign.ask(20)))
        question = campaign.ask(8)
        names = {pick.item: campaign.pool.item(pick.item).name for pick in question.picks}
        return {
            "picks": [*names.values()],
            "hints": hints(root / "c" / "rounds" / "0002.json", campaign, names),
            "latents": latents(root / "c" / "rounds" / "0002.latents.npz", campaign),
        }


def left_behind_of_scenes(root: Path) -> Values:
    """The same of masks, and what is predicted of each pick."""
    chosen = {"strategy.name": "vaal"} | {f"strategy.{k}": v for k, v in SQUARE.items()}
    with begin(root, chosen, masks=True) as campaign:
        campaign.tell(answers(campaign, campaign.ask(8)))
        question = campaign.ask(4)
        names = {pick.item: campaign.pool.item(pick.item).name for pick in question.picks}
        folder = root / "c" / "rounds"
        return {
            "picks": [*names.values()],
            "hints": hints(folder / "0002.json", campaign, names),
            "latents": latents(folder / "0002.latents.npz", campaign),
            "predictions": {name: predicted(folder / "0002", item) for item, name in names.items()},
        }


def hints(path: Path, campaign: pickwell.Campaign, names: Mapping[int, str]) -> Values:
    """The suggestions and labelled neighbours of a round's picks."""
    found = json.loads(path.read_text(encoding="utf-8"))["picks"]
    return {
        names[one["item"]]: {
            **{key: one[key] for key in ("suggestion", "confidence", "order") if key in one},
            "neighbours": [campaign.pool.item(near["item"]).name for near in one["neighbours"]],
            "distances": [near["distance"] for near in one["neighbours"]],
        }
        for one in found
    }


def latents(path: Path, campaign: pickwell.Campaign) -> Values:
    """The first ten items on the map, and how many are labelled."""
    with np.load(path) as found:
        return {
            "items": len(found["items"]),
            "labelled": int(found["labelled"].sum()),
            "names": [campaign.pool.item(int(item)).name for item in found["items"][:10]],
            # An axis of a plane has no sign.
            "distances": np.linalg.norm(found["points"][:10] - found["points"].mean(0), axis=1).tolist(),
            "scores": found["scores"][:10].tolist(),
        }


def predicted(folder: Path, item: int) -> Values:
    """How many pixels of each class are predicted, and how unsure that is (0 to 255)."""
    mask, unsure = (np.asarray(Image.open(folder / f"{item}.{kind}.png")) for kind in ("mask", "uncertainty"))
    return {
        "shape": list(mask.shape),
        "pixels": np.bincount(mask.ravel(), minlength=3).tolist(),
        "uncertainty": float(unsure.mean()),
    }


# Experiments in cells.


def command(*arguments: object) -> str:
    """What a command prints."""
    code: object = 0
    with redirect_stdout(io.StringIO()) as out, patch.object(sys, "argv", ["pickwell", *map(str, arguments)]):
        try:
            main()
        except SystemExit as end:
            code = end.code
    assert not code, out.getvalue()
    return out.getvalue()


def bench(root: Path, experiment: str) -> Values:
    """The cells of an experiment: the picks and metrics of each round, and the table of areas."""
    root.mkdir(parents=True, exist_ok=True)
    (root / "golden.toml").write_text(experiment, encoding="utf-8")
    out = root / "out"
    # What is drawn hangs on the experiment's text, and that on where its images lie: here, whatever "here" is.
    with chdir(root):
        said = json.loads(
            command("bench", "run", "golden.toml", "--out", "out", "--data", ".", "--no-pictures", "--json")
        )
    assert set(said["states"]) == {"finished"}, said
    found: Values = {}
    for row in rows(out / "data" / "picks.csv"):
        each = of_round(found, row)
        each.setdefault("picks", []).append(row["name"])
        if row["round"] != "0":
            each.setdefault("scores", []).append(float(row["score"]))
    for row in rows(out / "data" / "results.csv"):
        # Seconds are of the day; the classes one by one are the campaigns' part.
        if not row["metric"].endswith("_seconds") and not row["metric"].startswith("accuracy/"):
            of_round(found, row).setdefault("metrics", {})[row["metric"]] = float(row["value"])
    areas = {row["method"]: row for row in rows(out / "tables" / "aubc.csv")}
    return {"cells": found, "areas": {method: _area(row) for method, row in areas.items()}}


def of_round(found: Values, row: Mapping[str, str]) -> Values:
    """The place for what is known of a row's round."""
    cell = found.setdefault(f"{row['method']}{row['variant'] and ' ' + row['variant']}, seed {row['seed']}", {})
    each: Values = cell.setdefault(f"round {row['round']}", {})
    return each


AREA = re.compile(r"seeds|AUBC(_low|_high)?|at_the_end|difference_to_random_points(_low|_high)?|p|corrected_p")
"""What is recorded of the table of areas; other columns may be shown beside."""


def _area(row: Mapping[str, str]) -> Values:
    return {name: float(row[name]) for name in row if AREA.fullmatch(name) and row[name]}


def rows(path: Path) -> list[dict[str, str]]:
    """The rows of a CSV file."""
    with path.open(encoding="utf-8", newline="") as lines:
        return list(csv.DictReader(lines))


DIGITS_EXPERIMENT = """
title = "Golden digits"
seeds = 1
reference = true
[data]
set = "digits"
train = 90
test = 60
[start]
labels = 20
absent = 1
[rounds]
count = 2
budget = 6
[oracle]
noise = 0.1
[model]
name = "small_cnn"
image_size = 16
width = 0.25
[training]
epochs = 6
batch_size = 16
augment = "none"
learning_rate = 2e-3
precision = "fp32"
[methods]
random = {}
[methods.vaal]
steps = 6
latent = 4
discriminator_width = 16
widths = [8, 16]
"""

VECTORS_EXPERIMENT = """
title = "Golden vectors"
seeds = 1
[data]
set = "digits"
train = 90
test = 60
features = "vae"
feature_size = 8
feature_steps = 4
[start]
labels = 20
draw = "stratified"
[rounds]
count = 1
budget = 6
[model]
name = "mlp"
image_size = 16
width = 0.25
[training]
epochs = 10
batch_size = 16
augment = "none"
learning_rate = 5e-3
schedule = "constant"
precision = "fp32"
[methods]
"""

SCENES_EXPERIMENT = """
title = "Golden scenes"
seeds = 2
task = "segmentation"
[data]
set = "scenes/images"
masks = "scenes/masks"
classes = ["left", "right", "ball", "!void"]
test = 6
[start]
labels = 4
[rounds]
count = 2
budget = 2
[model]
name = "drn_d_22"
width = 0.0625
image_size = 16
[training]
epochs = 3
batch_size = 4
augment = "none"
learning_rate = 2e-3
precision = "fp32"
[methods]
random = {}
margin = {}
"""


def bench_digits(root: Path) -> Values:
    """Two methods and the full data, with a class absent at first and an oracle that errs."""
    return bench(root, DIGITS_EXPERIMENT)


def bench_vectors(root: Path) -> Values:
    """All kinds of strategies on vectors in place of images, as `fast-features` has it."""
    methods = {}
    for name, settings in STRATEGIES.items():
        if name in ("dbal", "ensemble", "entropy", "least-confidence"):
            continue  # score as others do
        chosen = FROZEN_FEATURES if name == "vaal-frozen" else FEATURES
        methods[name] = chosen if name.startswith("vaal") else settings
    lines = [f"{name} = {{ {_inline(settings)} }}" for name, settings in methods.items()]
    return bench(root, VECTORS_EXPERIMENT + "\n".join(lines) + "\n")


def bench_two_on_vectors(root: Path) -> Values:
    """The same of a feature file, on a linear model."""
    levels, classes = digits()
    root.mkdir(parents=True, exist_ok=True)
    np.save(root / "pixels.npy", levels[:160].reshape(160, -1).astype(np.float32))
    np.save(root / "pixels.labels.npy", np.array(classes[:160]).astype(str))
    text = VECTORS_EXPERIMENT.replace('"digits"', '"pixels.npy"').replace('"mlp"', '"linear"')
    text = "\n".join(line for line in text.splitlines() if not line.startswith("feature"))
    return bench(root, f"{text}\nrandom = {{}}\nvaal-diverse = {{ {_inline(FEATURES)} }}\n")


def bench_scenes(root: Path) -> Values:
    """Two methods on masks, two seeds of each."""
    write_scenes(root / "scenes", 0, SCENES)
    return bench(root, SCENES_EXPERIMENT)


def _inline(settings: Mapping[str, Any]) -> str:
    return ", ".join(f"{name} = {json.dumps(value)}" for name, value in settings.items())


Run = Callable[[Path], Values]

GROUPS: dict[str, dict[str, Run]] = {
    "classification": {name: Case(strategy=name, settings=one) for name, one in STRATEGIES.items()},
    "segmentation": {name: Case(strategy=name, settings=one, masks=True) for name, one in STRATEGIES.items()},
    "classification-settings": {
        name: Case(strategy=one, settings=more, rounds=1) for name, (one, more) in OTHERS.items()
    },
    "segmentation-settings": {
        name: Case(strategy=OTHERS[name][0], settings=OTHERS[name][1], masks=True, rounds=1) for name in OTHERS_ON_MASKS
    },
    "networks": dict(NETWORKS),
    "training": dict(TRAININGS),
    "campaigns": {
        "held out": held_out,
        "held out of scenes": held_out_scenes,
        "skips and corrections": skips_and_corrections,
        "by itself": by_itself,
        "left behind": left_behind,
        "left behind of scenes": left_behind_of_scenes,
    },
    "bench": {
        "digits": bench_digits,
        "vectors": bench_vectors,
        "two on vectors": bench_two_on_vectors,
        "scenes": bench_scenes,
    },
}
"""The runs by the file that records them."""


def available() -> list[str]:
    """The names of all strategies, each of which has a run on either task."""
    return strategies.available()


def run(group: str, name: str, base: Path) -> Values:
    """What a run gives, in a folder of its own below `base`, where runs share what they begin with."""
    root = base / f"{group} {name}".replace(" ", "-")
    root.mkdir(parents=True)
    return GROUPS[group][name](root)


def kind() -> Values:
    """What decides in which order sums are made: the CPU's kind, and the libraries."""
    able: dict[str, Any] = getattr(torch.cpu, "get_capabilities", dict)()
    return {
        "vendor": _vendor(),
        "capability": torch.backends.cpu.get_cpu_capability(),
        "amx": bool(able.get("amx_bf16")),
        "avx512_bf16": bool(able.get("avx512_bf16")),
        "torch": torch.__version__,
        "numpy": np.__version__,
        "threads": torch.get_num_threads(),
    }


def _vendor() -> str:
    try:
        with Path("/proc/cpuinfo").open(encoding="utf-8") as lines:
            return next(line.partition(":")[2].strip() for line in lines if line.startswith("vendor_id"))
    except (OSError, StopIteration):
        return platform.machine()


THREADS = 1
"""Sums are split among threads: their number is a part of what is recorded."""
