"""Vectors that were made elsewhere, looked up by the names of their images: Parquet, .npy or .safetensors.

Use when: a network that cannot run here has encoded the images already.
Source: ours.
"""

from collections.abc import Collection, Sequence
from hashlib import sha256
from pathlib import Path
from typing import Any

from pickwell.data import vector_file
from pickwell.data.vector_file import Rows
from pickwell.encoders.encoder import Encoder, Facts, digest
from pickwell.errors import EncoderError, few


class FeatureFile:
    """A table of vectors by image name: no encoder, for it has never seen a pixel of a new image."""

    def __init__(self, path: str | Path) -> None:
        """Reads the file; PoolError where it holds no finite vector a name, EncoderError for a name given twice."""
        self.path = Path(path)
        self.name = f"features:{path}"
        self._rows, names = vector_file.read(self.path, "name")
        self._places = {name: row for row, name in enumerate(names)}
        if len(self._places) < len(names):
            twice = [name for row, name in enumerate(names) if self._places[name] != row]
            raise EncoderError(f"{path} has {some(twice)} more than once; keep one vector an image")
        self.length: int = self._rows.shape[1]
        self.identity = digest(self._rows.shape, sha256(self._rows.tobytes()).hexdigest(), *names)

    def vectors_of(self, names: Sequence[str]) -> tuple[Rows, list[str]]:
        """The vectors, float32 `(B, D)`, of those of the names that the file has, in their order; and the others."""
        found = [self._places[name] for name in names if name in self._places]
        return self._rows[found], self.lacking(names)

    def lacking(self, names: Sequence[str]) -> list[str]:
        """The names that the file has no vector of."""
        return [name for name in names if name not in self._places]

    def unknown(self, names: Collection[str]) -> list[str]:
        """The names in the file that are none of these."""
        return sorted(self._places.keys() - set(names))

    def disagreement(self, names: Sequence[str]) -> str:
        """How the file's names and these differ, counted and listed; "" where they do not."""
        missing, unknown = self.lacking(names), self.unknown(names)
        said = [f"no vector for {some(missing)}"] if missing else []
        said += [f"vectors for {some(unknown)}, which are no images here"] if unknown else []
        return f"{self.path} has {' and '.join(said)}" if said else ""


def facts() -> list[Facts]:
    """One row for all files."""
    return [Facts("features:FILE", "vectors made elsewhere, by image name", None, "your own", None, True, "")]


def load(name: str, **options: Any) -> Encoder:
    """Raises EncoderError: a file of vectors encodes no image; `FeatureFile` reads one."""
    raise EncoderError(
        f"features:{name} holds vectors and can encode no image; read it with pickwell.encoders.features.FeatureFile, "
        "or choose an encoder"
    )


def some(names: Sequence[str]) -> str:
    """How many names there are, and the first of them."""
    return f"{len(names):,} name{'s' * (len(names) != 1)} ({few(names)})"
