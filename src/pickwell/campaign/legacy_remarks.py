"""Remarks of campaigns made before they were kept in the store."""

import json
import logging
from pathlib import Path

from pickwell.errors import StoreError
from pickwell.store import Remark, Store

logger = logging.getLogger("pickwell")


def move_remarks(root: Path, store: Store) -> None:
    """Takes the lines of `remarks.jsonl` into the store, each event once, and then renames the file.

    Where that cannot be written, as in a campaign that may only be read, they stay for whoever opens it next.
    """
    path = root / "remarks.jsonl"
    if not path.exists():
        return
    try:
        for line in path.read_bytes().splitlines():
            if made := _remark(line):
                store.keep_remark(made)
        path.replace(path.with_suffix(".jsonl.moved"))
    except (OSError, StoreError) as error:
        logger.warning("the remarks in %s stay there for now: %s", path, error)


def _remark(line: bytes) -> Remark | None:
    """What a line says; None at the end of one that a power cut left half written."""
    try:
        values = json.loads(line)
        return Remark(values["item"], values["event"], values["annotator"], values["flag"], values["note"])
    except (ValueError, TypeError, KeyError):
        return None
