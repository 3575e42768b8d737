"""Random opinions, decisions and undoes against a few lines that say what they should come to."""

import random
import shutil
import tempfile
from pathlib import Path
from uuid import uuid4

import pytest
from tests.store.stores import ask, states, truth

from pickwell.items import Kind, Label
from pickwell.store import Store

MEMORY = "/dev/shm" if Path("/dev/shm").is_dir() else None
PEOPLE, ITEMS, SAYINGS = ("ann", "bob", "eve"), (3, 5, 9), ("cat", "dog", Kind.SKIP, Kind.IGNORE)
STATE = {Kind.SKIP: "skipped", Kind.IGNORE: "ignored"}
Batch = tuple[str, bool, dict[int, str | Kind]]


def expected(batches: list[Batch], item: int, overlap: int) -> tuple[str, str | None]:
    """State and label of an item after the batches that stand."""
    decisions = [said[item] for _, opinion, said in batches if item in said and not opinion]
    opinions = {who: said[item] for who, opinion, said in batches if item in said and opinion}
    if not decisions and len(opinions) < overlap:
        return "waiting", None
    if not decisions and len(set(opinions.values())) > 1:
        return "disputed", None
    last = decisions[-1] if decisions else next(iter(opinions.values()))
    return (STATE[last], None) if isinstance(last, Kind) else ("answered", last)


def copied(template: Path, folder: str) -> str:
    shutil.copy(template / "a.db", folder)
    return f"{folder}/a.db"


@pytest.mark.parametrize("seeds", [range(3), pytest.param(range(3, 30), marks=pytest.mark.slow)])
def test_any_order_of_opinions_decisions_and_undoes(tmp_path: Path, seeds: range) -> None:
    Store.open(str(tmp_path / "a.db"), create=True).close()
    for seed in seeds:
        draw = random.Random(seed)
        overlap, batches = draw.choice((2, 2, 3)), list[Batch]()
        with tempfile.TemporaryDirectory(dir=MEMORY) as folder, Store.open(copied(tmp_path, folder)) as store:
            ask(store, ITEMS, overlap=overlap)
            for _ in range(20):
                who = draw.choice(PEOPLE)
                if draw.random() < 0.3:
                    wanted = draw.choice((None, who))
                    mine = [batch for batch in batches if wanted in (None, batch[0])]
                    assert len(store.undo(annotator=wanted)) == (len(mine[-1][2]) if mine else 0)
                    if mine:
                        del batches[max(at for at, one in enumerate(batches) if one is mine[-1])]
                else:
                    said = {item: draw.choice(SAYINGS) for item in draw.sample(ITEMS, draw.randint(1, 3))}
                    opinion = draw.random() < 0.85
                    labels = [
                        Label(i, None, s, who) if isinstance(s, Kind) else Label(i, s, annotator=who)
                        for i, s in said.items()
                    ]
                    store.tell(labels, source="test", event=uuid4().hex, opinion=opinion)
                    batches.append((who, opinion, said))
                found = {item: expected(batches, item, overlap) for item in ITEMS}
                assert states(store, 1) == {item: state for item, (state, _) in found.items()}
                assert truth(store) == {item: label for item, (_, label) in found.items() if label}
                assert [d.item for d in store.disputes()] == [i for i in ITEMS if found[i][0] == "disputed"]
                undecided = any(state in ("waiting", "disputed") for state, _ in found.values())
                # Whoever changes their mind in a closed round opens a dispute there, not the round.
                assert undecided or store.current() is None
