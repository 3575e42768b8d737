import io
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image
from starlette.testclient import TestClient
from tests.web.conftest import open_round

from pickwell.data.pool import Pool
from pickwell.errors import PoolError
from pickwell.items import PickState
from pickwell.web import Desk, create_app
from pickwell.web.desk import Who

Post = Callable[..., Any]
ONE = {"disputed": 0, "overlap": 1}


def _picks(answer: Any) -> list[int]:
    return [pick["item"] for pick in answer.json()["picks"]]


def test_next_gives_the_best_picks_with_what_is_known_of_them(post: Post) -> None:
    told = post("next", n=3).json()
    assert told["round"] == {"number": 1, "strategy": "vaal", "total": 10, "done": 0, "leased": 3, "skipped": 0} | ONE
    first, _, third = told["picks"]
    assert first == {
        "item": 0, "rank": 1, "score": 0.99, "held_out": False, "round": 1, "name": "000.jpg", "width": 40,
        "height": 30, "flag": False, "note": "", "hint": None,
    }  # fmt: skip
    assert third["held_out"]
    assert third["score"] is None


def test_two_tabs_never_hold_the_same_image(post: Post) -> None:
    assert _picks(post("next", n=4)) == [0, 1, 2, 3]
    assert _picks(post("next", n=4, tab="t2")) == [4, 5, 6, 7]
    assert _picks(post("next", n=4, annotator="ben")) == [8, 9]
    assert post("release").json() == {"released": 4}
    assert _picks(post("next", n=4, annotator="ben")) == [0, 1, 8, 9]
    assert post("heartbeat", annotator="ben").json() == {"held": 4}


def test_a_round_of_forty_has_images_for_everybody_who_comes(make: Callable[..., Path]) -> None:
    desk = Desk(make(40))
    open_round(desk.store, range(40))
    got = [len(desk.next(Who(f"annotator {number}", "t"), 24)) for number in range(8)]
    assert got == [20, 7, 4, 4, 4, 1, 0, 0]
    assert len(desk.next(Who("annotator 0", "t"), 24)) == 20  # what one has stays
    for number in range(1, 8):
        desk.store.release(f"annotator {number}/t")
    assert len(desk.next(Who("annotator 0", "t"), 24)) == 20  # half of it: somebody may yet come
    desk.close()


def test_an_answer_is_in_the_store_when_it_is_acknowledged(post: Post, desk: Desk) -> None:
    post("next", n=2)
    told = post("answer", items=[1], label="snowy", seconds=1.5, via="page", suggestion_seen=True)
    assert told.json()["answered"] == 1
    assert desk.store.labels().values == ["snowy"]
    (entry,) = desk.store.log()
    assert (entry.annotator, entry.source, entry.seconds) == ("anna", "page, suggestion seen", 1.5)


def test_a_selection_of_the_grid_is_one_batch_and_one_undo(post: Post, desk: Desk) -> None:
    post("next", n=5)
    post("answer", items=[0, 1, 2], label="barn", seconds=6, via="grid")
    assert [(entry.source, entry.seconds) for entry in desk.store.log()] == [("grid", 2.0)] * 3
    assert post("undo").json() == {"items": [0, 1, 2]}
    assert len(desk.store.labels()) == 0


def test_the_same_event_again_changes_nothing(post: Post, desk: Desk) -> None:
    post("next", n=3)
    first = post("answer", items=[0], label="barn", event="e1").json()
    again = post("answer", items=[0], label="barn", event="e1").json()
    assert (first["repeated"], again["repeated"]) == (False, True)
    assert desk.store.position() == 1
    post("undo", event="u1")
    assert post("undo", event="u1").json() == {"items": [0]}
    assert desk.store.position() == 2


def test_undo_goes_to_any_depth_and_holds_the_image_again(post: Post, desk: Desk) -> None:
    post("next", n=3)
    for item, kind in ((0, "answer"), (1, "skip"), (2, "ignore")):
        post(kind, items=[item], **({"label": "barn"} if kind == "answer" else {}))
    assert [post("undo").json()["items"] for _ in range(4)] == [[2], [1], [0], []]
    assert {desk.store.holdings([item])[item].holder for item in range(3)} == {"anna/t1"}


def test_undo_at_a_tab_takes_back_what_was_said_at_that_tab(post: Post, client: TestClient, desk: Desk) -> None:
    post("answer", items=[0], label="barn", event="e0")
    post("answer", items=[1], label="eagle", tab="t2", event="e1")
    assert [post("undo").json()["items"] for _ in range(2)] == [[0], []]
    assert desk.store.labels().values == ["eagle"]
    (entry,) = client.get("/api/history?annotator=anna").json()["entries"]  # what was said at another tab is named
    assert post("undo", of=entry["event"], annotator="ben").json() == {"items": []}
    assert post("undo", of=entry["event"]).json() == {"items": [1]}
    assert desk.store.holdings([1])[1].holder == "anna/t1"


def test_an_event_that_was_something_else_is_never_acknowledged(post: Post, desk: Desk) -> None:
    post("answer", items=[0], label="barn", event="e1")
    post("remark", item=0, flag=True, event="e2")
    position = desk.store.position()
    for path, body in (
        ("answer", {"items": [1], "label": "barn", "annotator": "ben"}),
        ("answer", {"items": [0], "label": "barn", "annotator": "ben"}),
        ("answer", {"items": [0], "label": "eagle"}),
        ("skip", {"items": [1]}),
        ("undo", {"annotator": "ben"}),
        ("undo", {}),
    ):
        refused = post(path, event="e1", **body)
        assert (refused.status_code, desk.store.position()) == (422, position), path
        assert "the event 'e1' was something else before; nothing was kept" in refused.json()["error"]
    assert post("remark", item=0, annotator="ben", event="e2").status_code == 422


def test_an_image_taken_back_is_with_its_annotator_before_anybody_else_can_take_it(
    post: Post, desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    undo = desk.store.undo

    def undone_while_ben_waits(**said: Any) -> Any:
        labels = undo(**said)
        desk.next(Who("ben", "t9"), 12)
        return labels

    monkeypatch.setattr(desk.store, "undo", undone_while_ben_waits)
    post("next", n=1)
    post("answer", items=[0], label="barn")
    assert post("undo").json() == {"items": [0]}
    assert post("answer", items=[0], label="eagle").status_code == 200


def test_a_page_of_another_campaign_changes_nothing(post: Post, client: TestClient, desk: Desk) -> None:
    assert f'"made": "{desk.made}"' in client.get("/").text
    post("next", n=1, made=desk.made)
    for path, body in (
        ("next", {"n": 1}),
        ("answer", {"items": [0], "label": "barn"}),
        ("undo", {}),
        ("decide", {"item": 0, "label": "barn", "event": "d1"}),
        ("remark", {"item": 0, "flag": True}),
        ("release", {}),
        ("rounds", {}),
    ):
        stale = post(path, made="1", **body)
        assert stale.status_code == 421, path  # the page keeps what it could not send
        assert "another campaign is served here than when this page was opened" in stale.json()["error"]
    assert (desk.store.position(), desk.store.remarks([0])) == (0, {})
    assert post("answer", items=[0], label="barn", made=desk.made).status_code == 200


def test_undo_takes_back_only_ones_own(post: Post, desk: Desk) -> None:
    post("next", n=1)
    post("answer", items=[0], label="barn")
    post("next", n=1, annotator="ben")
    post("answer", items=[1], label="eagle", annotator="ben")
    assert post("undo").json() == {"items": [0]}
    assert desk.store.labels().values == ["eagle"]


def test_what_another_holds_or_has_decided_is_refused(post: Post, desk: Desk) -> None:
    post("next", n=2)
    stale = post("answer", items=[1], label="barn", annotator="ben")
    assert stale.status_code == 409
    assert stale.json() == {"error": "item 1 is with anna at the moment; it was not changed, go on with the next image"}
    post("answer", items=[1], label="barn")
    late = post("answer", items=[1], label="eagle", annotator="ben")
    assert (late.status_code, late.json()["error"]) == (409, "item 1 was decided by anna; it was not changed, go on")
    assert desk.store.labels().values == ["barn"]
    assert post("answer", items=[1], label="eagle").json()["corrected"] == 1


def test_the_last_answer_closes_the_round(post: Post, desk: Desk) -> None:
    for item in range(10):
        closed = post("answer", items=[item], label="barn").json()["closed"]
    assert closed == 1
    assert post("next", n=1).json() == {"picks": [], "round": None}


@pytest.mark.parametrize(
    ("path", "body", "code", "says"),
    [
        ("answer", {"items": [0], "label": "snowi"}, 422, "unknown class 'snowi'; did you mean 'snowy'?"),
        ("answer", {"items": [11], "label": "barn"}, 422, "item 11 was never asked for"),
        ("answer", {"items": [99], "label": "barn"}, 422, "unknown item 99; the pool holds items 0 to 11"),
        ("answer", {"items": [], "label": "barn"}, 422, "body.items"),
        ("answer", {"items": [0], "label": "barn", "seconds": -1}, 422, "body.seconds"),
        ("answer", {"items": [0], "label": "barn", "more": 1}, 422, "body.more"),
        ("answer", {"items": [2**70], "label": "barn"}, 422, "body.items.0"),
        ("skip", {"items": [0, 0]}, 422, "item 0 has two labels in one batch"),
        ("next", {"n": 0}, 422, "body.n"),
        ("next", {"n": 1, "annotator": "a/b"}, 422, "body.annotator"),
        ("next", {"n": 1, "annotator": "a\u202eb"}, 422, "a name has no control characters and no marks that turn"),
        ("next", {"n": 1, "annotator": "a\x7fb"}, 422, "a name has no control characters"),
        ("rounds", {"budget": 5}, 409, "a round is still open"),
        ("remark", {"item": 99}, 422, "unknown item 99"),
        ("remark", {"item": 0, "note": "a\0b"}, 422, "the text 'a\\x00b' of a remark has characters"),
    ],
)
def test_what_cannot_be_is_refused_with_a_sentence(
    post: Post, desk: Desk, path: str, body: Any, code: int, says: str
) -> None:
    answer = post(path, **body)
    assert answer.status_code == code
    assert says in answer.json()["error"]
    assert desk.store.position() == 0


def test_images_come_encoded_anew(client: TestClient, desk: Desk, root: Path) -> None:
    full = client.get("/api/images/3")
    assert full.headers["content-type"] == "image/png"  # small: its pixels are shown as they are
    stored = np.asarray(Image.open(root.parent / "images" / "003.jpg"))
    assert np.abs(np.asarray(Image.open(io.BytesIO(full.content))).astype(int) - stored).max() <= 2
    thumb = client.get(f"/api/images/3?size=thumb&made={desk.made}")
    assert Image.open(io.BytesIO(thumb.content)).format == "JPEG"
    assert "immutable" in thumb.headers["cache-control"]
    for address in ("/api/images/3", "/api/images/3?made=1"):  # whatever campaign is served here tomorrow
        assert client.get(address).headers["cache-control"] == "private, no-cache"
    tag = {"If-None-Match": thumb.headers["etag"]}
    assert client.get("/api/images/3?size=thumb", headers=tag).status_code == 304


@pytest.mark.parametrize("path", ["12", "-1", "1e3", "..%2f..%2fetc%2fpasswd", "9" * 40, "3?size=../x", "%00"])
def test_only_ids_name_images(client: TestClient, path: str) -> None:
    assert client.get(f"/api/images/{path}").status_code in (404, 422)


def test_an_image_that_is_gone_is_404(client: TestClient, root: Path) -> None:
    (root.parent / "images" / "005.jpg").unlink()
    gone = client.get("/api/images/5")
    assert gone.status_code == 404
    assert "005.jpg" in gone.json()["error"]


def test_no_name_of_a_file_breaks_the_headers_of_an_answer(make: Callable[..., Path], monkeypatch: Any) -> None:
    name = "a\r\nSet-Cookie: b\x00\x7f\u2028é.jpg"

    def gone(pool: Pool, item: int) -> bytes:
        raise PoolError(f"{name} of item {item} is gone")

    monkeypatch.setattr(Pool, "bytes", gone)
    desk = Desk(make(2))
    with TestClient(create_app(desk, hosts=("testserver",))) as client:
        answer = client.get("/api/images/1")
    assert (answer.status_code, answer.json()["error"]) == (404, f"{name} of item 1 is gone")
    assert all(value.isprintable() and value.isascii() for value in answer.headers.values())
    desk.close()


def test_remarks_are_kept_and_shown(post: Post) -> None:
    post("remark", item=0, flag=True, note="blurred", event="r1")
    assert post("remark", item=0, flag=True, note="blurred", event="r1").status_code == 200
    assert post("remark", item=0, flag=False, note="not again", event="r1").status_code == 422
    pick = post("next", n=1).json()["picks"][0]
    assert (pick["flag"], pick["note"]) == (True, "blurred")


def test_hints_are_shown_where_the_model_left_some(post: Post, root: Path) -> None:
    (root / "rounds").mkdir()
    picks = [{"item": 0, "suggestion": "barn", "confidence": 0.7, "neighbours": [{"item": 5, "label": "eagle"}]}]
    (root / "rounds" / "0001.json").write_text(json.dumps({"format": 1, "round": 1, "picks": picks}))
    first, second = post("next", n=2).json()["picks"]
    assert first["hint"] == {
        "suggestion": "barn", "confidence": 0.7, "order": None,
        "neighbours": [{"item": 5, "label": "eagle", "distance": None}],
    }  # fmt: skip
    assert second["hint"] is None
    (root / "rounds" / "0001.json").write_text("{")
    assert post("next", n=2).json()["picks"][0]["hint"] is None


def test_history_is_what_stands(client: TestClient, post: Post) -> None:
    for item, label in ((0, "barn"), (1, "eagle"), (2, "snowy")):
        post("answer", items=[item], label=label)
    post("undo")
    post("answer", items=[0], label="snowy")
    post("skip", items=[5], annotator="ben")
    entries = client.get("/api/history?annotator=anna").json()["entries"]
    assert [(one["item"], one["label"]) for one in entries] == [(1, "eagle"), (0, "snowy")]


def test_history_says_what_was_noted_so_that_a_flag_set_later_keeps_the_note(client: TestClient, post: Post) -> None:
    post("answer", items=[1], label="eagle")
    post("remark", item=1, flag=True, note="blurred")
    (one,) = client.get("/api/history?annotator=anna").json()["entries"]
    assert (one["name"], one["flag"], one["note"], one["round"], one["hint"]) == ("001.jpg", True, "blurred", 1, None)


def test_status_and_rounds(client: TestClient, post: Post, desk: Desk) -> None:
    post("answer", items=[0], label="barn")
    post("next", n=2)
    status = client.get("/api/status").json()
    assert status["round"]["done"] == 1
    assert status["round"]["leased"] == 2
    assert status["loop"] == {"when": "hand", "running": False, "doing": None, "error": "", "left": 2}
    page = client.get("/api/rounds/1?start=0&limit=2").json()
    assert [(pick["label"], pick["state"]) for pick in page["picks"]] == [("barn", "answered"), (None, "leased")]
    (found,) = client.get("/api/rounds").json()["rounds"]
    assert found["monitors"] == {"active_units": 3, "loss": None}
    assert client.get("/api/rounds/7").status_code == 409
    assert desk.store.holdings([1])[1].state is PickState.LEASED


def test_the_dashboard_counts(client: TestClient, post: Post, desk: Desk) -> None:
    for item, label in ((0, "barn"), (1, "eagle"), (2, "barn")):
        post("answer", items=[item], label=label, seconds=2)
    desk.store.record(1, {"accuracy": 0.9, "measured": 100}, labels=3)
    told = client.get("/api/dashboard").json()
    assert told["labelled"] == 3
    assert told["held_out"] == 1
    assert told["balance"] == [{"round": 1, "counts": [2, 1, 0]}]
    (point,) = told["curve"]
    assert (told["metric"], point["value"]) == ("accuracy", 0.9)
    assert (point["labels"], point["measured"], round(point["low"], 4)) == (3, 100, 0.8256)
    (one,) = told["annotators"]
    assert (one["name"], one["answered"], one["seconds"]) == ("anna", 3, 2.0)


def test_what_was_taken_back_or_replaced_is_no_label_of_its_annotator(client: TestClient, post: Post) -> None:
    post("answer", items=[0], label="barn")
    post("answer", items=[1], label="barn", suggestion_seen=True)
    post("undo")
    post("answer", items=[1], label="eagle")
    post("answer", items=[0], label="eagle")
    post("skip", items=[2])
    (one,) = client.get("/api/dashboard").json()["annotators"]
    found = {name: one[name] for name in ("answered", "skipped", "undone", "suggestions_seen")}
    assert found == {"answered": 2, "skipped": 1, "undone": 1, "suggestions_seen": 0}
