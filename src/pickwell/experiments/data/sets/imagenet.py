"""ImageNet 2012 (Russakovsky et al. 2015): folders and a list of the validation images' classes, or Parquet shards."""

import csv
from collections.abc import Iterator, Sequence
from pathlib import Path

from pickwell.errors import PoolError
from pickwell.experiments.data.sets.layout import Layout, Part, missing

PAGE = "image-net.org/download.php"
ROOTS = ("imagenet", "ILSVRC2012", "ILSVRC/Data/CLS-LOC", ".")
TRAIN, TEST = 1_281_167, 50_000
"""How many images there are to learn from, and to test on."""
TRUTH = "ILSVRC2012_validation_ground_truth.txt"
"""The classes of the validation images, as the official development kit has them."""
SOLUTION = "LOC_val_solution.csv"
"""The same as Kaggle's archive has them."""


def find(name: str, data: Path, into: Path) -> Layout:
    """The training folders and the validation images, which the paper tests on."""
    for root in (data / folder for folder in ROOTS):
        if (root / "train").is_dir() and (root / "val").is_dir():
            return _folders(data, root, into)
        for part in (root, root / "data"):
            if next(part.glob("train-*.parquet"), None) and next(part.glob("val*.parquet"), None):
                test = next(part.glob("val*.parquet")).name.split("-")[0]
                return Layout(Part(part / "train-*.parquet", TRAIN), Part(part / f"{test}-*.parquet", TEST), page=PAGE)
    wanted = ("imagenet/train/ with imagenet/val/", "imagenet/train-*.parquet with validation-*.parquet")
    raise missing("ImageNet", data, wanted, PAGE)


def _folders(data: Path, root: Path, into: Path) -> Layout:
    train, val = root / "train", root / "val"
    from_folders = any(entry.is_dir() for entry in val.iterdir())
    test = val if from_folders else _listed(val, _truth(data, root, val), into)
    return Layout(
        Part(train, TRAIN, labels_from_folders=True), Part(test, TEST, labels_from_folders=from_folders), page=PAGE
    )


def _listed(val: Path, rows: Iterator[tuple[str, str]], into: Path) -> Path:
    """A CSV of the validation images and their classes."""
    into.mkdir(parents=True, exist_ok=True)
    path = into / "validation.csv"
    with path.open("w", newline="", encoding="utf-8") as out:
        writer = csv.writer(out)
        writer.writerow(("path", "label"))
        writer.writerows(((val / name).resolve(), label) for name, label in rows)
    return path


def _truth(data: Path, root: Path, val: Path) -> Iterator[tuple[str, str]]:
    """File names of the validation images and their classes, as the training folders are named."""
    kit = "ILSVRC2012_devkit_t12/data"
    places = (root, root / "devkit", data, root.parent, root / kit, data / kit, root.parent.parent)
    for place in places:
        if (place / SOLUTION).exists():
            return _solution(place / SOLUTION)
        if (place / TRUTH).exists():
            return _numbered(place, sorted(path.name for path in val.iterdir() if path.is_file()))
    raise PoolError(
        f"the validation images in {val} have no classes: neither {TRUTH} with meta.mat (the development kit) nor "
        f"{SOLUTION} is in {root}; get it from {PAGE}"
    )


def _solution(path: Path) -> Iterator[tuple[str, str]]:
    with path.open(newline="", encoding="utf-8") as lines:
        for row in csv.DictReader(lines):
            yield f"{row['ImageId']}.JPEG", row["PredictionString"].split()[0]


def _numbered(place: Path, files: Sequence[str]) -> Iterator[tuple[str, str]]:
    """The ground truth file has one number an image in the order of their names; meta.mat says what it means."""
    from scipy.io import loadmat

    numbers = (place / TRUTH).read_text(encoding="utf-8").split()
    if len(numbers) != len(files):
        raise PoolError(
            f"{place / TRUTH} has {len(numbers):,} lines for {len(files):,} validation images; fetch both from {PAGE}"
        )
    try:
        synsets = loadmat(place / "meta.mat", squeeze_me=True)["synsets"]
    except (OSError, KeyError, ValueError) as error:
        raise PoolError(
            f"{place / 'meta.mat'} cannot be read: {error}; it is in the development kit: {PAGE}"
        ) from error
    names = {int(number): str(wnid) for number, wnid in zip(synsets["ILSVRC2012_ID"], synsets["WNID"], strict=True)}
    for file, number in zip(files, numbers, strict=True):
        yield file, names[int(number)]


SETS = {"imagenet": find}
