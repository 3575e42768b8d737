"""How a campaign begins: a directory with settings, a manifest of the images and an empty store."""

import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from pickwell import encoders, models, strategies, tasks
from pickwell.campaign.directory import MADE_IN, Directory, new_directory
from pickwell.config import ENCODER, NO_ENCODER, Settings, TaskSettings
from pickwell.data import augment
from pickwell.data.grey_levels import guessed
from pickwell.data.pool import Pool
from pickwell.data.summary import Summary
from pickwell.errors import PoolError, SettingsError, unknown
from pickwell.features.encoding import named, placed
from pickwell.features.matching import matching
from pickwell.learner.task_learning import learning_of
from pickwell.loop.feasibility import check_ability, check_size, check_vectors
from pickwell.loop.held_out import versions
from pickwell.spelling import composed
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
    mask_values: Mapping[str, str] | None = None,
    settings: Mapping[str, Any] | None = None,
    **source: Any,
) -> Summary:
    """Makes a campaign's directory from a folder, a CSV, a Parquet set or "digits"; whole or not at all.

    `classes` default to those of the images' known labels. `test` names labelled images of the same kind to measure
    on. `settings` are by dotted key: `{"training.epochs": 20}`. `source` is passed on to `Pool.create`. Returns what
    was read and what was set aside. For segmentation (`task.kind`) `masks` and `test_masks` are the folders of the
    images' masks, if they have any, and a name in `classes` that begins with `!` makes its place a void value.
    `mask_values` are the classes of values of masks that are no places in the list: `{"255": "lesion"}`, `"#ff0000"`.
    """
    changes = dict(settings or {}) | ({"task.mask_values": dict(mask_values)} if mask_values else {})
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
        changes = _model(kind, encoder, changes) | changes | {"encoder": placed(encoder)}
    provisional = _settings(root, ("a", "b") if classes is None else classes, {"model.name": kind.network} | changes)
    check(provisional)
    begun = tasks.of(provisional, Path(root))
    given = begun.sources(images, masks, "train", **source)
    matched = matching(provisional)
    lacking = matched.lacking if matched else None
    with new_directory(Path(root)) as partial:
        partial.chmod(0o700)  # names of people, perhaps the password of a database: nobody else's on this machine
        directory, home = Directory(partial), Directory(Path(root))
        group = provisional.validation.group
        # First, because the pool must have nothing of it.
        held = None
        if test is not None:
            of_test = begun.sources(test, test_masks, "test", **source)
            held = Pool.create(directory.test, **of_test, lacking=lacking, home=home.test, group=group)
            _check_labelled(held, begun, test)
        pool = Pool.create(directory.pool, **given, lacking=lacking, test=held, home=home.pool, group=group)
        if held is not None:
            _same_greys((pool, home.pool), (held, home.test))
        share = {} if test is None else {"validation.share": 0.0}  # whoever names a test set need not pay for one
        names = _known_classes(pool, images) if classes is None else classes
        fitting = _fitting(tasks.of(provisional, partial), pool, encoder, changes)
        chosen = _settings(root, names, fitting | share | changes)
        check(chosen)  # the pool chose the network, where nobody else did
        task = tasks.of(chosen, partial)
        task.check_known(pool, "the images'")
        if held is not None:
            task.check_known(held, f"the test set {test}'s")
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
    if changes.get("training.finetune"):
        return str(changes.get("encoder", ENCODER))
    looks = changes.get("model.name") not in (None, *models.available_vectors())
    chosen: str | None = changes.get("encoder", NO_ENCODER if looks else None)
    return chosen


def _model(kind: type[Task], encoder: str, changes: Mapping[str, Any]) -> dict[str, Any]:
    """The model that goes with an encoder: its own network where that is to be fine-tuned, else a head.

    What is learnt from pixels alone leaves an encoder nothing but to be fine-tuned.
    """
    head = learning_of(kind(TaskSettings(kind=kind.kind), Path())).head
    if changes.get("training.finetune", not head):
        return {"model.name": encoders.weights(encoder).network, "training.finetune": True}
    return {"model.name": head} if head else {}


def _fitting(task: Task, pool: Pool, encoder: str | None, changes: Mapping[str, Any]) -> dict[str, Any]:
    """The settings that suit the images; where an encoder is fine-tuned, also what suits that."""
    fitting = {"model.name": task.network} | task.fitting(pool, encoder)
    chosen = fitting | dict(changes)
    if not chosen.get("training.finetune"):
        return fitting
    return fitting | task.finetuning(pool) | {"model.name": encoders.weights(chosen["encoder"]).network}


def check(settings: Settings, *, vectors: bool = False) -> None:
    """Refuses names that only the rooms above the settings know: a model, an augmentation, a strategy's settings.

    With `vectors` the pool holds these in place of images, and what looks at images is refused.
    """
    learning = learning_of(tasks.of(settings, Path()))
    weights = settings.model.weights
    if settings.training.finetune:
        _check_finetuned(settings)
    elif settings.on_vectors:
        named(settings.encoder)  # called for its error: it may not be there
        vectors = True
    if not vectors:
        learning.check_network(settings.model.name)
    if weights and not Path(weights).is_file():
        raise SettingsError(
            f"model.weights is '{weights}', which is no file; looked for was {Path(weights).absolute()}: name one, or "
            "leave it out"
        )
    if settings.training.augment not in augment.available():
        raise SettingsError(unknown("augmentation", settings.training.augment, augment.available()))
    chosen = dict(settings.strategy)
    strategy = strategies.create(chosen.pop("name", ""), chosen)
    if settings.on_vectors:
        strategy = strategy.on_vectors()
    if vectors:
        return check_vectors(learning, settings, strategy)
    check_ability(learning, settings, strategy)
    check_size(learning, settings, strategy.committee)
    return None


def _check_finetuned(settings: Settings) -> None:
    """Refuses an encoder that cannot be fine-tuned, and another network or other weights than its own."""
    own = {"name": encoders.weights(settings.encoder).network, "weights": "", "width": 1.0}
    for key, value in own.items():
        if (given := getattr(settings.model, key)) != value:
            raise SettingsError(
                f"model.{key} is {given!r}, but {settings.encoder} is to be fine-tuned, whose is {value!r}; leave it "
                "out, or set training.finetune = false"
            )


def _settings(root: str | Path, classes: Sequence[str], changes: Mapping[str, Any]) -> Settings:
    # Not `resolve`: it follows links, and fails where they form a loop.
    first = Settings.parse({"name": Path(os.path.abspath(root)).name, "task": {"classes": list(classes)}})  # noqa: PTH100
    return first.changed(changes)


def _same_greys(*pools: tuple[Pool, Path]) -> None:
    """Shows greys of more than 8 bits of all pools, to be moved there, by one range, which holds those of each."""
    found = {pool.sources[0].greys for pool, _ in pools} - {None}
    for pool, home in pools if len(found) > 1 else ():
        pool.show_greys(guessed(greys for greys in found if greys), home)


def _known_classes(pool: Pool, images: str | Path) -> Sequence[str]:
    """The classes of the images' known labels; SettingsError if there are fewer than two."""
    # One spelling of each: folders from a Mac and from Windows are the same class.
    known = sorted({composed(name): name for name in pool.manifest.classes()}.values())
    if len(known) < 2:
        raise SettingsError(
            f"no class list: none was given and {images} gives {len(known)} known classes; "
            "name them (--classes a,b,c), or give a folder a class (--labels-from-folders)"
        )
    return known


def _check_labelled(test: Pool, task: Task, where: str | Path) -> None:
    """Refuses a test set that is not labelled throughout."""
    if missing := test.manifest.known().count(None):
        raise PoolError(
            f"the test set {where} has {missing} images of {len(test)} without a {task.noun}; "
            f"every test image needs one: {task.test_known_by}"
        )
