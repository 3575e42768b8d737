"""The server itself, in a process of its own: what no test client shows."""

import http.client
import json
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import pytest


@contextmanager
def serving(root: Path, *prefix: str) -> Iterator[int]:
    """The port of a served campaign; `prefix` is what the command begins with."""
    order = [*prefix, sys.executable, "-m", "pickwell", "serve", str(root), "--port", "0", "--json"]
    with subprocess.Popen(order, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        yield int(json.loads(process.stdout.readline())["url"].rpartition(":")[2])
        process.terminate()


@pytest.fixture
def port(root: Path) -> Iterator[int]:
    with serving(root) as found:
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

        assert statistics.median(milliseconds(ask) for _ in range(40)) < 30  # 40 and more where the kernel waits
