"""The loop closes itself: when a round is answered, another process fits and picks the next one."""

import os
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from contextlib import ExitStack, suppress
from dataclasses import dataclass
from threading import Event, Lock, Thread

from pickwell.campaign.open_campaign import OpenCampaign
from pickwell.campaign.progress_file import Doing, doing
from pickwell.config import LoopSettings
from pickwell.errors import BudgetError, BusyError, PickwellError, RoundError, StoreError, of_system
from pickwell.items import PickState, RoundState

LOOK = 2.0
"""Seconds between two looks at the store, for what other processes did to it."""
TRIES = 2
"""How often a failing process is started for the same labels before a person must look."""


@dataclass(frozen=True, slots=True)
class LoopState:
    """What people are shown of the loop. `left` images can still be asked for."""

    when: str
    running: bool
    doing: Doing | None
    error: str
    left: int


def due(settings: LoopSettings, *, is_open: bool, answered: int, left: int) -> bool:
    """Whether the next round should be picked now.

    >>> due(LoopSettings(when="every", every=20), is_open=True, answered=20, left=100)
    True
    """
    if settings.when == "hand" or not left:
        return False
    return not is_open or (settings.when == "every" and answered >= settings.every)


class Loop:
    """Watches the campaign and starts `pickwell ask` when it is due; one at a time, with low priority."""

    def __init__(self, campaign: OpenCampaign, command: Sequence[str] = (sys.executable, "-m", "pickwell")) -> None:
        self._campaign, self._command = campaign, tuple(command)
        self._settings = campaign.settings.loop
        self._wake, self._stopped, self._lock = Event(), Event(), Lock()
        self._process: subprocess.Popen[bytes] | None = None
        self._error = ""
        self._failed: tuple[int, int] = (-1, 0)
        self._thread = Thread(target=self._watch, name="loop", daemon=True)

    def start(self) -> None:
        """Begins to watch."""
        self._thread.start()

    def stop(self) -> None:
        """Ends the watching, and the process; it is taken up where it was when started again."""
        self._stopped.set()
        self._wake.set()
        if self._thread.ident is not None:
            self._thread.join(timeout=10)
        if self._process is None:
            return
        self._said.close()
        if self._process.poll() is None:
            self._process.terminate()
            with suppress(subprocess.TimeoutExpired):
                self._process.wait(timeout=10)

    def look(self) -> None:
        """Says that something may have changed."""
        self._wake.set()

    def state(self) -> LoopState:
        """What is going on."""
        now = doing(self._campaign.directory.root)
        return LoopState(self._settings.when, self._running(), now, self._error, self.left())

    def left(self) -> int:
        """How many images can still be asked for."""
        return len(self._campaign.pool) - self._campaign.store.count_taken()

    def ask(self, budget: int | None = None) -> None:
        """Starts picking the next round; RoundError while one is open or being picked, BudgetError if none is left."""
        with self._lock:
            if self._running():
                raise RoundError("the next round is being picked already; it appears here when it is ready")
            if self._is_open():
                raise RoundError("a round is still open; answer its images first, or close it (pickwell close)")
            left = self.left()
            if not left:
                raise BudgetError("every image is labelled or set aside, so there is none to ask for; add some images")
            self._error = ""
            self._start(min(budget or self._settings.budget, left))

    def _running(self) -> bool:
        process = self._process  # once: the watching thread takes an ended one away
        return process is not None and process.poll() is None

    def _is_open(self) -> bool:
        # Without picks, of which a round may have thousands: this is asked all the time.
        return any(found.state is RoundState.OPEN for found in self._campaign.store.rounds(picks=False))

    def _answered(self) -> int:
        current = self._campaign.store.current() if self._settings.when == "every" else None
        return sum(pick.state is PickState.ANSWERED for pick in current.picks) if current else 0

    def _start(self, budget: int) -> None:
        """Starts `pickwell ask` in a process of its own."""
        order = [*self._command, "ask", str(self._campaign.directory.root), "--budget", str(budget), "--json"]
        try:
            with ExitStack() as failed:
                # A file, because a pipe that nobody reads fills up and stops the process.
                said = failed.enter_context(tempfile.TemporaryFile())
                # In a session of its own: Ctrl-C at the terminal is for the server, whose `stop` ends this.
                self._process = subprocess.Popen(  # noqa: S603 - our own program and numbers
                    order, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=said, start_new_session=True
                )
                failed.pop_all()  # it lives as long as the process
        except OSError as error:
            self._error = of_system(error)
            raise StoreError(self._error) from None
        self._said = said
        if hasattr(os, "setpriority"):  # whoever labels must not wait for whoever computes
            with suppress(OSError):
                os.setpriority(os.PRIO_PROCESS, self._process.pid, 15)

    def _watch(self) -> None:
        while not self._stopped.is_set():
            with suppress(PickwellError):  # the database may be busy or away for a while: look again later
                self._turn()
            self._wake.wait(LOOK)
            self._wake.clear()

    def _turn(self) -> None:
        """One look: takes note of a process that has ended, and starts the next where one is due."""
        if self._process is not None:
            code = self._process.poll()
            if code is None:
                return
            self._ended(code)
        # With the same labels it would fail again: only new ones are worth another try.
        position = self._campaign.store.position()
        if self._failed[0] == position and self._failed[1] >= TRIES:
            return
        is_open, left = self._is_open(), self.left()
        if due(self._settings, is_open=is_open, answered=self._answered() if is_open else 0, left=left):
            # Somebody else was quicker; the next look will show.
            with suppress(RoundError, BudgetError):
                if is_open and (current := self._campaign.store.current()):
                    self._campaign.store.close_round(current.number)
                self.ask()

    def _ended(self, code: int) -> None:
        """Takes note of how the process ended."""
        self._process = None
        self._said.seek(0)
        words = self._said.read()[-4000:].decode("utf-8", "replace").strip()
        self._said.close()
        if code == 0:
            self._failed, self._error = (-1, 0), ""
            return
        position = self._campaign.store.position()
        if code != BusyError.code:  # another process at work is no failure: look again when it has ended
            tries = self._failed[1] if self._failed[0] == position else 0
            self._failed = (position, tries + 1)
        self._error = words.splitlines()[-1].removeprefix("pickwell: ") if words else f"it ended with code {code}"
