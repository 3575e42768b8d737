"""Remarks of campaigns made before they were kept in the store."""

import json
from pathlib import Path

from pickwell.store import Remark, Store


def move_remarks(root: Path, store: Store) -> None:
    """Takes the lines of `remarks.jsonl` into the store, each event once, and then renames the file."""
    path = root / "remarks.jsonl"
    if not path.exists():
        return
    for line in path.read_bytes().splitlines():
        try:
            values = json.loads(line)
            made = Remark(values["item"], values["event"], values["annotator"], values["flag"], values["note"])
        except (ValueError, TypeError, KeyError):
            continue  # the end of a line that a power cut left half written
        store.keep_remark(made)
    path.replace(path.with_suffix(".jsonl.moved"))
