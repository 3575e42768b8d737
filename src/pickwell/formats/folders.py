"""A folder for each class, with its images in it.

Use when: a training script wants one folder a class, or people sort files by hand.
Source: torchvision's ImageFolder.
"""

from collections.abc import Sequence
from pathlib import Path

from pickwell.data.tree import SUFFIXES
from pickwell.errors import LabelError
from pickwell.formats.exchange.found import CLASSIFICATION, Asked, Context, Found, Labelled
from pickwell.formats.exchange.names import inside
from pickwell.formats.exchange.paths import appearing, files_below, save

TASKS = (CLASSIFICATION,)
OPTIONS = {"write": ("--copies",)}

_ENDINGS = {b"\x89PNG": ".png", b"\xff\xd8\xff": ".jpg", b"GIF8": ".gif", b"BM": ".bmp", b"RIFF": ".webp"}

_UNLABELLED = "_unlabelled"


def read(where: Path, context: Context) -> list[Found]:
    """The images in the folders below; hidden ones, and a folder named _unlabelled, are passed over."""
    if not where.is_dir():
        raise LabelError(f"{where} is no folder; name the folder that holds one folder a class")
    found = by_folder(where)
    if not found:
        raise LabelError(f"{where} holds no folder with an image; it must hold one folder a class")
    return found


def by_folder(where: Path) -> list[Found]:
    """The images in the folders of a folder that are classes, by names from there on."""
    found = []
    for folder in sorted(path for path in where.iterdir() if path.is_dir() and _is_class(path.name)):
        names = [name for name, _ in files_below(folder, "") if Path(name).suffix.lower() in SUFFIXES]
        found += [Found(name, folder.name, where=f"{folder.name}/{name}") for name in names]
    return found


def _is_class(folder: str) -> bool:
    return not folder.startswith(".") and folder != _UNLABELLED


def write(out: Path, labelled: Sequence[Labelled], context: Context) -> None:
    """Writes links to the images that are files, unless copies are wanted, and copies of the others."""
    check_folders(labelled)
    with appearing(out) as folder:
        for one in labelled:
            place_image(folder / one.label / inside(one.name), one, context.copies)


def check_folders(labelled: Sequence[Labelled]) -> None:
    """Refuses classes that would not be found again as folders."""
    for name in dict.fromkeys(one.label for one in labelled):
        inside(name, "the class")
        if "/" in name or not _is_class(name):
            raise LabelError(f"the class '{name}' would not be found again as a folder; export as csv, or rename it")


def place_image(path: Path, one: Labelled | Asked, copies: bool) -> Path:
    """Puts a link to the image's file at a path; a copy if that is wanted, or where the image is no file.

    Returns where it is: a copy's name gets an ending if it has none.
    """
    if copies or one.file is None:
        data = one.image()
        # Names inside tables, and of digits, need have no ending; a file without one is no image to most programs.
        named = path.suffix.lower() in SUFFIXES
        place = path if named else path.with_name(path.name + _ending(data))
        save(place, data)
        return place
    path.parent.mkdir(parents=True, exist_ok=True)
    path.symlink_to(one.file.resolve())
    return path


def _ending(data: bytes) -> str:
    return next((ending for mark, ending in _ENDINGS.items() if data.startswith(mark)), ".tif")
