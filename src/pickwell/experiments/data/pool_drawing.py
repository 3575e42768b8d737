"""What an experiment draws from a data set: the test set, validation images that are set aside, and the pool."""

import hashlib
import json
import shutil
from dataclasses import replace
from pathlib import Path

import numpy as np
import pyarrow.parquet as pq
import torch
from numpy.typing import NDArray

from pickwell.data import layouts
from pickwell.data.manifest import ROWS, Manifest
from pickwell.data.mask_files import MaskFiles
from pickwell.data.pool import MANIFEST, SOURCES, Pool
from pickwell.data.records import write_sources
from pickwell.data.sources.source import place
from pickwell.errors import PoolError, SettingsError
from pickwell.experiments.data import data_changes, feature_pools, sets
from pickwell.experiments.experiment import DataSettings, Experiment
from pickwell.files import digest
from pickwell.labels import split_void
from pickwell.learner.generators import generator
from pickwell.tasks.segmentation.label_maps import counted

Ids = NDArray[np.int64]
SHOWN = "shown.npy"
"""The file that says how many pixels of each class each scene of the pool shows."""


def draw(experiment: Experiment, data: Path, root: Path, partial: Path, into: Path) -> None:
    """Draws test set, validation images and pool in this order, so that a smaller pool has the same test set."""
    settings = experiment.data
    # First: what changes while the images are read is to be noticed.
    sources = data_changes.stamps(settings, root)
    layout = _layout(experiment, data, partial, into)
    pool, usable = _opened(layout.train, partial / "all", layout, *_needed(settings, layout))
    # Seed 0 whatever the cell: differences are paired by seed, so every seed has the same test images.
    rng = generator(0, "split", settings.set)
    shuffled = _shuffled(usable, rng)
    if layout.test is None:
        chosen = _drawn(pool, shuffled, settings)
        shuffled = shuffled[~np.isin(shuffled, chosen)]
        _write(pool, chosen, partial / "test")
    else:
        whose, asked = f"the test set of {settings.set}", f"data.test asks for {settings.test:,}"
        tested, kept = _opened(layout.test, partial / "all-test", layout, settings.test, whose, asked)
        _write(tested, _shuffled(kept, rng)[: settings.test or None], partial / "test")
    _write(pool, shuffled[settings.validation :][: settings.train or None], partial / "pool")
    feature_pools.write(experiment, partial)
    _finish(partial, layout, sources)


def _layout(experiment: Experiment, data: Path, partial: Path, into: Path) -> sets.Layout:
    """Where everything is; a SettingsError where the set does not go with the task."""
    settings = experiment.data
    if feature_pools.is_file(Path(settings.set)):
        layout = feature_pools.layout(place(settings.set), partial / "all")
    elif experiment.kind.masked and settings.set not in sets.available():
        return _own_masks(settings)
    else:
        layout = sets.find(settings.set, data, into)
    if (layout.train.masks is not None) != experiment.kind.masked:
        has = "has masks" if layout.train.masks else "has no masks"
        raise SettingsError(f"the task is {experiment.task}, but '{settings.set}' {has}; change task or data.set")
    if settings.test_set:
        own = Path(settings.test_set)
        if vectors := feature_pools.is_file(own):
            feature_pools.layout(place(settings.test_set), partial / "all-test")
        _check_alike(settings, vectors)
        test = replace(layout.test or sets.Part(own), images=own, official=0, labels_from_folders=own.is_dir())
        layout = replace(layout, train=replace(layout.train, official=0), test=test)
    return layout


def _check_alike(settings: DataSettings, vectors: bool) -> None:
    """Refuses vectors to pick from and images to measure on, or the other way round."""
    if vectors != feature_pools.is_file(Path(settings.set)):
        one, other = ("images", "vectors") if vectors else ("vectors", "images")
        raise SettingsError(
            f"data.set '{settings.set}' holds {one} and data.test_set '{settings.test_set}' {other}; name two of a kind"
        )


def _own_masks(settings: DataSettings) -> sets.Layout:
    """A folder of scenes, its masks, and those of the test set, as `pickwell init` takes them."""
    train = layouts.layout(settings.set, settings.masks or None, "train")
    test = layouts.layout(settings.test_set or settings.set, settings.test_masks or None, "test")
    if not settings.test_set and place(str(test.images)) in (place(settings.set), place(str(train.images))):
        test = layouts.Layout("", None)  # it holds no test set beside the rest
    if not place(settings.set).is_dir():
        raise PoolError(
            f"no images at '{settings.set}': there is no folder {place(settings.set)}; "
            "data.set names one, or a data set"
        )
    names, void = split_void(settings.classes or (layouts.CAMVID_LIST if train.camvid else ()))
    if not names or train.masks is None or (test.images and test.masks is None):
        raise SettingsError(
            f"'{settings.set}' is to be segmented: name the folders of the masks (data.masks, and data.test_masks for "
            'a test set) and the classes by their values in them (data.classes = ["road", "sky", "!void"])'
        )

    def part(found: layouts.Layout) -> sets.Part:
        return sets.Part(Path(found.images), masks=MaskFiles(place(str(found.masks)), len(names), void))

    return sets.Layout(part(train), part(test) if test.images else None, classes=names)


def _needed(settings: DataSettings, layout: sets.Layout) -> tuple[int, str, str]:
    """How many images the set must have beside a test set of its own, and what a sentence says of it."""
    if not layout.test and not settings.test:
        raise SettingsError(f"'{settings.set}' has no test set of its own; say how many images to test on: data.test")
    # With train 0 the pool is what is left: at least two images.
    parts = {
        f"data.train {settings.train:,}" if settings.train else "at least 2 to pick from": max(settings.train, 2),
        f"data.validation {settings.validation:,}": settings.validation,
        f"data.test {settings.test:,}": 0 if layout.test else settings.test,
    }
    wanted = sum(parts.values())
    said = ", ".join(part for part, count in parts.items() if count)
    return wanted, settings.set, f"the experiment needs {wanted:,}: {said}"


def _opened(
    part: sets.Part, directory: Path, layout: sets.Layout, needed: int, subject: str, asked: str
) -> tuple[Pool, Ids]:
    """A part's images, and the ids of those with a known label that takes part; PoolError where they are too few."""
    if (directory / MANIFEST).exists():  # vectors have theirs already: `feature_pools.layout` made it
        pool = Pool.open(directory)
    else:
        masks = replace(part.masks, root=place(str(part.masks.root))) if part.masks else None
        # Published results are of every file of a set, copies among them.
        pool = Pool.create(
            directory, str(part.images), labels_from_folders=part.labels_from_folders, masks=masks, apart=True
        )
    known = pool.manifest.known()
    found = [item for item, name in enumerate(known) if name is not None and name not in layout.leave_out]
    if not found:
        raise PoolError(
            f"none of the {len(known):,} images has a known label, and without labels nothing can be measured; "
            "name a folder with one folder a class, a table with a label column, or a folder of masks"
        )
    if len(found) < needed:
        raise PoolError(f"{subject} has {len(found):,} labelled images, {asked}{_why(layout, pool)}")
    _check_official(part, len(found), layout)
    return pool, np.array(found, dtype=np.int64)


def _check_official(part: sets.Part, found: int, layout: sets.Layout) -> None:
    """More than the official images means that others lie among them: the numbers would be of another set."""
    if part.official and found > part.official:
        raise PoolError(
            f"{part.images} has {found:,} labelled images, the official set has {part.official:,}; take out what does "
            f"not belong there{_why(layout)}"
        )


def _why(layout: sets.Layout, pool: Pool | None = None) -> str:
    """What was set aside, and what to do: a set with a page has all its images there."""
    spoilt = pool.summary.spoilt if pool and pool.summary else ()
    aside = f" (of those set aside the first: {spoilt[0]})" if spoilt else ""
    return aside + (f"; get the set again from {layout.page}" if layout.page else "; ask for fewer")


def _shuffled(ids: Ids, rng: torch.Generator) -> Ids:
    order: Ids = torch.randperm(len(ids), generator=rng).numpy()
    return ids[order]


def _drawn(pool: Pool, shuffled: Ids, settings: DataSettings) -> Ids:
    """The test images: the first ones, or as many of each class."""
    if settings.test_draw == "random":
        return shuffled[: settings.test]
    names = np.array(pool.manifest.known(shuffled), dtype=str)
    found, counts = np.unique(names, return_counts=True)
    each, over = divmod(settings.test, len(found))
    if over:
        raise SettingsError(
            f"data.test is {settings.test:,} for {len(found)} classes, and data.test_draw balanced takes as many of "
            f"each; give a multiple of {len(found)}"
        )
    if counts.min() < each:
        raise PoolError(
            f"{settings.set} has {counts.min():,} images of '{found[counts.argmin()]}', a balanced test set wants "
            f"{each:,} of each class; ask for fewer: data.test"
        )
    return np.concatenate([shuffled[names == name][:each] for name in found])


def _write(pool: Pool, rows: Ids, directory: Path) -> None:
    rows = np.sort(rows)
    directory.mkdir()
    write_sources(directory / SOURCES, pool.sources, pool.limits)
    Manifest.write(directory / MANIFEST, pq.read_table(pool.manifest.path).take(rows).select(ROWS.names))
    np.save(directory / "rows.npy", rows)


def _finish(partial: Path, layout: sets.Layout, sources: dict[str, data_changes.Stamp]) -> None:
    """Writes down what is known of both parts, and takes away what they were drawn from."""
    pool, test = Pool.open(partial / "pool").manifest, Pool.open(partial / "test").manifest
    classes = layout.classes or sorted({*pool.classes(), *test.classes()})
    # Names and labels, no places: the same images have the same fingerprint on every machine.
    text = hashlib.sha256(json.dumps([pool.names(), pool.known(), test.names(), test.known()]).encode())
    if layout.train.masks:
        text.update(_count_pixels(partial / "pool", len(classes)).tobytes())
        _check_masks(partial / "test", len(classes))
    # Features may differ from one machine to another in their last bits: made once, they hold for all cells.
    for vectors in sorted(partial.glob(feature_pools.file("*"))):
        text.update(bytes.fromhex(digest(vectors)))
    facts = {
        "classes": classes,
        "groups": [group for group in layout.groups if set(group) <= set(classes)],
        "fingerprint": text.hexdigest()[:16],
        "sizes": {"pool": len(pool), "test": len(test)},
        "sources": sources,
    }
    # Only drawn from; what was drawn has a manifest of its own.
    for name in ("all", "all-test"):
        shutil.rmtree(partial / name, ignore_errors=True)
    (partial / "ready.json").write_text(json.dumps(facts, indent=1), encoding="utf-8")


def _check_masks(directory: Path, classes: int) -> None:
    """Refuses a test set on which nothing could be measured."""
    pool = Pool.open(directory)
    if not any((pool.mask(item) < classes).any() for item in range(len(pool))):
        raise PoolError(
            f"none of the {len(pool):,} masks of the test set has a pixel of a known class, so that nothing can be "
            "measured; look at their values, and at the names in data.classes"
        )


def _count_pixels(directory: Path, classes: int) -> NDArray[np.int64]:
    """How many pixels of each class each scene shows `(N, C)`, kept beside the pool."""
    pool = Pool.open(directory)
    shown = np.stack([counted(pool.mask(item))[:classes] for item in range(len(pool))])
    np.save(directory.parent / SHOWN, shown)
    return shown
