"""Databases that can be killed."""

import shutil
import signal
import subprocess
import sys
import tempfile
from contextlib import suppress
from pathlib import Path
from socket import socket
from typing import Protocol

from tests.store.conftest import _binaries, _run, _user

HOLD = """
import sqlite3, sys, time
connection = sqlite3.connect(sys.argv[1], timeout=30, isolation_level=None)
connection.execute("BEGIN IMMEDIATE")
connection.execute("UPDATE label SET value = 'never committed'")
print("held", flush=True)
time.sleep(60)
"""


class Mortal(Protocol):
    """`url` is where it is, "" for the campaign's own; `kill` ends it or whoever writes to it, and has it come back."""

    url: str

    def kill(self, campaign: Path) -> None: ...

    def close(self) -> None: ...


class SQLite:
    """A file has no server: another process is killed in the middle of changing every label."""

    url = ""

    def kill(self, campaign: Path) -> None:
        order = [sys.executable, "-c", HOLD, str(campaign / "pickwell.sqlite")]
        with subprocess.Popen(order, stdout=subprocess.PIPE) as process:
            assert process.stdout is not None
            process.stdout.readline()
            process.send_signal(signal.SIGKILL)

    def close(self) -> None:
        pass


class PostgreSQL:
    """A server that is stopped as a crash would, and started again."""

    def __init__(self) -> None:
        self._binaries, self._folder = _binaries(), Path(tempfile.mkdtemp(prefix="pg"))
        if user := _user():
            shutil.chown(self._folder, user)
        with socket() as free:
            free.bind(("127.0.0.1", 0))
            self._port = free.getsockname()[1]
        self.url = f"postgresql+psycopg://postgres@127.0.0.1:{self._port}/postgres"
        _run(self._binaries / "initdb", "-D", self._folder / "data", "-A", "trust", "-U", "postgres", "-E", "UTF8")
        self._start()

    def _start(self) -> None:
        options = f"-p {self._port} -c listen_addresses=127.0.0.1 -c unix_socket_directories={self._folder}"
        self._control("-l", self._folder / "log", "-w", "-o", options, "start")

    def _control(self, *words: object) -> None:
        _run(self._binaries / "pg_ctl", "-D", self._folder / "data", *words)

    def kill(self, campaign: Path) -> None:
        self._control("-m", "immediate", "stop")
        self._start()

    def close(self) -> None:
        with suppress(subprocess.SubprocessError):
            self._control("-m", "immediate", "stop")
        shutil.rmtree(self._folder, ignore_errors=True)
