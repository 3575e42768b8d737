"""SIGKILL at the moments that matter most, one by one: a file half replaced, a transaction not yet committed."""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from tests.loop.conftest import QUICK

from pickwell.loop.creation import create

MOMENTS = [
    "a step of training",
    "a checkpoint written, not yet in its place",
    "the networks written, not yet in their place",
    "trained, not yet measured",
    "labels not yet committed",
    "labels committed, not yet acknowledged",
    "a round not yet opened",
    "a round opened, not yet told of",
]

ON_VECTORS = ["a step on vectors", "a query's checkpoint written, not yet in its place"]
"""The moments of a query that trains networks."""

# One process forks all the others: only the first has to import torch.
WORKER = """
import itertools, json, os, shutil, signal, sys
from pathlib import Path
import torch
from sqlalchemy import event
from pickwell.loop.campaign import Campaign
from pickwell.store import Store
from pickwell.strategies.vaal.vae_and_discriminator import Pair

torch.set_num_threads(1)

WRITTEN = {"a checkpoint": "running.safetensors", "a query's": "query.checkpoint", "the networks": ".safetensors"}

def die(*_, **__):
    os.kill(os.getpid(), signal.SIGKILL)

def killed(moment, campaign):
    begun = itertools.count()
    if moment == "a step of training":
        campaign.progress = lambda what, done, total: die() if what == "training" and done == 7 else None
    elif moment.endswith("place"):
        wanted, real = next(what for begins, what in WRITTEN.items() if moment.startswith(begins)), Path.replace
        def replace(path, target):
            found = target.name if target.name in WRITTEN.values() else target.suffix
            if found == wanted and next(begun) == (wanted != ".safetensors"):  # the second checkpoint, the first fit
                die()
            return real(path, target)
        Path.replace = replace
    elif moment == "a step on vectors":
        step = Pair.training_step
        def stepped(pair, *inputs):
            if pair.steps == 7:
                die()
            return step(pair, *inputs)
        Pair.training_step = stepped
    elif moment == "trained, not yet measured":
        Store.record = die
    elif moment == "labels not yet committed":
        tell = Store.tell
        def told(store, *rest, **more):
            event.listen(store._database._writer, "commit", die)
            return tell(store, *rest, **more)
        Store.tell = told
    else:
        name = "tell" if moment.startswith("labels") else "open_round"
        real_move = getattr(Store, name)
        def move(store, *rest, **more):
            if moment == "a round not yet opened":
                die()
            real_move(store, *rest, **more)
            die()
        setattr(Store, name, move)

def work(root, moment=None):
    with Campaign(root) as campaign:
        question = campaign.store.current() or campaign.ask(12)
        if moment:
            killed(moment, campaign)
        while True:
            waiting = [pick.item for pick in question.waiting]
            campaign.tell({item: campaign.pool.item(item).known for item in waiting})
            if question.number == 2:
                break
            campaign.fit()
            question = campaign.ask(12)
        return [[(p.item, p.rank, p.score, p.held_out, p.state) for p in r.picks] for r in campaign.store.rounds()]

def child(root, moment=None):
    reading, writing = os.pipe()
    if (pid := os.fork()) == 0:
        code = 1
        try:
            os.write(writing, json.dumps(work(root, moment)).encode())
            code = 0
        except BaseException:
            sys.excepthook(*sys.exc_info())
        finally:
            os._exit(code)
    os.close(writing)
    with os.fdopen(reading) as file:
        said = file.read()
    return os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]), said

root, moments = Path(sys.argv[1]), json.loads(sys.argv[2])
code, expected = child(shutil.copytree(root, root.with_name("undisturbed")))
assert code == 0, expected
for number, moment in enumerate(moments):
    copy = shutil.copytree(root, root.with_name(f"killed-{number}"))
    code, said = child(copy, moment)
    assert code == -signal.SIGKILL, f"{moment}: ended with {code}: {said}"
    lost = moment.startswith("the networks") and not (copy / "fits/running.safetensors").exists()
    lost |= ("vectors" in moment or "query" in moment) and not (copy / "fits/query.checkpoint").exists()
    assert not lost, f"{moment}: the training would begin anew"
    code, said = child(copy)
    assert code == 0, f"{moment}: taken up again it ended with {code}"
    assert said == expected, f"{moment}: {said} is not {expected}"
    assert not list((copy / "fits").glob("*.[pc]*")), f"{moment}: left files behind"
print("survived", len(moments))
"""


@pytest.mark.skipif(not hasattr(os, "fork"), reason="forks")
@pytest.mark.slow
@pytest.mark.timeout(900)
def test_a_kill_at_any_of_these_moments_changes_nothing(made: Path, tmp_path: Path) -> None:
    root = shutil.copytree(made, tmp_path / "made")
    survives(root, MOMENTS)


@pytest.mark.skipif(not hasattr(os, "fork"), reason="forks")
@pytest.mark.slow
@pytest.mark.timeout(900)
def test_a_kill_while_a_query_learns_from_vectors_changes_nothing(tmp_path: Path) -> None:
    root = tmp_path / "made"
    create(root, "digits", settings=QUICK | {"strategy.name": "vaal-diverse", "strategy.feature_width": 8})
    survives(root, ON_VECTORS)


def survives(root: Path, moments: list[str]) -> None:
    settings = root / "campaign.toml"
    text = settings.read_text().replace("checkpoint_seconds = 60.0", "checkpoint_seconds = 0.0")
    settings.write_text(text.replace("steps = 3", "steps = 10"))
    process = subprocess.run(
        [sys.executable, "-c", WORKER, str(root), json.dumps(moments)],
        capture_output=True,
        text=True,
        env={**os.environ, "OMP_NUM_THREADS": "1"},
        check=False,
    )
    assert process.stdout == f"survived {len(moments)}\n", process.stderr[-3000:]
