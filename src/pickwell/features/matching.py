"""Whether a file of vectors and images agree: they know each other by name alone."""

import logging
from collections.abc import Sequence

from pickwell.config import Settings
from pickwell.encoders.features import FeatureFile, some
from pickwell.errors import EncoderError
from pickwell.features.encoding import NAMING, named

logger = logging.getLogger("pickwell")

ALLOWING = (
    "allow that (--allow-unmatched, allow_unmatched in campaign.toml): images without a vector are then set aside, and "
    "vectors without an image passed over"
)


class Matching:
    """Matches images with a file of vectors; EncoderError refuses what is unmatched unless that is `allowed`."""

    def __init__(self, file: FeatureFile, *, allowed: bool) -> None:
        self.file, self.allowed = file, allowed
        self._names: set[str] = set()

    def lacking(self, names: Sequence[str]) -> list[str]:
        """The names of a set's images that the file has no vector of; EncoderError for names of an earlier set."""
        if shared := sorted(self._names.intersection(names)):
            raise EncoderError(
                f"{self.file.path} has one vector for {some(shared)}, of which there are two images, in the pool and "
                "in the test set; rename the images of one set, and their vectors"
            )
        self._names.update(names)
        found = self.file.lacking(names)
        if found and not self.allowed:
            raise EncoderError(f"{self.file.disagreement(names)}; {NAMING}, or {ALLOWING}")
        return found

    def close(self) -> None:
        """When all sets are matched, refuses vectors of no image; where that is allowed, says what is unmatched."""
        if said := self.file.disagreement(sorted(self._names)):
            if not self.allowed:
                raise EncoderError(f"{said}; {NAMING}, or {ALLOWING}")
            logger.warning("%s", said)


def matching(settings: Settings) -> Matching | None:
    """What matches a campaign's images with its file of vectors; None where an encoder looks at them."""
    file = named(settings.encoder) if settings.encoder.startswith("features:") else None
    return Matching(file, allowed=settings.allow_unmatched) if isinstance(file, FeatureFile) else None
