"""Commands of pickwell that run in processes of their own beside the server."""

import os
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from contextlib import ExitStack, suppress
from typing import NamedTuple

from pickwell.errors import StoreError, of_system

PICKWELL = (sys.executable, "-m", "pickwell")


class Ended(NamedTuple):
    """What a command ended with, and its last words."""

    code: int
    words: str


class Background:
    """One command at a time, with low priority: whoever labels must not wait for whoever computes."""

    def __init__(self, command: Sequence[str] = PICKWELL) -> None:
        self._command = tuple(command)
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def running(self) -> bool:
        """Whether a command is running."""
        process = self._process  # once: another thread takes an ended one away
        return process is not None and process.poll() is None

    def start(self, *arguments: str) -> None:
        """Starts a command; StoreError where it cannot be started."""
        try:
            with ExitStack() as failed:
                # A file, because a pipe that nobody reads fills up and stops the process.
                said = failed.enter_context(tempfile.TemporaryFile())
                # In a session of its own: Ctrl-C at the terminal is for the server, whose `stop` ends this.
                self._process = subprocess.Popen(  # noqa: S603 - our own program, paths and numbers
                    (*self._command, *arguments, "--json"),
                    stdin=subprocess.DEVNULL,
                    stdout=subprocess.DEVNULL,
                    stderr=said,
                    start_new_session=True,
                )
                failed.pop_all()  # it lives as long as the process
        except OSError as error:
            raise StoreError(of_system(error)) from None
        self._said = said
        if hasattr(os, "setpriority"):
            with suppress(OSError):
                os.setpriority(os.PRIO_PROCESS, self._process.pid, 15)

    def ended(self) -> Ended | None:
        """How the command ended, told once; None while it runs, and where none was started."""
        if self._process is None or (code := self._process.poll()) is None:
            return None
        self._process = None
        with self._said as said:
            said.seek(0)
            words = said.read()[-4000:].decode("utf-8", "replace").strip()
        last = words.splitlines()[-1].removeprefix("pickwell: ") if words else f"it ended with code {code}"
        return Ended(code, last)

    def stop(self) -> None:
        """Ends the command; it is taken up where it was when started again."""
        if self._process is None:
            return
        self._said.close()
        if self._process.poll() is None:
            self._process.terminate()
            with suppress(subprocess.TimeoutExpired):
                self._process.wait(timeout=10)
