import time
from pathlib import Path

import pytest

from pickwell.errors import PickwellError
from pickwell.executors.processes import Processes
from pickwell.executors.serial import Serial

DIES = "__import__('os').kill(__import__('os').getpid(), 9)"
DEAF = "__import__('signal').SIGINT in __import__('signal').pthread_sigmask(__import__('signal').SIG_BLOCK, [])"


def test_here_is_one_after_another() -> None:
    assert list(Serial().map(abs, [-1, 2, -3])) == [1, 2, 3]


@pytest.mark.slow
def test_whoever_stops_waits_for_no_task() -> None:
    answers = Processes(1).map(eval, [DEAF, "__import__('time').sleep(60)", "__import__('time').sleep(60)"])
    assert next(answers)  # Ctrl-C reaches all processes of a terminal, and is for one of them
    began = time.monotonic()
    answers.close()
    assert time.monotonic() - began < 20


@pytest.mark.slow
def test_a_killed_process_takes_no_other_task_with_it(tmp_path: Path) -> None:
    mark = tmp_path / "begun"
    once = f"'again' if __import__('os').path.exists({str(mark)!r}) else (open({str(mark)!r}, 'w').close(), {DIES})"
    assert sorted(Processes(1).map(eval, ["'first'", once, "'last'"])) == ["again", "first", "last"]
    with pytest.raises(PickwellError, match=r"killed from outside, with 1 left to do.*use fewer jobs"):
        list(Processes(1).map(eval, [DIES]))
