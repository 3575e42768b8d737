"""Some processes of this machine."""

import os
import signal
import threading
from collections.abc import Callable, Generator, Iterator, Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from concurrent.futures.process import BrokenProcessPool
from contextlib import suppress
from dataclasses import dataclass
from multiprocessing import get_context
from multiprocessing.connection import Connection

from pickwell.errors import PickwellError
from pickwell.executors.executor import Done, Task


@dataclass(frozen=True)
class Processes:
    """Runs tasks in `jobs` processes that share the machine's threads; they end with their parent, however it ends."""

    jobs: int

    def map(self, work: Callable[[Task], Done], tasks: Sequence[Task]) -> Generator[Done, None, None]:
        """What `work` returns of each task, as it is ready.

        Where a process is killed (the system does so when memory runs out), what has no answer yet is begun again in
        new ones; PickwellError when not even one task is answered before the next is killed.
        """
        left = dict(enumerate(tasks))
        while left:
            waiting = len(left)
            with suppress(BrokenProcessPool):
                for place, done in self._answered(work, dict(left)):
                    del left[place]
                    yield done
            if len(left) == waiting:
                raise PickwellError(
                    f"a process was killed from outside, with {waiting} left to do; most likely the memory does not "
                    "suffice. What is finished is kept: use fewer jobs, or close other programs, and repeat the command"
                )

    def _answered(self, work: Callable[[Task], Done], tasks: Mapping[int, Task]) -> Iterator[tuple[int, Done]]:
        threads = max(1, (os.cpu_count() or 1) // self.jobs)
        # Spawned, because a fork of a process with running threads may hang.
        context = get_context("spawn")
        heard, held = context.Pipe(duplex=False)
        pool = ProcessPoolExecutor(self.jobs, context, _begin, (threads, heard))
        try:
            # Ctrl-C is for this process to hear: the others inherit that it is blocked.
            usual = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
            try:
                places = {pool.submit(work, task): place for place, task in tasks.items()}
            finally:
                signal.pthread_sigmask(signal.SIG_SETMASK, usual)
            for future in as_completed(places):
                yield places[future], future.result()
        except BaseException:
            # Else each would go on to the end of its task, and of the next, which is handed to it already.
            held.close()
            raise
        finally:
            pool.shutdown(wait=True, cancel_futures=True)
            held.close()
            heard.close()


def _begin(threads: int, parent: Connection) -> None:
    import torch

    torch.set_num_threads(threads)
    threading.Thread(target=_follow, args=(parent,), daemon=True).start()


def _follow(parent: Connection) -> None:
    """Ends this process when the parent lets go of its end of the pipe: at its wish, and when it is killed."""
    parent.poll(None)
    os._exit(1)
