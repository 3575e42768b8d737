"""What the model makes of a round's picks, for whoever labels them: `rounds/0003.json`.

{"format": 1, "round": 3, "picks": [{"item": 17, "suggestion": "cat", "confidence": 0.83, "order": 4,
 "neighbours": [{"item": 4, "label": "cat", "distance": 0.12}]}]}

Every entry but `item` may be missing; `order` is the pick's place on a walk from each image to a similar one.
"""

import json
import logging
from collections.abc import Mapping, Sequence
from functools import lru_cache
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from pickwell.files import replacing

logger = logging.getLogger("pickwell")

FORMAT = 1


class Neighbour(BaseModel):
    """A labelled image close to a pick."""

    item: int = Field(ge=0)
    label: str
    distance: float | None = None


class Hint(BaseModel):
    """What is known of one pick."""

    model_config = ConfigDict(extra="ignore")
    item: int = Field(ge=0)
    suggestion: str | None = None
    confidence: float | None = Field(default=None, ge=0, le=1)
    order: int | None = None
    neighbours: list[Neighbour] = []


class Hints:
    """The hints of each round; none where no file was written, or where it cannot be read."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._read = lru_cache(maxsize=4)(_read)

    def write(self, number: int, hints: Sequence[Mapping[str, Any]]) -> None:
        """Writes the hints of a round before it opens; where they cannot be written, the round opens without them."""
        try:
            self.folder.mkdir(exist_ok=True)
            with replacing(self._path(number)) as path:
                text = json.dumps({"format": FORMAT, "round": number, "picks": hints})
                path.write_text(text, encoding="utf-8")
        except OSError as error:
            logger.warning("round %d has no suggestions: %s", number, error)

    def rename(self, number: int, old: str, new: str) -> None:
        """Calls a class otherwise in the hints of a round."""
        hints = [hint.model_dump() for hint in self.of(number).values()]
        for hint in hints:
            hint["suggestion"] = new if hint["suggestion"] == old else hint["suggestion"]
            for near in hint["neighbours"]:
                near["label"] = new if near["label"] == old else near["label"]
        if hints:
            self.write(number, hints)

    def of(self, number: int) -> Mapping[int, Hint]:
        """The hints of a round by item."""
        path = self._path(number)
        try:
            # The time of change is an argument, so that the cache forgets a file that was written anew.
            return self._read(path, path.stat().st_mtime_ns)
        except OSError:
            return {}

    def _path(self, number: int) -> Path:
        return self.folder / f"{number:04d}.json"


def _read(path: Path, _changed: int) -> Mapping[int, Hint]:
    try:
        values: Any = json.loads(path.read_text(encoding="utf-8"))
        if values["format"] != FORMAT:
            return {}
        return {hint.item: hint for hint in map(Hint.model_validate, values["picks"])}
    except (ValueError, KeyError, TypeError, ValidationError):
        return {}  # a suggestion is a courtesy: without it the page still labels
