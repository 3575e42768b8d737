"""The class list at the page: changed by those who may, and taken over by a running server."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from starlette.testclient import TestClient
from tests.web.conftest import open_round

from pickwell.campaign import class_list
from pickwell.campaign.open_campaign import OpenCampaign
from pickwell.web import Desk, create_app
from pickwell.web.tokens import Tokens

Post = Callable[..., Any]


def test_where_nobody_needs_a_link_everybody_adds_and_renames_classes(client: TestClient, post: Post) -> None:
    assert "Change the class list" in client.get("/dashboard").text
    post("next", n=4)
    assert post("answer", items=[0], label="eagle").status_code == 200
    assert post("classes", name="tawny").json()["classes"] == ["barn", "eagle", "snowy", "tawny"]
    assert post("classes", old="eagle", name="eagle owl").json()["classes"][1] == "eagle owl"
    assert post("answer", items=[1], label="tawny").status_code == 200
    refused = post("answer", items=[2], label="eagle")
    assert (refused.status_code, "did you mean 'eagle owl'" in refused.json()["error"]) == (422, True)
    said = [entry["label"] for entry in client.get("/api/history?annotator=anna").json()["entries"]]
    assert said == ["eagle owl", "tawny"]
    assert post("classes", name="!x").status_code == 422


def test_a_list_changed_by_a_command_is_taken_over_at_once(client: TestClient, post: Post, root: Path) -> None:
    with OpenCampaign(root) as other:
        class_list.add(other, ["tawny"])
    post("next", n=1)
    assert post("answer", items=[0], label="tawny").status_code == 200
    assert '"tawny"' in client.get("/").text


@pytest.mark.parametrize(("name", "code"), [("anna", 200), ("ben", 403)])
def test_with_links_those_who_are_named_for_it_may(make: Callable[..., Path], name: str, code: int) -> None:
    desk = Desk(make(**{"serve.editors": ["anna"]}))
    open_round(desk.store, range(4))
    tokens = Tokens(desk.campaign.directory.root / "annotators.json")
    head = {"Authorization": f"Bearer {tokens.renew(name)}"}
    with TestClient(create_app(desk, hosts=("testserver",), tokens=tokens)) as client:
        assert client.post("/api/classes", json={"name": "tawny"}, headers=head).status_code == code
        assert ("Change the class list" in client.get("/dashboard", headers=head).text) == (code == 200)
    desk.close()
