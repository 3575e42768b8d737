"""The processes of a Ray cluster: those of many machines, or of this one.

Use when: one machine's cores do not suffice; start the cluster with Ray's own commands (docs/cluster.md).
Source: Moritz et al. 2018, ray.io.
"""

import os
import socket
from collections.abc import Callable, Generator, Iterator, Sequence
from contextlib import contextmanager
from importlib.metadata import version
from typing import Any

from pickwell.errors import PickwellError, few
from pickwell.executors.executor import Done, Task

ADDRESS = "RAY_ADDRESS"
"""Where Ray itself looks for a cluster's address; without one it starts a cluster of this machine alone."""
AGAIN = 10
"""How often a task is begun again whose node, or process, was lost."""
PATIENCE = 60.0
"""Seconds within which every node says which pickwell it has."""


class Ray:
    """Runs tasks as Ray tasks of one CPU each, `jobs` at a time: 1 means as many as the cluster has CPUs.

    What a task needs beside its argument must be where every node finds it: results folders are shared folders. Tasks
    whose node is lost are begun again elsewhere. PickwellError where Ray is missing, no cluster answers, or a node has
    another pickwell.
    """

    def __init__(self, jobs: int = 1) -> None:
        self._asked = jobs
        self._ray = _library()

    @property
    def jobs(self) -> int:
        """How many tasks are at work at once; until it is connected, what was asked for."""
        if self._asked > 1 or not self._ray.is_initialized():
            return self._asked
        return max(1, int(self._ray.cluster_resources().get("CPU", 1)))

    def map(self, work: Callable[[Task], Done], tasks: Sequence[Task]) -> Generator[Done, None, None]:
        """What `work` returns of each task, as it is ready; closed early, it ends what is at work."""
        ray = self._ray
        with self._connected():
            _check_nodes(ray)
            remote = ray.remote(num_cpus=1, max_retries=AGAIN)(_work)
            left, running = list(reversed(tasks)), set[Any]()
            try:
                while left or running:
                    while left and len(running) < self.jobs:
                        running.add(remote.remote(work, left.pop()))
                    (ready, *_), _ = ray.wait(list(running), num_returns=1)
                    running.discard(ready)
                    yield _answer(ray, ready)
            finally:
                for reference in running:
                    ray.cancel(reference, force=True)

    @contextmanager
    def _connected(self) -> Iterator[None]:
        ray = self._ray
        if ray.is_initialized():  # by whoever calls this from Python
            yield
            return
        address = os.environ.get(ADDRESS)
        try:
            _knock(address)
            ray.init(address=address, log_to_driver=False, logging_level="error")
        except (ConnectionError, ValueError, RuntimeError, OSError) as error:
            where = f"at {address}" if address else "on this machine"
            raise PickwellError(
                f"no Ray cluster answers {where} ({_first_line(error)}); start one with `ray start --head`, and name "
                f"it with --ray-address or {ADDRESS}"
            ) from None
        try:
            yield
        finally:
            ray.shutdown()


def _knock(address: str | None) -> None:
    """Raises OSError where nobody listens at `[ray://]HOST:PORT`: Ray itself would try for minutes."""
    host, colon, port = (address or "").rpartition("://")[2].rpartition(":")
    if colon and port.isdecimal():
        socket.create_connection((host, int(port)), timeout=5).close()


def _library() -> Any:
    try:
        import ray
    except ImportError:
        raise PickwellError("Ray is not installed; bring it with: pip install 'pickwell[ray]'") from None
    return ray


def _work(work: Callable[[Task], Done], task: Task) -> Done:
    import torch

    torch.set_num_threads(1)
    return work(task)


def _answer(ray: Any, reference: Any) -> Any:
    """What the task returned; what it raised is raised here."""
    try:
        return ray.get(reference)
    except ray.exceptions.RayTaskError as error:
        raise error.cause if isinstance(error.cause, Exception) else error from None
    except ray.exceptions.RayError as error:
        raise PickwellError(
            f"Ray gave a task up after {AGAIN} tries ({_first_line(error)}); most likely a node has too little memory. "
            "What is finished is kept: mend that, and repeat the command"
        ) from None


def _version() -> str:
    return version("pickwell")


def _check_nodes(ray: Any) -> None:
    """Refuses a cluster of which a node has no pickwell, or another."""
    from ray.util.scheduling_strategies import NodeAffinitySchedulingStrategy

    own, wrong = version("pickwell"), []
    nodes = {node["NodeID"]: node["NodeManagerHostname"] for node in ray.nodes() if node["Alive"]}
    asked = []
    for number, host in nodes.items():
        there = NodeAffinitySchedulingStrategy(number, soft=False)
        asked.append((host, ray.remote(num_cpus=0, scheduling_strategy=there)(_version).remote()))
    for host, reference in asked:
        try:
            found = ray.get(reference, timeout=PATIENCE)
        except ray.exceptions.RayError as error:
            found = f"none that answers ({_first_line(error)})"
        if found != own:
            wrong.append(f"{host} has {found}")
    if wrong:
        raise PickwellError(
            f"this is pickwell {own}, and {few(wrong)}; install pickwell {own} in the environment that each node's Ray "
            "was started from"
        )


def _first_line(error: Exception) -> str:
    return next((line.strip() for line in str(error).splitlines() if line.strip()), type(error).__name__)[:200]
