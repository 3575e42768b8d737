"""Somebody at the page, as a program: quick, forgetful, and at bad lines."""

import http.client
import json
import random
import socket
import time
from collections.abc import Callable
from contextlib import closing
from dataclasses import dataclass, field
from typing import Any
from uuid import uuid4

CLASSES = ["barn", "eagle", "snowy"]


@dataclass(frozen=True)
class Acked:
    """A change that the server has acknowledged, and what it answered."""

    path: str
    body: dict[str, Any]
    answer: dict[str, Any]


@dataclass
class Annotator:
    """Works until `over()`; `acked` is what the server acknowledged, `took` the seconds that answers took.

    `steady()` is a number that changes whenever the server or its database goes away, None while it is away.
    """

    name: str
    port: int
    over: Callable[[], bool]
    steady: Callable[[], int | None]
    rng: random.Random
    acked: list[Acked] = field(default_factory=list)
    took: list[float] = field(default_factory=list)
    refused: list[str] = field(default_factory=list)
    tab: str = "t0"

    def work(self) -> None:
        """Takes picks and says something of each, until it is over."""
        with closing(self):
            self._label()

    def close(self) -> None:
        """Hangs up."""
        if self._line is not None:
            self._line.close()
        self._line = None

    def _label(self) -> None:
        while not self.over():
            picks = self.post("next", n=self.rng.randint(1, 12)).get("picks", [])
            held_back: list[Callable[[], object]] = []
            for pick in picks:
                act = self.judged(pick["item"])
                # Out of order: what is held back arrives after the next one.
                if self.rng.random() < 0.1:
                    held_back.append(act)
                else:
                    act()
                if self.rng.random() < 0.1:
                    self.change("undo")
            for act in held_back:
                act()
            if not picks:
                time.sleep(0.1)
            elif self.rng.random() < 0.1:  # a browser that dies: its leases are left to expire
                self.tab = uuid4().hex

    def judged(self, item: int) -> Callable[[], object]:
        """What is said of an image, ready to be sent from this tab."""
        kind = self.rng.choices(["answer", "skip", "ignore"], [90, 6, 4])[0]
        said = {"label": self.rng.choice(CLASSES)} if kind == "answer" else {}
        body = {"items": [item], "tab": self.tab, "event": uuid4().hex, **said}
        return lambda: self.change(kind, **body)

    def change(self, path: str, **body: Any) -> None:
        """Sends a change until it is acknowledged or refused, and now and then once more."""
        sent = {"annotator": self.name, "tab": self.tab, "event": uuid4().hex, **body}
        for _ in range(2 if self.rng.random() < 0.1 else 1):
            answer = self.post(path, **sent)
            if "error" in answer:
                self.refused.append(answer["error"])
            else:
                self.acked.append(Acked(path, sent, answer))

    def post(self, path: str, **body: Any) -> dict[str, Any]:
        """The server's answer; asked again, as the page does, while there is none or it cannot serve."""
        text = json.dumps({"annotator": self.name, "tab": self.tab, **body})
        while True:
            began, before = time.perf_counter(), self.steady()
            try:
                status, answer = self._sent(path, text)
            except (OSError, http.client.HTTPException, ValueError):
                self.close()
            else:
                if status < 500:
                    if path == "answer" and before is not None and before == self.steady():
                        self.took.append(time.perf_counter() - began)
                    return answer
            time.sleep(0.05)

    _line: http.client.HTTPConnection | None = None

    def _sent(self, path: str, text: str) -> tuple[int, dict[str, Any]]:
        if self._line is None:
            self._line = http.client.HTTPConnection("127.0.0.1", self.port, timeout=20)
            self._line.connect()
            self._line.sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._line.request("POST", f"/api/{path}", text, {"Content-Type": "application/json"})
        answer = self._line.getresponse()
        return answer.status, json.loads(answer.read())
