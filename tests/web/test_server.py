"""The server itself, in a process of its own: what no test client shows."""

import http.client
import json
import socket
import sqlite3
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing, contextmanager, suppress
from pathlib import Path
from threading import Thread

import pytest


@contextmanager
def serving(root: Path, said: Path, *prefix: str, first: str = "") -> Iterator[int]:
    """The port of a served campaign; `prefix` begins the command, `first` is done before it serves."""
    code = f"{first}\nfrom pickwell.cli import main; import sys; sys.exit(main())"
    order = [*prefix, sys.executable, "-c", code, "serve", str(root), "--port", "0", "--json"]
    with said.open("w") as words, subprocess.Popen(order, stdout=subprocess.PIPE, stderr=words, text=True) as process:
        assert process.stdout is not None
        yield int(json.loads(process.stdout.readline())["url"].rpartition(":")[2])
        process.terminate()


@pytest.fixture
def port(root: Path, tmp_path: Path) -> Iterator[int]:
    with serving(root, tmp_path / "said") as found:
        yield found


def milliseconds(request: Callable[[], object]) -> float:
    began = time.perf_counter()
    request()
    return 1000 * (time.perf_counter() - began)


def test_an_answer_on_a_connection_that_is_kept_comes_at_once(port: int) -> None:
    with closing(http.client.HTTPConnection("127.0.0.1", port)) as connection:

        def ask() -> bytes:
            connection.request("GET", "/healthz")
            return connection.getresponse().read()

        # 40 and more each time where the kernel waits; a busy machine makes some of them late.
        assert statistics.quantiles((milliseconds(ask) for _ in range(40)), n=4)[0] < 35


def test_idle_connections_shut_nobody_out_and_fill_no_log(root: Path, tmp_path: Path) -> None:
    few = ("bash", "-c", 'ulimit -n 128; exec "$@"', "-")
    with ExitStack() as opened, serving(root, tmp_path / "said", *few) as port:
        for _ in range(200):
            half = opened.enter_context(socket.create_connection(("127.0.0.1", port)))
            half.sendall(b"GET / HTTP/1.1\r\n")
        for _ in range(5):
            with closing(http.client.HTTPConnection("127.0.0.1", port, timeout=10)) as connection:
                connection.request("GET", "/api/status")
                assert connection.getresponse().status == 200
    lines = (tmp_path / "said").read_text().splitlines()
    assert lines == ["there are more than 32 connections to the page; those that wait longest are closed"]


def test_a_request_that_does_not_come_ends_its_connection(root: Path, tmp_path: Path) -> None:
    first = "from pickwell.web import connections; connections.HEAD = connections.BODY = 0.4"
    head = b"POST /api/status HTTP/1.1\r\nHost: 127.0.0.1\r\n"
    with serving(root, tmp_path / "said", first=first) as port:
        for sent in (b"", head, head + b"Content-Length: 9\r\nContent-Type: application/json\r\n\r\n{"):
            with socket.create_connection(("127.0.0.1", port), timeout=10) as half:
                half.sendall(sent)
                began = time.perf_counter()
                with suppress(ConnectionResetError):
                    assert b"200 OK" not in half.recv(1000)
                assert time.perf_counter() - began < 5


def test_files_come_at_once_while_the_database_is_locked(root: Path, port: int) -> None:
    said = json.dumps({"items": [0], "label": "barn", "event": "e1"})

    def answer() -> None:
        with closing(http.client.HTTPConnection("127.0.0.1", port, timeout=30)) as connection, suppress(OSError):
            connection.request("POST", "/api/answer", said, {"Content-Type": "application/json"})
            connection.getresponse().read()

    def script() -> bytes:
        with closing(http.client.HTTPConnection("127.0.0.1", port, timeout=30)) as connection:
            connection.request("GET", "/static/label.js")
            return connection.getresponse().read()

    threads = [Thread(target=answer) for _ in range(60)]
    with closing(sqlite3.connect(root / "pickwell.sqlite", isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        for thread in threads:
            thread.start()
        time.sleep(1)
        assert max(milliseconds(script) for _ in range(5)) < 3000
    for thread in threads:
        thread.join()
