"""The pools of an experiment: made once for all its cells, as manifests over images that stay where they are."""

import hashlib
import json
import shutil
from dataclasses import asdict, dataclass
from functools import lru_cache
from pathlib import Path

import numpy as np
import pyarrow.parquet as pq
import torch
from filelock import FileLock
from numpy.typing import NDArray

from pickwell.benchmark import features, sets
from pickwell.benchmark.experiment import DataSettings, Experiment
from pickwell.data.images import Images
from pickwell.data.manifest import ROWS, Manifest
from pickwell.data.pool import MANIFEST, SOURCES, Pool
from pickwell.data.records import write_sources
from pickwell.directory import new_directory
from pickwell.errors import PoolError, SettingsError
from pickwell.learner.seeds import generator

Ids = NDArray[np.int64]


@dataclass(frozen=True)
class Prepared:
    """The pool to pick from, the test set, and what is known of their classes."""

    folder: Path
    classes: tuple[str, ...]
    groups: tuple[tuple[str, ...], ...]
    fingerprint: str

    @property
    def pool(self) -> Path:
        """The pool's directory."""
        return self.folder / "pool"

    @property
    def test(self) -> Path:
        """The test set's directory."""
        return self.folder / "test"

    def images(self, part: Path, size: int, memory_limit_mib: int) -> Images:
        """The pixels, or the feature vectors, of the pool or the test set: shared by all cells of this process."""
        return _images(part, size, memory_limit_mib << 20)

    def feature_size(self) -> int | None:
        """The length of the feature vectors, None where images are images."""
        stored = self.folder / features.file(self.pool.name)
        return int(np.load(stored, mmap_mode="r").shape[1]) if stored.exists() else None


@lru_cache(maxsize=4)
def _images(part: Path, size: int, limit: int) -> Images:
    vectors = part.parent / features.file(part.name)
    return features.Vectors(np.load(vectors)) if vectors.exists() else Images(Pool.open(part), size, limit)


def prepare(experiment: Experiment, data: Path, root: Path) -> Prepared:
    """The experiment's pools below `root`: found, or made now."""
    if experiment.task != "classification":
        raise SettingsError(
            f"the task '{experiment.task}' is not available in this version, so this experiment can be shown but not "
            "run; available: classification"
        )
    facts = [experiment.data.model_dump(mode="json"), experiment.model.image_size if experiment.data.features else 0]
    key = hashlib.sha256(json.dumps(facts).encode()).hexdigest()[:12]
    folder = root / "pools" / key
    folder.parent.mkdir(parents=True, exist_ok=True)
    with FileLock(folder.with_suffix(".lock")):
        if not (folder / "ready.json").exists():
            with new_directory(folder) as partial:
                _make(experiment, data, partial, folder.with_suffix(".source"))
    return _read(folder)


def _read(folder: Path) -> Prepared:
    facts = json.loads((folder / "ready.json").read_text(encoding="utf-8"))
    groups = tuple(tuple(group) for group in facts["groups"])
    return Prepared(folder, tuple(facts["classes"]), groups, facts["fingerprint"])


def _make(experiment: Experiment, data: Path, partial: Path, into: Path) -> None:
    settings = experiment.data
    if features.is_file(Path(settings.set)):
        layout = features.layout(Path(settings.set), partial / "all")
    else:
        layout = sets.find(settings.set, data, into)
    if settings.test_set:
        own = Path(settings.test_set)
        layout = sets.Layout(**{**asdict(layout), "test": own, "test_labels_from_folders": own.is_dir()})
    pool = _opened(layout.train, partial / "all", layout.labels_from_folders)
    usable = _usable(pool, layout.leave_out)
    _check(settings, layout, len(usable))
    rng = generator(0, "split", settings.set)
    shuffled = usable[torch.randperm(len(usable), generator=rng).numpy()]
    if layout.test is None:
        chosen = _drawn(pool, shuffled, settings)
        shuffled = shuffled[~np.isin(shuffled, chosen)]
        _write(pool, np.sort(chosen), partial / "test")
    else:
        tested = _opened(layout.test, partial / "all-test", layout.test_labels_from_folders)
        kept = _usable(tested, layout.leave_out)
        kept = kept[torch.randperm(len(kept), generator=rng).numpy()][: settings.test or None]
        _write(tested, np.sort(kept), partial / "test")
    rest = shuffled[settings.validation :]
    _write(pool, np.sort(rest[: settings.train or None]), partial / "pool")
    features.write(experiment, pool, partial)
    _finish(partial, layout)


def _opened(where: Path, directory: Path, labels_from_folders: bool) -> Pool:
    if (directory / MANIFEST).exists():
        return Pool.open(directory)
    return Pool.create(directory, str(where), labels_from_folders=labels_from_folders)


def _usable(pool: Pool, leave_out: tuple[str, ...]) -> Ids:
    known = pool.manifest.known()
    found = [item for item, name in enumerate(known) if name is not None and name not in leave_out]
    if not found:
        raise PoolError(
            f"none of the {len(known):,} images has a known label, and without labels nothing can be measured; "
            "name a folder with one folder a class, or a table with a label column"
        )
    return np.array(found, dtype=np.int64)


def _check(settings: DataSettings, layout: sets.Layout, found: int) -> None:
    own_test = layout.test is not None
    wanted = settings.train + settings.validation + (0 if own_test else settings.test)
    page = f"; get the set again from {layout.page}" if layout.page else ""
    if not own_test and not settings.test:
        raise SettingsError(f"'{settings.set}' has no test set of its own; say how many images to test on: data.test")
    if found < wanted or found - (wanted - settings.train) < 2:
        raise PoolError(f"{settings.set} has {found:,} labelled images, the experiment needs {wanted:,}{page}")
    if layout.official and found > layout.official[0]:
        raise PoolError(
            f"{layout.train} has {found:,} labelled images, the official set has {layout.official[0]:,}; "
            f"take out what does not belong there{page}"
        )


def _drawn(pool: Pool, shuffled: Ids, settings: DataSettings) -> Ids:
    """The test images: the first ones, or as many of each class."""
    if settings.test_draw == "random":
        return shuffled[: settings.test]
    names = np.array(pool.manifest.known(shuffled), dtype=str)
    each = settings.test // len(set(names.tolist()))
    return np.concatenate([shuffled[names == name][:each] for name in sorted(set(names.tolist()))])


def _write(pool: Pool, rows: Ids, directory: Path) -> None:
    directory.mkdir()
    write_sources(directory / SOURCES, pool.sources, pool.limits)
    Manifest.write(directory / MANIFEST, pq.read_table(pool.manifest.path).take(rows).select(ROWS.names))
    np.save(directory / "rows.npy", rows)


def _finish(partial: Path, layout: sets.Layout) -> None:
    pool, test = Pool.open(partial / "pool").manifest, Pool.open(partial / "test").manifest
    classes = sorted({*pool.classes(), *test.classes()})
    text = json.dumps([pool.names(), pool.known(), test.names(), test.known()])
    facts = {
        "classes": classes,
        "groups": [group for group in layout.groups if set(group) <= set(classes)],
        "fingerprint": hashlib.sha256(text.encode()).hexdigest()[:16],
        "sizes": {"pool": len(pool), "test": len(test)},
    }
    for name in ("all", "all-test"):
        shutil.rmtree(partial / name, ignore_errors=True)
    (partial / "ready.json").write_text(json.dumps(facts, indent=1), encoding="utf-8")
