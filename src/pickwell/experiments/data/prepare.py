"""The pools of an experiment: made once for all its cells, as manifests over images that stay where they are."""

import hashlib
import json
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

import numpy as np
from filelock import FileLock
from numpy.typing import NDArray

from pickwell.campaign.directory import new_directory
from pickwell.data.images import Images
from pickwell.data.pool import Pool
from pickwell.experiments.code_hash import pools_digest
from pickwell.experiments.data import data_changes, feature_pools
from pickwell.experiments.data.pool_drawing import SHOWN, draw
from pickwell.experiments.experiment import Experiment
from pickwell.tasks.segmentation.scenes import Scenes


@dataclass(frozen=True)
class Prepared:
    """The pool to pick from, the test set, and what is known of their classes."""

    folder: Path
    classes: tuple[str, ...]
    groups: tuple[tuple[str, ...], ...]
    fingerprint: str
    sources: dict[str, data_changes.Stamp]
    """How a user's own files looked when the pools were drawn from them."""

    @property
    def pool(self) -> Path:
        """The pool's directory."""
        return self.folder / "pool"

    @property
    def test(self) -> Path:
        """The test set's directory."""
        return self.folder / "test"

    def images(self, part: Path, size: int, memory_limit_mib: int) -> Images | Scenes:
        """The pixels, or the feature vectors, of the pool or the test set: shared by all cells of this process."""
        return _images(part, size, memory_limit_mib << 20, self.shown() is not None)

    def shown(self) -> NDArray[np.int64] | None:
        """How many pixels of each class each scene of the pool shows `(N, C)`; None where labels are classes."""
        stored = self.folder / SHOWN
        return np.load(stored) if stored.exists() else None

    def feature_size(self) -> int | None:
        """The length of the feature vectors, None where images are images."""
        stored = self.folder / feature_pools.file(self.pool.name)
        return int(np.load(stored, mmap_mode="r").shape[1]) if stored.exists() else None


# Pool and test set of one variant: each may fill its share of the memory.
@lru_cache(maxsize=2)
def _images(part: Path, size: int, limit: int, scenes: bool) -> Images | Scenes:
    if scenes:
        return Scenes(Pool.open(part), limit)
    vectors = part.parent / feature_pools.file(part.name)
    return feature_pools.Vectors(np.load(vectors)) if vectors.exists() else Images(Pool.open(part), size, limit)


def prepare(experiment: Experiment, data: Path, root: Path) -> Prepared:
    """The experiment's pools below `root`: found, or made now."""
    folder = _folder(experiment, root)
    folder.parent.mkdir(parents=True, exist_ok=True)
    # Runners that begin together make the pools once: the first at the lock makes them, the others find them.
    with FileLock(_beside(folder, "lock")):
        if not (folder / "ready.json").exists():
            with new_directory(folder) as partial:
                # Converted images lie outside of `partial`: manifests hold absolute paths, which renaming breaks.
                draw(experiment, data, root, partial, _beside(folder, "source"))
    return _read(folder)


def prepared(experiment: Experiment, root: Path, fingerprint: str) -> Prepared | None:
    """The experiment's pools below `root` with that fingerprint, whatever code made them; None if there are none."""
    stem = _folder(experiment, root).stem
    found = (_read(path.parent) for path in sorted((root / "pools").glob(f"{stem}*/ready.json")))
    return next((known for known in found if known.fingerprint == fingerprint), None)


def _folder(experiment: Experiment, root: Path) -> Path:
    """Named by the settings and the code that make pools, so that experiments share them.

    The image size matters to features alone.
    """
    data_settings = experiment.data.model_dump(mode="json")
    facts = [data_settings, experiment.model.image_size if experiment.data.features else 0, experiment.task]
    settings = hashlib.sha256(json.dumps(facts).encode()).hexdigest()
    return root / "pools" / f"{settings[:12]}.{pools_digest(experiment.data)[:4]}"


def _beside(folder: Path, kind: str) -> Path:
    return folder.with_name(f"{folder.name}.{kind}")


def _read(folder: Path) -> Prepared:
    facts = json.loads((folder / "ready.json").read_text(encoding="utf-8"))
    groups = tuple(tuple(group) for group in facts["groups"])
    return Prepared(folder, tuple(facts["classes"]), groups, facts["fingerprint"], facts.get("sources", {}))
