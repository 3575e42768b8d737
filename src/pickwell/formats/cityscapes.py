"""Cityscapes: `gtFine/<split>/<city>/<image>_gtFine_labelIds.png`, and the same as `_labelTrainIds.png`.

Use when: the masks are Cityscapes', or a tool for that set is to read them.
Source: Cordts et al. 2016.

The numbers are those of cityscapesscripts/helpers/labels.py (M. Cordts et al.), which every tool for the set shares.
"""

from collections.abc import Sequence
from pathlib import Path

from pickwell.errors import LabelError
from pickwell.formats.exchange.found import SEGMENTATION, Context, Found, Labelled
from pickwell.formats.exchange.mask_pictures import numbers, renumbered
from pickwell.formats.exchange.names import distinct, inside
from pickwell.formats.exchange.paths import appearing, files_below, save
from pickwell.formats.exchange.readings import without_ending
from pickwell.labels import IGNORE_INDEX

TASKS = (SEGMENTATION,)

LABEL_IDS = (
    *("unlabeled", "ego vehicle", "rectification border", "out of roi", "static", "dynamic", "ground", "road"),
    *("sidewalk", "parking", "rail track", "building", "wall", "fence", "guard rail", "bridge", "tunnel", "pole"),
    *("polegroup", "traffic light", "traffic sign", "vegetation", "terrain", "sky", "person", "rider", "car", "truck"),
    *("bus", "caravan", "trailer", "train", "motorcycle", "bicycle"),
)
"""The classes by their label ids, 0 to 33."""

TRAIN_IDS = (
    *("road", "sidewalk", "building", "wall", "fence", "pole", "traffic light", "traffic sign", "vegetation"),
    *("terrain", "sky", "person", "rider", "car", "truck", "bus", "train", "motorcycle", "bicycle"),
)
"""The classes by their train ids, 0 to 18; 255 is what the benchmark ignores."""

_IDS, _TRAIN = "_gtFine_labelIds.png", "_gtFine_labelTrainIds.png"
_IMAGE = "_leftImg8bit"


def read(where: Path, context: Context) -> list[Found]:
    """The masks below a folder: label ids, and train ids of the images that have no label ids.

    What the benchmark ignores (every class without a train id) is ignored, unless the campaign has that class.
    """
    ids: dict[int, str | None] = {
        value: name if name in TRAIN_IDS or name in context.classes else None for value, name in enumerate(LABEL_IDS)
    }
    files = files_below(where, ".png")
    found = {name.removesuffix(_TRAIN): (path, train_names()) for name, path in files if name.endswith(_TRAIN)}
    found |= {name.removesuffix(_IDS): (path, ids) for name, path in files if name.endswith(_IDS)}
    if not found:
        raise LabelError(f"{where} holds no file that ends in {_IDS} or {_TRAIN}; name the folder gtFine")
    return [
        Found(_image(name, context), load=numbers(path, names), where=path.relative_to(where).as_posix())
        for name, (path, names) in sorted(found.items())
    ]


def train_names() -> dict[int, str | None]:
    """The classes by train id, and 255."""
    return {**dict(enumerate(TRAIN_IDS)), IGNORE_INDEX: None}


def _image(name: str, context: Context) -> str:
    """The name of a mask's image, with the ending of Cityscapes where the pool has it so."""
    own = name.removeprefix("gtFine/") + _IMAGE
    return own if context.knows(own) else name.removeprefix("gtFine/")


def write(out: Path, labelled: Sequence[Labelled], context: Context) -> None:
    """Writes label ids and, where every class has one, train ids. What is ignored is `unlabeled` (0), or 255."""
    ids = numbers_of(context, LABEL_IDS, "Cityscapes", "unlabeled")
    train = numbers_of(context, TRAIN_IDS, "Cityscapes") if set(context.classes) <= set(TRAIN_IDS) else None
    # A mask's name begins as the image's: `<split>/<city>/<image>`.
    stems = (without_ending(one.name).removesuffix(_IMAGE) for one in labelled)
    names = distinct([stem.removeprefix("leftImg8bit/") for stem in stems])
    with appearing(out) as folder:
        for one, name in zip(labelled, names, strict=True):
            save(folder / inside(f"gtFine/{name}{_IDS}"), renumbered(one.mask(), ids, 0))
            if train:
                save(folder / inside(f"gtFine/{name}{_TRAIN}"), renumbered(one.mask(), train, IGNORE_INDEX))


def numbers_of(context: Context, table: Sequence[str], whose: str, taken: str = "") -> list[int]:
    """The campaign's classes as numbers of an official table; LabelError if one has none."""
    lost = [name for name in context.classes if name not in table or name == taken]
    if lost:
        raise LabelError(f"{whose} has no number for the class '{lost[0]}'; export as masks, voc or coco instead")
    return [table.index(name) for name in context.classes]
