"""The sets of masks in their official layouts: CamVid as SegNet has it, BDD100K old and new, Cityscapes' gtFine."""

from pathlib import Path

from pickwell.data.layouts import CAMVID
from pickwell.data.mask_files import SUFFIX, MaskFiles
from pickwell.experiments.data.sets.layout import Layout, missing
from pickwell.formats.camvid import VOID
from pickwell.formats.cityscapes import LABEL_IDS, TRAIN_IDS

PAGES = {
    "bdd100k": "doc.bdd100k.com/download.html",
    "camvid": "mi.eng.cam.ac.uk/research/projects/VideoRec/CamVid",
    "cityscapes": "www.cityscapes-dataset.com/downloads",
}
IGNORED = tuple(value for value, name in enumerate(LABEL_IDS) if name not in TRAIN_IDS)
"""The label ids of Cityscapes that have no train id. The others, in order, are the train ids 0 to 18."""


def camvid(name: str, data: Path, into: Path) -> Layout:
    """CamVid: 367 scenes to pick from and 233 to test on; the 101 of `val` take no part."""
    for root in (data / "camvid", data / "CamVid", data):
        if (root / "trainannot").is_dir() and (root / "testannot").is_dir():
            masks = {part: MaskFiles(root / f"{part}annot", len(CAMVID), (VOID,)) for part in ("train", "test")}
            return Layout(
                root / "train", root / "test", official=(367, 233), page=PAGES[name], classes=CAMVID,
                masks=masks["train"], test_masks=masks["test"],
            )  # fmt: skip
    raise missing("CamVid", data, ("camvid/train/ with camvid/trainannot/, test/ and testannot/",), PAGES[name])


def bdd100k(name: str, data: Path, into: Path) -> Layout:
    """BDD100K: the new names, and those before 2021. The official validation scenes are the test set.

    The masks of the official test scenes are withheld.
    """
    layouts = (
        ("images/10k", "labels/sem_seg/masks", SUFFIX),
        ("seg/images", "seg/labels", "_train_id.png"),
    )
    for root in (data / "bdd100k", data):
        for images, labels, ending in layouts:
            if all((root / folder / part).is_dir() for folder in (images, labels) for part in ("train", "val")):
                train, test = (
                    MaskFiles(root / labels / part, len(TRAIN_IDS), ending=ending) for part in ("train", "val")
                )
                return Layout(
                    root / images / "train", root / images / "val", official=(7_000, 1_000), page=PAGES[name],
                    classes=TRAIN_IDS, masks=train, test_masks=test,
                )  # fmt: skip
    wanted = (f"bdd100k/{images}/ with bdd100k/{labels}/ (train and val)" for images, labels, _ in layouts)
    raise missing("BDD100K", data, wanted, PAGES[name])


def cityscapes(name: str, data: Path, into: Path) -> Layout:
    """Cityscapes: the fine masks of label ids. The official validation scenes are the test set, for the same reason."""
    for root in (data / "cityscapes", data / "Cityscapes", data):
        if all((root / folder / part).is_dir() for folder in ("leftImg8bit", "gtFine") for part in ("train", "val")):
            train, test = (
                MaskFiles(root / "gtFine" / part, len(TRAIN_IDS), IGNORED, "_gtFine_labelIds.png", "_leftImg8bit")
                for part in ("train", "val")
            )
            return Layout(
                root / "leftImg8bit/train", root / "leftImg8bit/val", official=(2_975, 500), page=PAGES[name],
                classes=TRAIN_IDS, masks=train, test_masks=test,
            )  # fmt: skip
    wanted = ("cityscapes/leftImg8bit/ with cityscapes/gtFine/ (train and val)",)
    raise missing("Cityscapes", data, wanted, PAGES[name])


SETS = {"bdd100k": bdd100k, "camvid": camvid, "cityscapes": cityscapes}
