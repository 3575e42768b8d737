"""The loop closes itself: when a round is answered, another process fits and picks the next one."""

from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from threading import Event, Lock, Thread

from pickwell.campaign.open_campaign import OpenCampaign
from pickwell.campaign.progress_file import Doing, doing
from pickwell.config import LoopSettings
from pickwell.errors import BudgetError, BusyError, PickwellError, RoundError, StoreError
from pickwell.items import PickState, RoundState
from pickwell.web.background import PICKWELL, Background, Ended

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
    """Watches the campaign: has its images encoded, and the next round picked when that is due.

    Both go on while people label. Before anything is labelled a round does not wait for the images to be encoded, and
    is drawn at random if they are not; any other waits.
    """

    def __init__(self, campaign: OpenCampaign, command: Sequence[str] = PICKWELL) -> None:
        self._campaign, self._root = campaign, str(campaign.directory.root)
        self._settings = campaign.settings.loop
        self._wake, self._stopped, self._lock = Event(), Event(), Lock()
        self._asking, self._encoding = Background(command), Background(command)
        self._unencoded = campaign.settings.on_vectors  # as far as is known here
        self._error = ""
        self._failed: tuple[int, int] = (-1, 0)
        self._thread = Thread(target=self._watch, name="loop", daemon=True)

    def start(self) -> None:
        """Begins to watch."""
        self._thread.start()

    def stop(self) -> None:
        """Ends the watching, and the processes; they are taken up where they were when started again."""
        self._stopped.set()
        self._wake.set()
        if self._thread.ident is not None:
            self._thread.join(timeout=10)
        self._asking.stop()
        self._encoding.stop()

    def look(self) -> None:
        """Says that something may have changed."""
        self._wake.set()

    def state(self) -> LoopState:
        """What is going on."""
        now = doing(self._campaign.directory.root)
        return LoopState(self._settings.when, self._asking.running, now, self._error, self.left())

    def left(self) -> int:
        """How many images can still be asked for."""
        return len(self._campaign.pool) - self._campaign.store.count_taken()

    def ask(self, budget: int | None = None) -> None:
        """Starts picking the next round; BudgetError if no image is left.

        Raises RoundError while one is open or being picked, or where it waits for the images to be encoded.
        """
        with self._lock:
            if self._asking.running:
                raise RoundError("the next round is being picked already; it appears here when it is ready")
            if self._is_open():
                raise RoundError("a round is still open; answer its images first, or close it (pickwell close)")
            if self._waits():
                raise RoundError("the images are still being encoded; pick the next ones when that has ended")
            left = len(self._campaign.unlabelled())  # which is slower, and leaves out what is missing
            if not left:
                raise BudgetError("every image is labelled, set aside or missing; add some images")
            self._start(self._asking, "ask", "--now", "--budget", str(min(budget or self._settings.budget, left)))

    def _is_open(self) -> bool:
        # Without picks, of which a round may have thousands: this is asked all the time.
        return any(found.state is RoundState.OPEN for found in self._campaign.store.rounds(picks=False))

    def _waits(self) -> bool:
        """Whether images are being encoded that the next round needs: the first needs none."""
        return self._encoding.running and bool(self._campaign.store.rounds(picks=False))

    def _answered(self) -> int:
        current = self._campaign.store.progress() if self._settings.when == "every" else None
        return current.states[PickState.ANSWERED] if current else 0

    def _start(self, process: Background, what: str, *options: str) -> None:
        """Starts a command on the campaign, whose failure is shown."""
        self._error = ""
        try:
            process.start(what, self._root, *options)
        except StoreError as error:
            self._error = str(error)
            raise

    def _watch(self) -> None:
        while not self._stopped.is_set():
            with suppress(PickwellError):  # the database may be busy or away for a while: look again later
                self._encode()
                self._turn()
            self._wake.wait(LOOK)
            self._wake.clear()

    def _encode(self) -> None:
        """Has the images encoded, once: what fails is left to the next question, which says it again."""
        if ended := self._encoding.ended():
            self._unencoded = ended.code == BusyError.code
            self._error = ended.words if ended.code else self._error
        if self._unencoded and not self._encoding.running:
            self._start(self._encoding, "encode")

    def _turn(self) -> None:
        """One look: takes note of a question that has ended, and starts the next where one is due."""
        if ended := self._asking.ended():
            self._note(ended)
        if self._asking.running:
            return
        # With the same labels it would fail again: only new ones are worth another try.
        position = self._campaign.store.position()
        if self._failed[0] == position and self._failed[1] >= TRIES:
            return
        is_open, left = self._is_open(), self.left()
        if due(self._settings, is_open=is_open, answered=self._answered() if is_open else 0, left=left):
            # Somebody else was quicker; the next look will show.
            with suppress(RoundError, BudgetError):
                if is_open and not self._waits() and (current := self._campaign.store.progress()):
                    self._campaign.store.close_round(current.number)
                self.ask()

    def _note(self, ended: Ended) -> None:
        """Takes note of how a question ended."""
        if ended.code == 0:
            self._failed, self._error = (-1, 0), ""
            return
        position = self._campaign.store.position()
        if ended.code != BusyError.code:  # another process at work is no failure: look again when it has ended
            tries = self._failed[1] if self._failed[0] == position else 0
            self._failed = (position, tries + 1)
        self._error = ended.words
