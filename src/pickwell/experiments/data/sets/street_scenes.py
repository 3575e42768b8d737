"""The sets of masks in their official layouts: CamVid as SegNet has it, BDD100K old and new, Cityscapes' gtFine."""

from pathlib import Path
from typing import Any, NamedTuple

from pickwell.data.layouts import CAMVID
from pickwell.data.mask_files import MaskFiles
from pickwell.experiments.data.sets.layout import Layout, Part, missing
from pickwell.formats.camvid import VOID
from pickwell.formats.cityscapes import LABEL_IDS, TRAIN_IDS

IGNORED = tuple(value for value, name in enumerate(LABEL_IDS) if name not in TRAIN_IDS)
"""The label ids of Cityscapes that have no train id. The others, in order, are the train ids 0 to 18."""
CITYSCAPES = {"void": IGNORED, "ending": "_gtFine_labelIds.png", "image_ending": "_leftImg8bit"}


class Kind(NamedTuple):
    """How a set names its folders: of each of its layouts those of images and of masks, and how masks are to be read.

    What it calls the two parts stands in them for `*`; `official` are their sizes.
    """

    title: str
    folders: tuple[str, ...]
    layouts: tuple[tuple[str, str, dict[str, Any]], ...]
    parts: tuple[str, str]
    official: tuple[int, int]
    classes: tuple[str, ...]
    page: str
    wanted: tuple[str, ...]


KINDS = {
    # Of `val`, 101 scenes take no part.
    "camvid": Kind(
        "CamVid", ("camvid", "CamVid", "."), (("*", "*annot", {"void": (VOID,)}),), ("train", "test"), (367, 233),
        CAMVID, "mi.eng.cam.ac.uk/research/projects/VideoRec/CamVid",
        ("camvid/train/ with camvid/trainannot/, test/ and testannot/",),
    ),
    # The masks of the official test scenes are withheld: the validation scenes are the test set. The new names, and
    # those before 2021.
    "bdd100k": Kind(
        "BDD100K", ("bdd100k", "."),
        (("images/10k/*", "labels/sem_seg/masks/*", {}), ("seg/images/*", "seg/labels/*", {"ending": "_train_id.png"})),
        ("train", "val"), (7_000, 1_000), TRAIN_IDS, "doc.bdd100k.com/download.html",
        ("bdd100k/images/10k/ with bdd100k/labels/sem_seg/masks/ (train and val)",
         "bdd100k/seg/images/ with bdd100k/seg/labels/ (train and val)"),
    ),
    # The fine masks of label ids, and the validation scenes for the same reason.
    "cityscapes": Kind(
        "Cityscapes", ("cityscapes", "Cityscapes", "."), (("leftImg8bit/*", "gtFine/*", CITYSCAPES),),
        ("train", "val"), (2_975, 500), TRAIN_IDS, "www.cityscapes-dataset.com/downloads",
        ("cityscapes/leftImg8bit/ with cityscapes/gtFine/ (train and val)",),
    ),
}  # fmt: skip


def find(name: str, data: Path, into: Path) -> Layout:
    """The scenes to pick from, those to test on, and their masks."""
    kind = KINDS[name]
    for root in (data / folder for folder in kind.folders):
        for images, masks, reading in kind.layouts:
            pairs = [(root / images.replace("*", part), root / masks.replace("*", part)) for part in kind.parts]
            if all(folder.is_dir() for pair in pairs for folder in pair):
                train, test = (
                    Part(scenes, official, masks=MaskFiles(beside, len(kind.classes), **reading))
                    for (scenes, beside), official in zip(pairs, kind.official, strict=True)
                )
                return Layout(train, test, page=kind.page, classes=kind.classes)
    raise missing(kind.title, data, kind.wanted, kind.page)


SETS = dict.fromkeys(KINDS, find)
