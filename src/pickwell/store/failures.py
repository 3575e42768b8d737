"""The one place where a database driver's failures become sentences."""

from collections.abc import Iterator
from contextlib import contextmanager
from sqlite3 import Error as SQLiteError

from sqlalchemy.exc import DBAPIError, SQLAlchemyError

from pickwell.errors import BusyError, StoreError

_BUSY = "is in use by another process that did not finish in time; nothing was changed: wait or stop it, and try again"
_FULL = "has no room left on its disk; nothing of this was kept: free some space and try again"
_READ_ONLY = "cannot be written: it is read-only; nothing was changed: check the rights of the file and its directory"
_DAMAGED = "is damaged ({cause}); put back a copy, or save what is left with sqlite3's '.recover'"
_NOT_ONE = "is not a database ({cause}); check the path, or put back a copy if the file was overwritten"
_UNOPENED = "cannot be opened ({cause}); check that its directory exists and that you may write there"
_DISK = "could not be read or written ({cause}); check that its disk has room left, and that it is sound"
_UNREACHED = "cannot be reached ({cause}); check that the server runs, and the host, port, user and password in the URL"
_REFUSED = "refused this ({cause}); check the rights that the URL's user has"
_OTHER = "failed ({cause}); nothing of this was kept"

# The low byte of SQLite's extended result codes: https://www.sqlite.org/rescode.html
_SQLITE = {3: _READ_ONLY, 5: _BUSY, 6: _BUSY, 8: _READ_ONLY, 10: _DISK, 11: _DAMAGED}
_SQLITE |= {13: _FULL, 14: _UNOPENED, 26: _NOT_ONE}
# SQLSTATE, whole or its class: https://www.postgresql.org/docs/current/errcodes-appendix.html
_POSTGRESQL = {"55P03": _BUSY, "40": _BUSY, "57014": _BUSY, "53100": _FULL, "25006": _READ_ONLY, "XX": _DAMAGED}
_POSTGRESQL |= {"53300": _BUSY, "42501": _REFUSED, **dict.fromkeys(("08", "28", "3D", "57P"), _UNREACHED)}


def busy(name: str) -> str:
    """The sentence about a database that others hold for too long."""
    return f"the campaign database {name} {_BUSY}"


@contextmanager
def translated(name: str) -> Iterator[None]:
    """Turns a driver's error inside the block into a StoreError whose sentence names the database."""
    try:
        yield
    except (SQLAlchemyError, SQLiteError) as error:
        cause = getattr(error, "orig", None) or error
        sentence = _sentence(cause, isinstance(error, DBAPIError) and error.connection_invalidated)
        kind = BusyError if sentence is _BUSY else StoreError
        text = " ".join(str(cause).split())
        raise kind(f"the campaign database {name} {sentence.replace('{cause}', text)}") from error


def _sentence(cause: BaseException, lost: bool) -> str:
    if isinstance(cause, SQLiteError):
        return _SQLITE.get(getattr(cause, "sqlite_errorcode", 0) & 0xFF, _OTHER)
    state = getattr(cause, "sqlstate", None)
    if state is None:  # libpq gives no SQLSTATE when it never reached a server
        return _UNREACHED if lost or type(cause).__name__ == "OperationalError" else _OTHER
    return next((_POSTGRESQL[key] for key in (state, state[:3], state[:2]) if key in _POSTGRESQL), _OTHER)
