"""docs/formats.md says of every format what it can do."""

import re
from pathlib import Path

import pytest

from pickwell import formats
from pickwell.cli import label_files
from pickwell.data import csv_rows
from pickwell.formats.exchange import paths
from pickwell.tasks.segmentation.label_maps import BYTES

PAGE = Path(__file__).parents[2] / "docs" / "formats.md"
LABELS = {"classification": "classes", "segmentation": "masks"}


def rows() -> dict[str, list[str]]:
    lines = [line for line in PAGE.read_text(encoding="utf-8").splitlines() if line.startswith("| `")]
    cells = [[cell.strip() for cell in line.strip("|").split("|")] for line in lines]
    return {row[0].strip("`"): row[1:] for row in cells}


def test_the_table_has_every_format_in_order() -> None:
    assert list(rows()) == formats.available()


@pytest.mark.parametrize("name", formats.available())
def test_the_table_says_what_the_format_does(name: str) -> None:
    labels, *able = rows()[name][:4]
    module = formats.named(name)
    assert labels == (", ".join(LABELS[task] for task in module.TASKS) if hasattr(module, "TASKS") else "any")
    assert able == ["yes" if hasattr(module, doing) else "" for doing in ("read", "write", "ask")]
    assert module.__doc__


def test_the_limits_are_those_of_the_page() -> None:
    (said,) = re.findall(r"read up to (\d+) MiB", PAGE.read_text(encoding="utf-8"))
    assert csv_rows.BYTES == paths.PICTURE_BYTES == BYTES == int(said) << 20
    assert f"{paths.PARTS:,} lists" in PAGE.read_text(encoding="utf-8")


def test_the_options_of_the_page_exist() -> None:
    import inspect

    source = inspect.getsource(label_files)
    for option in set(re.findall(r"`(--[a-z-]+)", PAGE.read_text(encoding="utf-8"))):
        assert option in source or option[2:].replace("-", "_") + ":" in source, option
