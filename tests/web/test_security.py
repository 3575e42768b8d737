import json
import random
import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from socket import gethostname
from typing import Any

import pytest
from starlette.testclient import TestClient

from pickwell.cli import main
from pickwell.errors import BusyError, SettingsError, StoreError
from pickwell.items import Pick
from pickwell.store import Store
from pickwell.web import Desk, create_app
from pickwell.web.security import BODY
from pickwell.web.server import Server, is_loopback
from pickwell.web.tokens import Tokens

EVENT = {"annotator": "anna", "tab": "t1", "event": "e1"}


@pytest.mark.parametrize(
    "host", ["evil.example", "testserver.evil.example", "127.0.0.2", "", "[::1", "testserver@evil"]
)
def test_a_foreign_host_is_refused(client: TestClient, host: str) -> None:
    answer = client.get("/api/status", headers={"Host": host})
    assert answer.status_code == 421


@pytest.mark.parametrize(
    "headers",
    [
        {"Origin": "https://evil.example"},
        {"Origin": "null"},
        {"Origin": "http://testserver:81"},
        {"Sec-Fetch-Site": "cross-site"},
        {"Sec-Fetch-Site": "same-site"},
    ],
)
def test_another_sites_page_changes_nothing(client: TestClient, desk: Desk, headers: dict[str, str]) -> None:
    answer = client.post("/api/skip", json={**EVENT, "items": [0]}, headers=headers)
    assert answer.status_code == 403
    assert desk.store.position() == 0
    own = {"Origin": "http://testserver", "Sec-Fetch-Site": "same-origin"}
    assert client.post("/api/skip", json={**EVENT, "items": [0]}, headers=own).status_code == 200


@pytest.mark.parametrize(
    "kind", ["text/plain", "application/x-www-form-urlencoded", "multipart/form-data; boundary=x", ""]
)
def test_forms_of_other_sites_are_refused(client: TestClient, kind: str) -> None:
    answer = client.post("/api/release", content='{"annotator": "a"}', headers={"Content-Type": kind})
    assert answer.status_code == 415


def test_a_body_is_bounded(client: TestClient, desk: Desk) -> None:
    headers = {"Content-Type": "application/json"}
    assert client.post("/api/skip", content=b" " * (BODY + 1), headers=headers).status_code == 413

    def chunks() -> Iterator[bytes]:
        for _ in range(BODY // 1000 + 1):
            yield b" " * 1000

    assert client.post("/api/skip", content=chunks(), headers=headers).status_code == 400
    assert desk.store.position() == 0


@pytest.mark.parametrize(
    "body",
    [
        b"{",
        b"[" * 100_000,
        b"\xff\xfe",
        b"null",
        b"[]",
        b'"x"',
        b'{"annotator": "\\ud800"}',
        b'{"n": NaN}',
        b"",
        b"{}" * 9,
    ],
)
def test_malformed_bodies_are_refused(client: TestClient, desk: Desk, body: bytes) -> None:
    for path in ("answer", "undo"):
        answer = client.post(f"/api/{path}", content=body, headers={"Content-Type": "application/json"})
        assert 400 <= answer.status_code < 500
        assert answer.json()["error"]
    assert desk.store.position() == 0


@pytest.mark.parametrize(
    "path",
    [
        "/static/../app.py",
        "/static/%2e%2e/app.py",
        "/static/..%2fapp.py",
        "/static//etc/passwd",
        "/%2e%2e/campaign.toml",
        "/campaign.toml",
    ],
)
def test_no_path_reaches_the_file_system(client: TestClient, path: str) -> None:
    assert client.get(path).status_code == 404


def test_every_answer_is_dressed(client: TestClient) -> None:
    for path in ("/", "/api/status", "/static/label.js", "/nothing", "/api/images/0"):
        headers = client.get(path).headers
        policy = headers["content-security-policy"]
        assert "default-src 'none'" in policy
        assert "unsafe" not in policy
        assert (headers["x-content-type-options"], headers["x-frame-options"]) == ("nosniff", "DENY")


def test_pages_name_no_other_host(client: TestClient) -> None:
    for path in ("/", "/grid", "/dashboard", "/docs"):
        text = client.get(path).text
        assert "http://" not in text
        assert "https://" not in text
        assert "<script>" not in text
        assert " style=" not in text


def test_hostile_names_are_text(make: Callable[..., Path]) -> None:
    name = "</script><img src=x onerror=alert(1)>"
    desk = Desk(make(2, **{"task.classes": [name, "b"], "name": "<b>"}))
    with TestClient(create_app(desk, hosts=("testserver",))) as client:
        text = client.get("/").text
    assert name not in text
    assert "<b>" not in text
    desk.close()


@pytest.fixture
def guarded(desk: Desk, root: Path) -> Iterator[tuple[TestClient, str]]:
    tokens = Tokens(root / "annotators.json")
    secret = tokens.renew("anna")
    with TestClient(create_app(desk, hosts=("testserver",), tokens=tokens)) as client:
        yield client, secret


def test_a_token_is_needed_and_names_the_annotator(guarded: tuple[TestClient, str], root: Path) -> None:
    client, secret = guarded
    cookie = f"{Tokens(root / 'annotators.json').cookie}=wrong"
    for headers in ({}, {"Authorization": "Bearer wrong"}, {"Authorization": secret}, {"Cookie": cookie}):
        assert client.get("/api/status", headers=headers).status_code == 401
        assert client.post("/api/release", json={}, headers=headers).status_code == 401
    assert secret not in (root / "annotators.json").read_text()
    assert (root / "annotators.json").stat().st_mode & 0o077 == 0
    page = client.get("/", headers={"Authorization": f"Bearer {secret}"})
    assert '"annotator": "anna"' in page.text
    assert Tokens(root / "annotators.json").who(secret) == "anna"


def test_a_link_leaves_its_secret_in_a_cookie(guarded: tuple[TestClient, str]) -> None:
    client, secret = guarded
    assert client.get("/enter?token=wrong", follow_redirects=False).status_code == 401
    entered = client.get(f"/enter?token={secret}", follow_redirects=False)
    cookie = entered.headers["set-cookie"].lower()
    assert (entered.status_code, entered.headers["location"]) == (303, "/")
    assert "httponly" in cookie
    assert "samesite=lax" in cookie
    assert client.get("/api/status").status_code == 200


@pytest.mark.parametrize("other", ['theme={"dark": true}', "a=b c", "[x]=1", "=", "ünï=1"])
def test_odd_cookies_of_other_servers_on_this_host_do_no_harm(
    guarded: tuple[TestClient, str], root: Path, other: str
) -> None:
    client, secret = guarded
    cookies = f"{other}; {Tokens(root / 'annotators.json').cookie}={secret}".encode()
    assert client.get("/api/status", headers=[(b"Cookie", cookies)]).status_code == 200


@pytest.mark.parametrize("text", ["", "{", "[]", '{"anna": 3}', '{"anna": "é"}'])
def test_damaged_links_are_told(tmp_path: Path, text: str) -> None:
    (tmp_path / "annotators.json").write_text(text, encoding="utf-8")
    with pytest.raises(SettingsError, match=r"annotators\.json is damaged; remove it"):
        Tokens(tmp_path / "annotators.json")


def test_a_name_in_the_body_does_not_beat_the_token(guarded: tuple[TestClient, str], desk: Desk) -> None:
    client, secret = guarded
    desk.store.open_round(number=1, strategy="vaal", seed=0, picks=[Pick(0, 1, 0.5), Pick(1, 2, 0.4)])
    client.headers["Authorization"] = f"Bearer {secret}"
    client.post("/api/answer", json={**EVENT, "annotator": "ben", "items": [0], "label": "barn"})
    assert [entry.annotator for entry in desk.store.log()] == ["anna"]


def test_campaigns_served_side_by_side_have_cookies_of_their_own(tmp_path: Path) -> None:
    names = {Tokens(tmp_path / campaign / "annotators.json").cookie for campaign in ("birds", "fish")}
    assert len(names) == 2
    assert all(name.replace("-", "").isalnum() for name in names)


def test_a_new_link_ends_the_old_one(tmp_path: Path) -> None:
    tokens = Tokens(tmp_path / "annotators.json")
    old, new = tokens.renew("anna"), tokens.renew("anna")
    assert (tokens.who(old), tokens.who(new)) == (None, "anna")


def test_a_link_renewed_by_another_process_ends_the_old_one_on_a_running_server(tmp_path: Path) -> None:
    served = Tokens(tmp_path / "annotators.json")
    old = served.renew("anna")
    assert served.who(old) == "anna"
    new = Tokens(tmp_path / "annotators.json").renew("anna")
    assert (served.who(old), served.who(new)) == (None, "anna")
    (tmp_path / "annotators.json").write_text("{")
    assert served.who(new) == "anna"


def test_no_annotator_reads_where_the_database_is(
    client: TestClient, desk: Desk, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    for error in (StoreError, BusyError):

        def fail(*_: object, kind: type[StoreError] = error) -> None:
            raise kind("the campaign database postgresql://boss@db.example/birds cannot be reached (user boss)")

        monkeypatch.setattr(Store, "progress", fail)
        answer = client.get("/api/status")
        assert answer.status_code == 503
        assert "the campaign's database" in answer.json()["error"]
        assert "boss" not in answer.text
    assert "user boss" in caplog.text  # whoever serves reads it


def test_no_annotator_reads_what_is_in_a_file_that_was_swapped(client: TestClient, root: Path) -> None:
    (root.parent / "images" / "005.jpg").write_bytes(b"passw0rd: hunter2")
    answer = client.get("/api/images/5")
    assert answer.json()["error"] == "the image '005.jpg' (item 5) can no longer be read; put it back as it was"
    (root.parent / "images" / "005.jpg").unlink()
    assert str(root.parent) not in client.get("/api/images/5").text


def test_which_addresses_are_this_machines_own() -> None:
    own = ["127.0.0.1", "127.0.1.1", "::1", "localhost"]
    assert [is_loopback(host) for host in (*own, "0.0.0.0", "::", "10.0.0.1", "example.org")] == [True] * 4 + [
        False
    ] * 4


@pytest.mark.parametrize("host", ["0.0.0.0", "::"])
def test_a_server_at_all_addresses_is_reached_by_their_numbers(desk: Desk, host: str) -> None:
    with TestClient(create_app(desk, hosts=(host, "box"))) as client:
        for name, code in (("192.168.1.7:8760", 200), ("[fe80::1]:8760", 200), ("box", 200), ("evil.example", 421)):
            assert client.get("/healthz", headers={"Host": name}).status_code == code
        for name in ("192.168.1.7.evil.example", "0x7f.1", "192.168.1", "3232235783", ""):
            assert client.get("/healthz", headers={"Host": name}).status_code == 421


def test_the_link_of_a_server_at_all_addresses_can_be_opened_elsewhere(root: Path) -> None:
    for names, shown in (((), gethostname().lower()), (("Owls.example",), "owls.example")):
        server = Server(root, host="0.0.0.0", port=0, names=names)
        server._socket.close()
        server.desk.close()
        assert server.url == f"http://{shown}:{server.port}"


@contextmanager
def begun(root: Path, **options: Any) -> Iterator[Server]:
    server = Server(root, port=0, **options)
    yield server
    server._socket.close()
    server.desk.close()


def may_enter(server: Server, **headers: str) -> bool:
    client = TestClient(server.app, base_url=server.url, headers=headers)
    return client.get("/healthz").status_code == 200


def test_a_host_name_in_capitals_is_the_same(root: Path) -> None:
    with begun(root, host="LOCALHOST") as server:
        assert (server.host, server.links) == ("localhost", {})
        assert may_enter(server)


def test_links_once_given_are_asked_for_by_whatever_way_the_campaign_is_served_next(root: Path) -> None:
    ways: list[dict[str, Any]] = [{"names": ["label.example.org"]}, {}, {"host": "0.0.0.0"}]
    with begun(root, names=["label.example.org"], annotators=["Ada"]) as server:
        secret = server.links["Ada"].partition("token=")[2]
    for way in ways:
        with begun(root, **way) as server:
            assert server.links == {}
            assert not may_enter(server)
            assert may_enter(server, Authorization=f"Bearer {secret}")
    (root / "annotators.json").unlink()
    with begun(root) as server:
        assert may_enter(server)


def test_a_further_name_means_that_others_come_so_a_link_is_made(root: Path) -> None:
    with begun(root, names=["label.example.org"]) as server:
        assert list(server.links) == ["annotator"]
        assert not may_enter(server)


def test_a_file_without_anybody_shuts_nobody_out(root: Path) -> None:
    (root / "annotators.json").write_text("{}")
    with begun(root) as server:
        assert may_enter(server)


def test_the_terminal_says_who_may_enter_and_how_that_is_changed(
    root: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(Server, "run", lambda server: (server._socket.close(), server.desk.close()))

    def told(*more: str) -> list[str]:
        monkeypatch.setattr("sys.argv", ["pickwell", "serve", str(root), "--port", "0", *more])
        with pytest.raises(SystemExit):
            main()
        return re.sub(r":\d+", ":0", capsys.readouterr().out).splitlines()

    here, ends, until = "http://127.0.0.1:0", "Ctrl-C ends, every label is kept", f"{root}/annotators.json is there"
    assert told() == [f"open {here} in a browser; {ends}"]
    head, link, way = told("--name", "label.example.org", "--annotator", "Ada")
    serving = told()
    assert head == serving[0] == f"{here} is open to those with a personal link; {ends}"
    assert link.startswith(f"Ada's personal link, shown this once: {here}/enter?token=")
    assert way == f"who comes by label.example.org puts that address in place of {here}"
    assert serving[1:] == [
        "Ada has one from before; --annotator NAME makes a new one, and ends the old one of that name",
        f"links are asked for as long as {until}; remove it to serve this computer alone",
    ]
    assert told("--annotator", "Ben")[2:] == serving[1:]


def test_a_program_is_told_who_may_enter(
    root: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(Server, "run", lambda server: (server._socket.close(), server.desk.close()))

    def told(*more: str) -> dict[str, Any]:
        monkeypatch.setattr("sys.argv", ["pickwell", "serve", str(root), "--port", "0", "--json", *more])
        with pytest.raises(SystemExit):
            main()
        return dict(json.loads(capsys.readouterr().out))

    assert told() | {"url": ""} == {"url": "", "open": True, "links": {}}
    assert told("--annotator", "Ada")["links"].keys() == {"Ada"}
    assert told() | {"url": ""} == {"url": "", "open": False, "links": {}}


STRANGE: list[Any] = [
    None, True, -1, 0, 3, 2**31, 2**63, 2**200, 1.5, 1e308, "", "x", "barn", "\x00", "\ud800", "a/b", "a" * 5000,
    "'; DROP TABLE label",
    "../../etc/passwd", [], [0], [0, 0], [-1], [2**64], ["0"], [[0]], {}, {"a": {}}, "9" * 400, "💥", "anna", "t1",
]  # fmt: skip


def test_a_thousand_hostile_requests_never_fail_the_server(client: TestClient, desk: Desk) -> None:
    """Requests made at random from the API's own description; whatever is refused has changed nothing."""
    draw = random.Random(7)
    described = client.get("/openapi.json").json()
    schemas = described["components"]["schemas"]
    operations = [(path, method) for path, methods in described["paths"].items() for method in methods]
    refused = 0
    for _ in range(1000):
        path, method = draw.choice(operations)
        before = desk.store.position()
        answer = _hostile(client, draw, path, method, described["paths"][path][method], schemas)
        assert answer.status_code < 500, (method, path, answer.text)
        if answer.status_code >= 400:
            refused += 1
            assert desk.store.position() == before
    assert refused > 500


def _hostile(client: TestClient, draw: random.Random, path: str, method: str, operation: Any, schemas: Any) -> Any:
    for name in ("item", "number"):
        path = path.replace(f"{{{name}}}", str(draw.choice(["0", "1", "-1", "x", "2e9", "9" * 30, "%00", "..%2f"])))
    query = {
        one["name"]: str(draw.choice(STRANGE)).encode("utf-8", "replace")
        for one in operation.get("parameters", ())
        if one["in"] == "query" and draw.random() < 0.7
    }
    if method == "get":
        return client.get(path, params=query)
    name = operation["requestBody"]["content"]["application/json"]["schema"]["$ref"].rpartition("/")[2]
    body = {key: draw.choice(STRANGE) for key in schemas[name]["properties"] if draw.random() < 0.8}
    if draw.random() < 0.3:
        body |= (
            {"annotator": "anna", "tab": "t1", "event": str(draw.random())[2:]}
            if "event" in schemas[name]["properties"]
            else {}
        )
    return client.post(path, content=json.dumps(body).encode(), headers={"Content-Type": "application/json"})
