"""Photographs that few labels are tried on: clothes (10 classes), and groceries on shelves (81)."""

import csv
from collections import defaultdict
from pathlib import Path

from pickwell.experiments.data.sets.layout import Layout, Part, missing

CLOTHING = "github.com/alexeygrigorev/clothing-dataset-small"
GROCERY = "github.com/marcusklasson/GroceryStoreDataset"


def clothing(name: str, data: Path, into: Path) -> Layout:
    """The folders `train` and `test` of `clothing`, a folder a class."""
    place = data / "clothing"
    if not (place / "train").is_dir():
        raise missing("The clothing data set", data, ("clothing/train/",), CLOTHING)
    train, test = (Part(place / part, labels_from_folders=True) for part in ("train", "test"))
    return Layout(train, test, page=CLOTHING)


def grocery(name: str, data: Path, into: Path) -> Layout:
    """The parts that `grocery/labels.csv` names, by its columns path, label and split."""
    listed = data / "grocery" / "labels.csv"
    if not listed.is_file():
        raise missing("The grocery data set", data, ("grocery/labels.csv",), GROCERY)
    rows = defaultdict(list)
    with listed.open(encoding="utf-8", newline="") as file:
        for row in csv.DictReader(file):
            rows[row["split"]].append((f"grocery/{row['path']}", row["label"]))
    into.mkdir(parents=True, exist_ok=True)
    # A link, so that images have the same names wherever the data are.
    link = into / "grocery"
    link.unlink(missing_ok=True)
    link.symlink_to(listed.parent.absolute(), target_is_directory=True)
    paths = {part: into / f"{part}.csv" for part in ("train", "test")}
    for part, path in paths.items():
        with path.open("w", encoding="utf-8", newline="") as file:
            csv.writer(file).writerows([("path", "label"), *rows[part]])
    return Layout(Part(paths["train"]), Part(paths["test"]), page=GROCERY)


SETS = {"clothing": clothing, "grocery": grocery}
