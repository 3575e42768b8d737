"""How a campaign begins: a directory with settings, a manifest of the images and an empty store."""

import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from pickwell import models, strategies, tasks
from pickwell.campaign.directory import MADE_IN, Directory, new_directory
from pickwell.config import NO_ENCODER, Settings, TaskSettings
from pickwell.data import augment
from pickwell.data.pool import Pool, Summary
from pickwell.errors import PoolError, SettingsError, unknown
from pickwell.features.encoding import named, placed
from pickwell.features.matching import matching
from pickwell.learner.task_learning import learning_of
from pickwell.loop.feasibility import check_ability, check_size, check_vectors
from pickwell.loop.held_out import versions
from pickwell.store import Store
from pickwell.tasks import Task


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
    kind = tasks.named(str(changes.get("task.kind", "classification")))
    classes, changes = kind.begin(images, masks, classes, changes)
    if test_masks is not None and test is None:
        raise SettingsError(
            f"masks of a test set are given ('{test_masks}'), but no test set; name its images (--test)"
        )
    # Settings are checked before a million images are read; two names stand in for classes not known yet.
    encoder = _encoder(changes)
    if encoder not in (None, NO_ENCODER):
        # Absolute, because the campaign will be opened from elsewhere.
        head = _head(kind)
        changes = ({"model.name": head} if head else {}) | changes | {"encoder": placed(str(encoder))}
    provisional = _settings(root, ("a", "b") if classes is None else classes, changes)
    check(provisional)
    given = tasks.of(provisional, Path(root)).sources(images, masks, "train", **source)
    matched = matching(provisional)
    lacking = matched.lacking if matched else None
    with new_directory(Path(root)) as partial:
        directory = Directory(partial)
        pool = Pool.create(directory.pool, **given, lacking=lacking)
        share = {} if test is None else {"validation.share": 0.0}  # whoever names a test set need not pay for one
        names = _known_classes(pool, images) if classes is None else classes
        fitting = tasks.of(provisional, partial).fitting(pool, changes.get("encoder", encoder))
        chosen = _settings(root, names, fitting | share | changes)
        check(chosen)  # the pool chose the network, where nobody else did
        task = tasks.of(chosen, partial)
        task.check_known(pool, "the images'")
        if test is not None:
            held = Pool.create(directory.test, **task.sources(test, test_masks, "test", **source), lacking=lacking)
            _check_test(held, task, test)
        if matched:
            matched.close()
        directory.settings.write_text(chosen.toml(), encoding="utf-8")
        with Store.open(directory.url(chosen), create=True) as store:
            # The place tells a creation that is repeated from another of the same name: they must not share a store.
            kept = versions() | {MADE_IN: str(Path(root).absolute())}
            store.create_campaign(name=chosen.name, seed=chosen.seed, settings=chosen.dump(), versions=kept)
    assert pool.summary is not None
    return pool.summary


def _encoder(changes: Mapping[str, Any]) -> str | None:
    """The encoder that was chosen, None for none yet: who names a network for images wants no encoder."""
    looks = changes.get("model.name") not in (None, *models.available_vectors())
    chosen: str | None = changes.get("encoder", NO_ENCODER if looks else None)
    return chosen


def _head(kind: type[Task]) -> str:
    """The model that learns such a task from vectors; "" where only pixels will do."""
    return learning_of(kind(TaskSettings(kind=kind.kind), Path())).head


def check(settings: Settings, *, vectors: bool = False) -> None:
    """Refuses names that only the rooms above the settings know: a model, an augmentation, a strategy's settings.

    With `vectors` the pool holds these in place of images, and what looks at images is refused.
    """
    learning = learning_of(tasks.of(settings, Path()))
    if settings.encoder != NO_ENCODER:
        named(settings.encoder)  # called for its error: it may not be there
        vectors = True
    if not vectors:
        learning.check_network(settings.model.name)
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
    if settings.encoder != NO_ENCODER:
        strategy = strategy.on_vectors()
    if vectors:
        return check_vectors(learning, settings, strategy)
    check_ability(learning, settings, strategy)
    check_size(learning, settings, strategy.committee)
    return None


def _settings(root: str | Path, classes: Sequence[str], changes: Mapping[str, Any]) -> Settings:
    # Not `resolve`: it follows links, and fails where they form a loop.
    first = Settings.parse({"name": Path(os.path.abspath(root)).name, "task": {"classes": list(classes)}})  # noqa: PTH100
    return first.changed(changes)


def _known_classes(pool: Pool, images: str | Path) -> Sequence[str]:
    """The classes of the images' known labels; SettingsError if there are fewer than two."""
    known = pool.manifest.classes()
    if len(known) < 2:
        raise SettingsError(
            f"no class list: none was given and {images} gives {len(known)} known classes; "
            "name them (--classes a,b,c), or give a folder a class (--labels-from-folders)"
        )
    return known


def _check_test(test: Pool, task: Task, where: str | Path) -> None:
    """Refuses a test set that is not labelled throughout, or has labels that the campaign does not allow."""
    if missing := test.manifest.known().count(None):
        raise PoolError(
            f"the test set {where} has {missing} images of {len(test)} without a {task.noun}; "
            f"every test image needs one: {task.test_known_by}"
        )
    task.check_known(test, f"the test set {where}'s")
