"""Flags and notes: what people remark about images, beside the labels."""

import json
import os
import time
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from threading import Lock


@dataclass(frozen=True, slots=True)
class Remark:
    """What was remarked last about an item."""

    item: int
    flag: bool = False
    note: str = ""
    annotator: str = ""
    time: float = 0.0
    event: str = ""


class Remarks:
    """`remarks.jsonl`: one line a remark, only ever added to; the newest of an item stands."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._lock = Lock()
        self._newest: dict[int, Remark] = {}
        self._events: set[str] = set()
        for line in path.read_bytes().splitlines() if path.exists() else ():
            self._take(line)

    def _take(self, line: bytes) -> None:
        try:
            remark = Remark(**json.loads(line))
        except (ValueError, TypeError):
            return  # the end of a line that a power cut left half written
        self._newest[remark.item] = remark
        self._events.add(remark.event)

    def all(self) -> Mapping[int, Remark]:
        """The standing remark of every item that has one."""
        with self._lock:
            return dict(self._newest)

    def keep(self, item: int, annotator: str, event: str, *, flag: bool, note: str) -> Remark:
        """Keeps a remark, on the disk before it returns; the same event again changes nothing."""
        remark = Remark(item, flag, note, annotator, time.time(), event)
        with self._lock:
            if event in self._events:
                return self._newest.get(item, remark)
            with self.path.open("ab") as file:
                whole = not file.tell() or self._ends_whole()
                file.write((b"" if whole else b"\n") + json.dumps(asdict(remark)).encode() + b"\n")
                file.flush()
                os.fsync(file.fileno())
            self._newest[item] = remark
            self._events.add(event)
        return remark

    def _ends_whole(self) -> bool:
        with self.path.open("rb") as file:
            file.seek(-1, os.SEEK_END)
            return file.read(1) == b"\n"
