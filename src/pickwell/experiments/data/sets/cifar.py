"""CIFAR-10 and CIFAR-100 (Krizhevsky 2009): the python batches, the binary ones, or Parquet."""

import pickle
from collections.abc import Iterator
from io import BytesIO
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pyarrow.parquet as pq
from numpy.typing import NDArray

from pickwell.errors import PoolError
from pickwell.experiments.data.sets.layout import Layout, Part, missing, write_images

PAGE = "www.cs.toronto.edu/~kriz/cifar.html"
SIDE = 32
PIXELS = 3 * SIDE * SIDE
SUPERCLASSES = {
    "aquatic mammals": "beaver dolphin otter seal whale",
    "fish": "aquarium_fish flatfish ray shark trout",
    "flowers": "orchid poppy rose sunflower tulip",
    "food containers": "bottle bowl can cup plate",
    "fruit and vegetables": "apple mushroom orange pear sweet_pepper",
    "household electrical devices": "clock keyboard lamp telephone television",
    "household furniture": "bed chair couch table wardrobe",
    "insects": "bee beetle butterfly caterpillar cockroach",
    "large carnivores": "bear leopard lion tiger wolf",
    "large man-made outdoor things": "bridge castle house road skyscraper",
    "large natural outdoor scenes": "cloud forest mountain plain sea",
    "large omnivores and herbivores": "camel cattle chimpanzee elephant kangaroo",
    "medium-sized mammals": "fox porcupine possum raccoon skunk",
    "non-insect invertebrates": "crab lobster snail spider worm",
    "people": "baby boy girl man woman",
    "reptiles": "crocodile dinosaur lizard snake turtle",
    "small mammals": "hamster mouse rabbit shrew squirrel",
    "trees": "maple_tree oak_tree palm_tree pine_tree willow_tree",
    "vehicles 1": "bicycle bus motorcycle pickup_truck train",
    "vehicles 2": "lawn_mower rocket streetcar tank tractor",
}
"""CIFAR-100's 20 superclasses of 5 classes: the paper's noisy oracle confuses classes of one of them."""
GROUPS = tuple(tuple(names.split()) for names in SUPERCLASSES.values())


class Kind(NamedTuple):
    """How one of the two sets names its files."""

    title: str
    folders: tuple[str, str]
    train: tuple[str, ...]
    test: str
    names_file: str
    names_key: str
    label_key: str
    label_bytes: int
    groups: tuple[tuple[str, ...], ...]


KINDS = {
    "cifar10": Kind(
        "CIFAR-10", ("cifar-10-batches-py", "cifar-10-batches-bin"),
        ("data_batch_1", "data_batch_2", "data_batch_3", "data_batch_4", "data_batch_5"), "test_batch",
        "batches.meta", "label_names", "labels", 1, (),
    ),
    "cifar100": Kind(
        "CIFAR-100", ("cifar-100-python", "cifar-100-binary"), ("train",), "test",
        "meta", "fine_label_names", "fine_labels", 2, GROUPS,
    ),
}  # fmt: skip


def find(name: str, data: Path, into: Path) -> Layout:
    """The set as two Parquet files; the official batches are written as such, without loss, in `into`."""
    kind = KINDS[name]
    python, binary = kind.folders
    for root in (data / name, data):
        if (root / "train.parquet").exists() and (root / "test.parquet").exists():
            train, test = _labelled(root, into)
        elif (root / python).is_dir():
            train, test = _written(_from_python(kind, root / python), into)
        elif (root / binary).is_dir():
            train, test = _written(_from_binary(kind, root / binary), into)
        else:
            continue
        return Layout(Part(train, 50_000), Part(test, 10_000), groups=kind.groups, page=PAGE)
    raise missing(kind.title, data, (f"{python}/", f"{binary}/", f"{name}/train.parquet with test.parquet"), PAGE)


class Split(NamedTuple):
    """One part: images `(N, 3072)`, uint8, channel by channel, and the labels' names."""

    pixels: NDArray[np.uint8]
    labels: list[str]


def _from_python(kind: Kind, folder: Path) -> Iterator[Split]:
    """The training and the test part from the pickled batches."""
    names = _unpickled(folder / kind.names_file)[kind.names_key]
    for files in (kind.train, (kind.test,)):
        batches = [_unpickled(folder / file) for file in files]
        pixels = np.concatenate([np.asarray(batch["data"], np.uint8) for batch in batches])
        yield Split(pixels, [names[number] for batch in batches for number in batch[kind.label_key]])


def _from_binary(kind: Kind, folder: Path) -> Iterator[Split]:
    """The training and the test part from records of label bytes and pixels; of two labels the last is the fine one."""
    listed = "fine_label_names.txt" if kind.label_bytes == 2 else "batches.meta.txt"
    names = _bytes(folder / listed).decode().split()
    for files in (kind.train, (kind.test,)):
        records = np.concatenate([_records(folder / f"{file}.bin", kind.label_bytes) for file in files])
        yield Split(records[:, kind.label_bytes :], [names[n] for n in records[:, kind.label_bytes - 1].tolist()])


def _records(path: Path, label_bytes: int) -> NDArray[np.uint8]:
    data = np.frombuffer(_bytes(path), np.uint8)
    if not len(data) or len(data) % (PIXELS + label_bytes):
        raise PoolError(
            f"{path} has {len(data):,} bytes, which are no whole number of records of {PIXELS + label_bytes:,}; "
            f"fetch it again from {PAGE}"
        )
    return data.reshape(-1, PIXELS + label_bytes)


class _Plain(pickle.Unpickler):
    """Reads arrays, lists and text; a pickle that names anything else is refused, because it could run code."""

    ALLOWED = frozenset({("_codecs", "encode"), ("numpy", "dtype"), ("numpy", "ndarray")})

    def find_class(self, module: str, name: str) -> Any:
        if (module, name) not in self.ALLOWED and not (module.endswith(".multiarray") and name == "_reconstruct"):
            raise pickle.UnpicklingError(f"it names {module}.{name}, which no CIFAR batch does")
        return super().find_class(module, name)


def _unpickled(path: Path) -> dict[str, Any]:
    try:
        return dict(_Plain(BytesIO(_bytes(path)), encoding="latin1").load())  # they were pickled by Python 2
    except (pickle.UnpicklingError, EOFError, ValueError, TypeError, IndexError) as error:
        raise PoolError(f"{path} is no CIFAR batch: {error}; fetch it again from {PAGE}") from error


def _bytes(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise PoolError(f"{path} cannot be read: {error.strerror}; fetch it again from {PAGE}") from error


def _written(parts: Iterator[Split], into: Path) -> tuple[Path, Path]:
    """The train and test part as Parquet files of PNG images."""
    paths = into / "train.parquet", into / "test.parquet"
    for path, part in zip(paths, parts, strict=True):
        write_images(path, list(part.pixels.reshape(-1, 3, SIDE, SIDE).transpose(0, 2, 3, 1)), part.labels)
    return paths


def _labelled(root: Path, into: Path) -> tuple[Path, Path]:
    """The Parquet files themselves, or copies in which `fine_label` is named `label`."""
    paths = root / "train.parquet", root / "test.parquet"
    if "fine_label" not in pq.read_schema(paths[0]).names:
        return paths
    into.mkdir(parents=True, exist_ok=True)
    for path in paths:
        table = pq.read_table(path)
        names = ["label" if name == "fine_label" else name for name in table.column_names]
        # Hugging Face's description of the columns, in the file's metadata, names the column as well.
        metadata = {k: v.replace(b'"fine_label"', b'"label"') for k, v in (table.schema.metadata or {}).items()}
        pq.write_table(table.rename_columns(names).replace_schema_metadata(metadata), into / path.name)
    return into / "train.parquet", into / "test.parquet"


SETS = dict.fromkeys(KINDS, find)
