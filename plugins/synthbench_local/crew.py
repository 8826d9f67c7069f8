"""The processes that a launcher has started, with a thread for each that hands jobs to it."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Mapping
from concurrent.futures import Future
from contextlib import suppress
from queue import SimpleQueue
from typing import Any

import cloudpickle

from synthbench import Crew, LaunchError, WorkerLost
from synthbench_local.devices import own_device
from synthbench_local.pipes import receive, send
from synthbench_local.worker import RAISED, READY, RETURNED, SAID

Task = tuple[bytes, "Future[Any]"]
"""A job as bytes, and who waits for it."""
MOST_SECONDS_TO_SAVE = 5.0
"""For which workers are waited that are asked to end in the middle of a training."""
MOST_FAILED_STARTS = 2
"""A worker that so often in a row does not start will not."""


class LocalCrew(Crew):
    """Workers that take the next job as soon as they are free; one that dies is replaced."""

    def __init__(self, workers: int, hear: Callable[[Any], None]) -> None:
        """Start the workers; hear: takes what running jobs say."""
        self._hear = hear
        self._tasks: SimpleQueue[Task | None] = SimpleQueue()
        self._closed = threading.Event()
        self._slots = [_Slot(own_device(place, os.environ)) for place in range(workers)]
        self._threads = [
            threading.Thread(target=self._serve, args=(slot,), daemon=True) for slot in self._slots
        ]
        for thread in self._threads:
            thread.start()

    @property
    def slots(self) -> int:
        """One for each process."""
        return len(self._slots)

    def submit(self, job: Callable[[Callable[[Any], None]], Any]) -> Future[Any]:
        """Give a job to the worker that is free first."""
        future: Future[Any] = Future()
        self._tasks.put((cloudpickle.dumps(job), future))
        return future

    def close(self) -> None:
        """End all workers: those that train save first, the others have nothing to do."""
        self._closed.set()
        for slot in self._slots:
            self._tasks.put(None)
            slot.terminate()
        deadline = time.monotonic() + MOST_SECONDS_TO_SAVE
        for slot in self._slots:
            slot.kill(deadline)
        for thread in self._threads:
            thread.join()

    def _serve(self, slot: _Slot) -> None:
        """Hand jobs to a worker, one after the other, and start it anew where it dies."""
        while not self._closed.is_set():
            failure = slot.start()
            if failure is not None:
                self._refuse(failure)
                return
            while (task := self._tasks.get()) is not None:
                if not self._do(slot, *task):
                    break
            else:
                slot.end()

    def _do(self, slot: _Slot, job: bytes, future: Future[Any]) -> bool:
        """Have a job done; False where the worker is gone."""
        try:
            slot.send(job)
            while (answer := slot.receive()) is not None:
                kind, content = answer
                if kind == SAID:
                    self._hear(content)
                elif kind == RETURNED:
                    future.set_result(content)
                    return True
                elif kind == RAISED:
                    future.set_exception(content)
                    return True
        # An answer that cannot be read here, such as an exception of a class of its own.
        except Exception as error:
            slot.end()
            future.set_exception(error)
            return False
        future.set_exception(WorkerLost(slot.end()))
        return False

    def _refuse(self, reason: str) -> None:
        """Fail what is to be done, where no worker starts."""
        error = LaunchError(f"{reason} before it could begin; what it said is above")
        while not self._closed.is_set():
            task = self._tasks.get()
            if task is not None:
                task[1].set_exception(error)


class _Slot:
    """A place for one worker, and the process that fills it."""

    def __init__(self, environment: Mapping[str, str]) -> None:
        self._environment = environment
        self._lock = threading.Lock()
        self._killed = False
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> str | None:
        """Start a worker and wait until it is ready; how it ended, where it does not start."""
        code = (
            f"import sys; sys.path[:] = {sys.path!r}; "
            "from synthbench_local.worker import main; main()"
        )
        for _ in range(MOST_FAILED_STARTS):
            with self._lock:
                if self._killed:
                    return "a worker was ended"
                self._process = subprocess.Popen(
                    [sys.executable, "-c", code],
                    stdin=subprocess.PIPE,
                    stdout=subprocess.PIPE,
                    env=self._environment,
                )
            if self.receive() == (READY, None):
                return None
            reason = self.end()
        return reason

    def send(self, job: bytes) -> None:
        """Hand over a job; a worker that is gone is noticed when its answer is received."""
        process = self._running()
        assert process.stdin is not None
        try:
            send(process.stdin, job)
        except (BrokenPipeError, OSError):
            pass

    def receive(self) -> tuple[str, Any] | None:
        """The next answer; None where the worker is gone."""
        process = self._running()
        assert process.stdout is not None
        message = receive(process.stdout)
        return None if message is None else cloudpickle.loads(message)

    def end(self) -> str:
        """How the worker ended."""
        process = self._running()
        process.kill()
        process.communicate()
        code = process.returncode
        if code >= 0:
            return f"a worker ended with exit code {code}"
        return f"a worker was killed ({signal.Signals(-code).name})"

    def terminate(self) -> None:
        """Ask the worker to end, and let no other take its place."""
        with self._lock:
            self._killed = True
            if self._process is not None:
                self._process.terminate()

    def kill(self, deadline: float) -> None:
        """End the worker if it does not end by then, in the time of `time.monotonic`."""
        if self._process is None:
            return
        with suppress(subprocess.TimeoutExpired):
            self._process.wait(max(deadline - time.monotonic(), 0.0))
        self._process.kill()

    def _running(self) -> subprocess.Popen[bytes]:
        assert self._process is not None
        return self._process
