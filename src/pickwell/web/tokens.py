"""Links for annotators: each has a secret of its own, of which only a hash is kept."""

import hashlib
import hmac
import json
import secrets
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

from pickwell.errors import SettingsError
from pickwell.files import replacing


class Tokens:
    """`annotators.json`: names and the SHA-256 of their secrets. `cookie` is what a browser keeps its secret under."""

    def __init__(self, path: Path) -> None:
        self.path = path
        # Browsers send cookies to all ports of a host: campaigns served side by side each need one of their own.
        self.cookie = f"pickwell-{_hash(str(path.resolve()))[:16]}"
        self._hashes: dict[str, str] = {}
        self._seen: tuple[int, int] | None = None
        self._look()

    def __len__(self) -> int:
        return len(self._hashes)

    def __iter__(self) -> Iterator[str]:
        return iter(self._hashes)

    def renew(self, name: str) -> str:
        """A new secret for an annotator, told this once; the one before ends."""
        self._look()
        secret = secrets.token_urlsafe(32)
        self._hashes[name] = _hash(secret)
        with replacing(self.path) as new:
            new.touch(mode=0o600)  # private before anything is in it
            new.write_text(json.dumps(self._hashes, indent=1), encoding="utf-8")
        return secret

    def who(self, secret: str) -> str | None:
        """The annotator whose secret it is; None for a wrong one. Every name is compared, so time tells nothing."""
        with suppress(SettingsError):  # damaged since: those known stay
            self._look()
        told = _hash(secret)
        found = [name for name, kept in self._hashes.items() if hmac.compare_digest(told, kept)]
        return found[-1] if found else None

    def _look(self) -> None:
        """Reads the file where it has changed: another process may have made new links, which end the old ones."""
        try:
            found = self.path.stat()
            seen = found.st_mtime_ns, found.st_ino
        except FileNotFoundError:
            seen = None
        if seen != self._seen:
            self._hashes = _read(self.path) if seen else {}
            self._seen = seen


def _read(path: Path) -> dict[str, str]:
    try:
        found: dict[str, str] = json.loads(path.read_bytes())
        if all(isinstance(kept, str) and kept.isascii() for kept in found.values()):
            return found
    except (ValueError, AttributeError):
        pass
    raise SettingsError(f"{path} is damaged; remove it, and make everybody a new link with --annotator")


def _hash(secret: str) -> str:
    """Fast and without salt: 256 random bits cannot be guessed, however fast one tries."""
    return hashlib.sha256(secret.encode("utf-8", "replace")).hexdigest()
