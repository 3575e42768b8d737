"""Tiny data sets in the official layouts."""

import io
import pickle
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from PIL import Image

from pickwell.experiments.data.sets.cifar import GROUPS

TEN = ("airplane", "automobile", "bird", "cat", "deer", "dog", "frog", "horse", "ship", "truck")
HUNDRED = tuple(sorted(name for group in GROUPS for name in group))


def pixels(count: int, seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).integers(0, 256, (count, 3072), dtype=np.uint8)


def cifar_python(root: Path, hundred: bool = False, each: int = 4) -> tuple[np.ndarray, list[str]]:
    """Writes the python batches; returns the training pixels and labels."""
    folder = root / ("cifar-100-python" if hundred else "cifar-10-batches-py")
    folder.mkdir(parents=True)
    names, key = (HUNDRED, "fine_labels") if hundred else (TEN, "labels")
    files = ["train", "test"] if hundred else [*(f"data_batch_{n}" for n in range(1, 6)), "test_batch"]
    data, labels = [], []
    for number, file in enumerate(files):
        batch, own = pixels(each, number), [(number + k) % len(names) for k in range(each)]
        (folder / file).write_bytes(pickle.dumps({"data": batch, key: own, "coarse_labels": own}, protocol=2))
        if "test" not in file:
            data.append(batch)
            labels += [names[n] for n in own]
    meta = {"fine_label_names": list(names), "label_names": list(names)}
    (folder / ("meta" if hundred else "batches.meta")).write_bytes(pickle.dumps(meta, protocol=2))
    return np.concatenate(data), labels


def cifar_binary(root: Path, hundred: bool = False, each: int = 4) -> tuple[np.ndarray, list[str]]:
    folder = root / ("cifar-100-binary" if hundred else "cifar-10-batches-bin")
    folder.mkdir(parents=True)
    names = HUNDRED if hundred else TEN
    files = ["train", "test"] if hundred else [*(f"data_batch_{n}" for n in range(1, 6)), "test_batch"]
    data, labels = [], []
    for number, file in enumerate(files):
        batch, own = pixels(each, number), np.array([(number + k) % len(names) for k in range(each)], np.uint8)
        before = [np.zeros((each, 1), np.uint8)] if hundred else []
        (folder / f"{file}.bin").write_bytes(np.concatenate([*before, own[:, None], batch], axis=1).tobytes())
        if "test" not in file:
            data.append(batch)
            labels += [names[n] for n in own]
    (folder / ("fine_label_names.txt" if hundred else "batches.meta.txt")).write_text("\n".join(names) + "\n\n")
    return np.concatenate(data), labels


def image(seed: int = 0, size: int = 8, kind: str = "PNG") -> bytes:
    out = io.BytesIO()
    drawn = np.random.default_rng(seed).integers(0, 256, (size, size, 3), dtype=np.uint8)
    Image.fromarray(drawn).save(out, kind)
    return out.getvalue()


def folders(root: Path, classes: Sequence[str], each: int = 3, suffix: str = ".jpg") -> Path:
    for number, name in enumerate(classes):
        (root / name).mkdir(parents=True)
        for k in range(each):
            (root / name / f"{name}_{k:04d}{suffix}").write_bytes(image(number * 100 + k, kind="JPEG"))
    return root


def scene(path: Path, shape: tuple[int, int], values: Sequence[int] | None = None) -> None:
    """An image of noise; or a mask, in vertical stripes of the values."""
    path.parent.mkdir(parents=True, exist_ok=True)
    if values is None:
        drawn = np.random.default_rng(len(path.name)).integers(0, 256, (*shape, 3), dtype=np.uint8)
    else:
        drawn = np.broadcast_to(np.array(values, np.uint8)[np.arange(shape[1]) * len(values) // shape[1]], shape)
    Image.fromarray(drawn).save(path)


def camvid(root: Path, train: int = 4, test: int = 2) -> Path:
    for part, count in (("train", train), ("test", test), ("val", 1)):
        for k in range(count):
            scene(root / f"camvid/{part}/0001TP_{k:06d}.jpg", (16, 24))
            scene(root / f"camvid/{part}annot/0001TP_{k:06d}.png", (16, 24), (k % 3, 3, 11))
    return root


def bdd100k(root: Path, old: bool = False, values: Sequence[int] = (0, 18, 255)) -> Path:
    images, masks = ("seg/images", "seg/labels") if old else ("images/10k", "labels/sem_seg/masks")
    for part, count in (("train", 3), ("val", 2)):
        for k in range(count):
            scene(root / f"bdd100k/{images}/{part}/{part}-{k}.jpg", (16, 24))
            name = f"{part}-{k}_train_id.png" if old else f"{part}-{k}.png"
            scene(root / f"bdd100k/{masks}/{part}/{name}", (16, 24), values)
            scene(root / f"bdd100k/seg/color_labels/{part}/{part}-{k}_train_color.png", (16, 24), (9,))
    return root


def cityscapes(root: Path, values: Sequence[int] = (0, 7, 11, 33)) -> Path:
    for part, count in (("train", 3), ("val", 2)):
        for k in range(count):
            stem = f"{part}/ulm/ulm_{k:06d}_000019"
            scene(root / f"cityscapes/leftImg8bit/{stem}_leftImg8bit.png", (16, 24))
            scene(root / f"cityscapes/gtFine/{stem}_gtFine_labelIds.png", (16, 24), values)
            scene(root / f"cityscapes/gtFine/{stem}_gtFine_instanceIds.png", (16, 24), (200,))
            scene(root / f"cityscapes/gtFine/{stem}_gtFine_color.png", (16, 24), (201,))
    return root


def parquet(
    path: Path, labels: Sequence[str | int], column: str = "label", metadata: dict[str, str] | None = None
) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    images = [{"bytes": image(at), "path": f"{path.stem}-{at}.png"} for at in range(len(labels))]
    table = pa.table({"img": images, column: list(labels)}).replace_schema_metadata(metadata)
    pq.write_table(table, path)
    return path
