"""Several annotators answer each image; where they disagree, somebody decides."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from starlette.testclient import TestClient

from pickwell.items import Pick
from pickwell.web import Desk, create_app

Say = Callable[..., Any]


@pytest.fixture
def desk(make: Callable[..., Path]) -> Iterator[Desk]:
    opened = Desk(make(6, **{"serve.overlap": 2}))
    picks = [Pick(item, rank, 0.5) for rank, item in enumerate(range(3), 1)]
    opened.store.open_round(number=1, strategy="vaal", seed=0, picks=picks, overlap=2)
    yield opened
    opened.close()


@pytest.fixture
def client(desk: Desk) -> Iterator[TestClient]:
    with TestClient(create_app(desk, hosts=("testserver",))) as opened:
        yield opened


@pytest.fixture
def say(client: TestClient) -> Say:
    count = iter(range(1000))

    def say(who: str, path: str, **body: Any) -> Any:
        event = {} if path == "next" else {"event": f"e{next(count)}"}
        return client.post(f"/api/{path}", json={"annotator": who, "tab": "t", **event, **body})

    return say


def test_an_image_is_asked_of_two_and_never_twice_of_one(say: Say, desk: Desk) -> None:
    def held(who: str) -> list[int]:
        return [pick["item"] for pick in say(who, "next", n=9).json()["picks"]]

    assert held("anna") == [0, 1, 2]
    say("anna", "answer", items=[0, 1, 2], label="barn")
    assert (held("anna"), held("ben")) == ([], [0, 1, 2])
    say("ben", "answer", items=[0], label="barn")
    say("ben", "answer", items=[1], label="eagle")
    status = say("ben", "next", n=1).json()["round"]
    assert (status["done"], status["disputed"], status["overlap"]) == (1, 1, 2)
    assert desk.store.labels().values == ["barn"]


def test_a_dispute_is_decided_and_the_decision_undone(say: Say, client: TestClient, desk: Desk) -> None:
    say("anna", "answer", items=[0], label="barn")
    say("ben", "answer", items=[0], label="eagle")
    (one,) = client.get("/api/disputes").json()["disputes"]
    assert (one["item"], one["name"], one["rank"]) == (0, "000.jpg", 1)
    assert [(said["annotator"], said["label"]) for said in one["opinions"]] == [("anna", "barn"), ("ben", "eagle")]
    late = say("carl", "answer", items=[0], label="barn")
    assert late.status_code == 409
    assert late.json()["error"] == "item 0 has 2 answers that differ; somebody decides at /decide"
    wrong = say("carl", "decide", item=0, label="owl")
    assert (wrong.status_code, "unknown class 'owl'" in wrong.json()["error"]) == (422, True)
    told = say("carl", "decide", item=0, label="eagle", event="d1")
    assert told.json()["answered"] == 1
    assert say("carl", "decide", item=0, label="eagle", event="d1").json()["repeated"]
    assert (desk.store.labels().values, client.get("/api/disputes").json()["disputes"]) == (["eagle"], [])
    assert [entry.source for entry in desk.store.log()][-1] == "adjudicated"
    other = say("dora", "decide", item=0, label="barn")
    assert (other.status_code, "item 0 is not disputed any more" in other.json()["error"]) == (409, True)
    assert say("carl", "undo").json() == {"items": [0]}
    assert len(client.get("/api/disputes").json()["disputes"]) == 1
    assert client.get("/api/history?annotator=carl").json()["entries"] == []


def test_whoever_gave_an_opinion_may_change_it(say: Say, desk: Desk) -> None:
    say("anna", "answer", items=[0], label="barn")
    say("ben", "answer", items=[0], label="eagle")
    assert say("ben", "answer", items=[0], label="barn").status_code == 200
    assert desk.store.labels().values == ["barn"]
    assert say("anna", "answer", items=[0], label="snowy").status_code == 200
    assert (len(desk.store.labels()), len(desk.store.disputes())) == (0, 1)


def test_an_opinion_is_changed_while_another_looks_at_the_image(say: Say, desk: Desk) -> None:
    say("anna", "answer", items=[0], label="barn")
    assert [pick["item"] for pick in say("ben", "next", n=1).json()["picks"]] == [0]
    assert say("anna", "answer", items=[0], label="eagle").status_code == 200
    assert say("carl", "next", n=1).json()["picks"][0]["item"] != 0  # it is still ben's
    assert say("ben", "answer", items=[0], label="eagle").status_code == 200
    assert desk.store.labels().values == ["eagle"]


def test_the_dashboard_shows_agreement_and_disputes(say: Say, client: TestClient) -> None:
    for who, labels in (("anna", "barn eagle snowy"), ("ben", "barn eagle eagle")):
        for item, label in enumerate(labels.split()):
            say(who, "answer", items=[item], label=label)
    told = client.get("/api/dashboard").json()
    (pair,) = told["agreement"]["pairs"]
    assert (pair["images"], round(pair["kappa"], 4), told["disputes"]) == (3, 0.5, 1)
    assert '<a href="/decide">Decide</a>' in client.get("/dashboard").text
    assert client.get("/decide").status_code == 200


def test_nobody_decides_otherwise_about_what_all_agree_on(say: Say, desk: Desk) -> None:
    for who in ("anna", "ben"):
        say(who, "answer", items=[0], label="barn")
    other = say("ben", "decide", item=0, label="eagle")
    assert (other.status_code, desk.store.labels().values) == (409, ["barn"])
    assert "item 0 is not disputed any more; it was not changed" in other.json()["error"]
    assert say("ben", "decide", item=1, label="eagle").status_code == 409  # of which nobody has said anything
    assert say("ben", "decide", item=0, label="barn").status_code == 200


def test_an_ignored_image_can_be_the_decision(say: Say, desk: Desk) -> None:
    say("anna", "skip", items=[0])
    say("ben", "ignore", items=[0])
    assert say("carl", "decide", item=0, kind="ignore").json()["ignored"] == 1
    assert desk.store.ignored().tolist() == [0]
