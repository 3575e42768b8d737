"""The small file beside an encoder's that says how images are made ready for it."""

from pathlib import Path
from typing import TypeVar

from pydantic_core import PydanticUndefined

from pickwell.config import Document
from pickwell.errors import SettingsError

Kind = TypeVar("Kind", bound=Document)


def preprocessing(kind: type[Kind], path: Path) -> Kind:
    """What `FILE.toml` beside the file `path` says; SettingsError where it is not there, or lacks something."""
    beside = path.with_name(f"{path.name}.toml")
    if not beside.is_file():
        needed = ", ".join(key for key, field in kind.model_fields.items() if field.default is PydanticUndefined)
        raise SettingsError(
            f"how images are made ready for {path} is not guessed: write {beside.absolute()} with {needed} "
            "(docs/encoders.md has an example)"
        )
    return kind.read(beside)
