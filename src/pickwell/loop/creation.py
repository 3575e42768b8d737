"""How a campaign begins: a directory with settings, a manifest of the images and an empty store."""

import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from pickwell import models, strategies
from pickwell.campaign.directory import MADE_IN, Directory, new_directory
from pickwell.config import Settings, TaskSettings
from pickwell.data import augment
from pickwell.data.layouts import CAMVID_LIST, layout
from pickwell.data.mask_files import MaskFiles
from pickwell.data.pool import Pool, Summary
from pickwell.data.sources import find, tree
from pickwell.data.sources.source import place
from pickwell.errors import PoolError, SettingsError, unknown
from pickwell.labels import check_class, split_void
from pickwell.loop.ability import check_ability, check_vectors
from pickwell.loop.picking import versions
from pickwell.loop.sizing import check_size
from pickwell.store import Store

LARGEST = 128
"""The default working size of photographs, in pixels: a CPU's network learns at it. Larger is a setting away."""

DENSE, CROP = "drn_d_22", 176
"""The default network for masks, and the side of the crops that it learns from: at width 1/4 eight in half a second."""

SMALL = 64
"""Up to this size the small network is the default."""


def create(
    root: str | Path,
    images: str | Path,
    *,
    classes: Sequence[str] | None = None,
    masks: str | Path | None = None,
    test: str | Path | None = None,
    test_masks: str | Path | None = None,
    settings: Mapping[str, Any] | None = None,
    **source: Any,
) -> Summary:
    """Makes a campaign's directory from a folder, a CSV, a Parquet set or "digits"; whole or not at all.

    `classes` default to those of the images' known labels. `test` names labelled images of the same kind to measure
    on. `settings` are by dotted key: `{"training.epochs": 20}`. `source` is passed on to `Pool.create`. Returns what
    was read and what was set aside. For segmentation (`task.kind`) `masks` and `test_masks` are the folders of the
    images' masks, if they have any, and a name in `classes` that begins with `!` makes its place a void value.
    """
    changes = dict(settings or {})
    if changes.get("task.kind") == "segmentation":
        classes, changes = _class_list(images, masks, classes, changes)
    else:
        _refuse_masks(masks, test_masks)
    if test is None and test_masks is not None:
        raise SettingsError(
            f"masks of a test set are given ('{test_masks}'), but no test set; name its images (--test)"
        )
    # Settings are checked before a million images are read; two names stand in for classes not known yet.
    provisional = _settings(root, ("a", "b") if classes is None else classes, changes)
    check(provisional)
    given = located(images, masks, provisional.task, **source)
    with new_directory(Path(root)) as partial:
        directory = Directory(partial)
        pool = Pool.create(directory.pool, **given)
        share = {} if test is None else {"validation.share": 0.0}  # whoever names a test set need not pay for one
        fitting = _fitting_masks(pool) if provisional.task.kind == "segmentation" else _fitting(pool)
        names = _known_classes(pool, images) if classes is None else classes
        chosen = _settings(root, names, fitting | share | changes)
        check(chosen)  # the pool chose the network, where nobody else did
        _check_known(pool, chosen, "the images'")
        if test is not None:
            held = Pool.create(directory.test, **located(test, test_masks, chosen.task, part="test", **source))
            _check_test(held, chosen, test)
        directory.settings.write_text(chosen.toml(), encoding="utf-8")
        with Store.open(directory.url(chosen), create=True) as store:
            # The place tells a creation that is repeated from another of the same name: they must not share a store.
            kept = versions() | {MADE_IN: str(Path(root).absolute())}
            store.create_campaign(name=chosen.name, seed=chosen.seed, settings=chosen.dump(), versions=kept)
    assert pool.summary is not None
    return pool.summary


def located(
    images: str | Path, masks: str | Path | None, task: TaskSettings, *, part: str = "train", **source: Any
) -> dict[str, Any]:
    """What `Pool.create` and `Pool.add` are to be called with; an error where images, masks and task disagree."""
    if task.kind == "classification":
        _refuse_masks(masks)
        return {"where": images, **source}
    if source.get("labels_from_folders"):
        raise SettingsError(
            "labels from folders were asked for, but the task is segmentation, whose labels are masks; "
            "name their folder with --masks"
        )
    if masks is not None and not str(masks).strip():  # as a path it would be the folder that one stands in
        raise PoolError("no masks at '': the place is empty; name a folder, or '.' for the one you are in")
    found = layout(images, masks, part)
    # Called for its error: masks go with a folder of images alone.
    tree(find(found.images), images)
    files = MaskFiles(place(str(found.masks)), len(task.classes), task.void) if found.masks is not None else None
    return {"where": found.images, "masks": files, **source}


def _refuse_masks(*given: str | Path | None) -> None:
    for masks in given:
        if masks is not None:
            raise SettingsError(
                f"masks are given ('{masks}'), but the task is classification, which learns one class an image; "
                "use --task segmentation, or leave the masks out"
            )


def _class_list(
    images: str | Path, masks: str | Path | None, classes: Sequence[str] | None, changes: dict[str, Any]
) -> tuple[Sequence[str], dict[str, Any]]:
    """The classes of masks, and the changes with the list's void values among them."""
    if classes is None and not layout(images, masks, "train").camvid:
        raise SettingsError(
            "no class list: masks hold numbers, and only a list says what they mean; "
            "name the classes by their values, --classes a,b,c or --classes @FILE, with !name for a void value"
        )
    names, void = split_void(CAMVID_LIST if classes is None else classes)
    return names, {"task.void": void, "model.name": DENSE} | changes


def check(settings: Settings, *, vectors: bool = False) -> None:
    """Refuses names that only the rooms above the settings know: a model, an augmentation, a strategy's settings.

    With `vectors` the pool holds these in place of images, and what looks at images is refused.
    """
    if not vectors and settings.model.name not in models.available():
        raise SettingsError(unknown("model", settings.model.name, models.available()))
    weights = settings.model.weights
    if weights and not Path(weights).is_file():
        raise SettingsError(
            f"model.weights is '{weights}', which is no file; looked for was {Path(weights).absolute()}: name one, or "
            "leave it out"
        )
    if settings.training.augment not in augment.available():
        raise SettingsError(unknown("augmentation", settings.training.augment, augment.available()))
    chosen = dict(settings.strategy)
    strategy = strategies.create(chosen.pop("name", ""), chosen)
    if vectors:
        check_vectors(settings, strategy)
    check_ability(settings, strategy)
    check_size(settings, strategy.committee)


def _settings(root: str | Path, classes: Sequence[str], changes: Mapping[str, Any]) -> Settings:
    # Not `resolve`: it follows links, and fails where they form a loop.
    first = Settings.parse({"name": Path(os.path.abspath(root)).name, "task": {"classes": list(classes)}})  # noqa: PTH100
    return first.changed(changes)


def _fitting(pool: Pool) -> dict[str, Any]:
    """The working size and the network that suit the pool's images."""
    size = min(LARGEST, max(8, -(-int(np.median(pool.manifest.sizes().min(axis=1))) // 8) * 8))
    return {"model.image_size": size, "model.name": "small_cnn" if size <= SMALL else "resnet18"}


def _fitting_masks(pool: Pool) -> dict[str, Any]:
    """The network, the crop it is trained on and the steps that suit the pool's scenes and a CPU of two cores."""
    short = int(np.median(pool.manifest.sizes().min(axis=1)))
    return {
        "model.width": 0.25,
        "model.image_size": min(CROP, max(32, short // 8 * 8)),
        "training.batch_size": 8,
        "training.epochs": 50,
        "training.learning_rate": 1e-3,
    }


def _known_classes(pool: Pool, images: str | Path) -> Sequence[str]:
    """The classes of the images' known labels; SettingsError if there are fewer than two."""
    known = pool.manifest.classes()
    if len(known) < 2:
        raise SettingsError(
            f"no class list: none was given and {images} gives {len(known)} known classes; "
            "name them (--classes a,b,c), or give a folder a class (--labels-from-folders)"
        )
    return known


def _check_known(pool: Pool, settings: Settings, whose: str) -> None:
    if settings.task.kind == "segmentation":  # the pool looked at every mask
        return
    for name in pool.manifest.classes():
        check_class(name, settings.task.classes, where=f"{whose} known labels: ")


def _check_test(test: Pool, settings: Settings, where: str | Path) -> None:
    """Refuses a test set that is not labelled throughout, or has classes that the campaign has not."""
    missing = test.manifest.known().count(None)
    if missing and settings.task.kind == "segmentation":
        raise PoolError(
            f"the test set {where} has {missing} images of {len(test)} without a mask; "
            "every test image needs one: name their folder with --test-masks"
        )
    if missing:
        raise PoolError(
            f"the test set {where} has {missing} images of {len(test)} without a label; "
            "every test image needs one: a folder a class (--labels-from-folders), or a label column"
        )
    _check_known(test, settings, f"the test set {where}'s")
