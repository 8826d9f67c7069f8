"""A worker: does the jobs that come through its standard input, until that is closed.

It ends with the process that started it, however that ends, because the input is closed then.
"""

from __future__ import annotations

import os
import signal
import sys
import threading
import traceback
from queue import SimpleQueue
from typing import Any, BinaryIO

import cloudpickle

from synthbench_local.pipes import receive, send

SAID, RETURNED, RAISED, READY = "said", "returned", "raised", "ready"
"""Kinds of messages to the process that started it: the first of a pair."""


def main() -> None:
    """Work."""
    # Ctrl-C reaches every process of a terminal; the one that started this decides.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    answers = _own_output()
    jobs: SimpleQueue[bytes] = SimpleQueue()
    threading.Thread(target=_read, args=(sys.stdin.buffer, jobs), daemon=True).start()
    _import()
    _answer(answers, READY, None)
    try:
        while True:
            _answer(answers, *_done(jobs.get(), answers))
    except KeyboardInterrupt:
        # A training was asked to end, by SIGTERM, and has. The thread that reads holds the
        # standard input, for which an orderly end would wait.
        os._exit(128 + signal.SIGTERM)


def _own_output() -> BinaryIO:
    """The standard output for answers alone: what networks print goes to the standard error."""
    own = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)
    return own


def _read(pipe: BinaryIO, jobs: SimpleQueue[bytes]) -> None:
    while (job := receive(pipe)) is not None:
        jobs.put(job)
    os._exit(0)


def _import() -> None:
    """Everything that a first job needs."""
    import torch

    from synthbench import evaluate_cells  # noqa: F401

    torch.set_num_threads(1)


def _done(pickled: bytes, answers: BinaryIO) -> tuple[str, Any]:
    try:
        job = cloudpickle.loads(pickled)
        return RETURNED, job(lambda news: _answer(answers, SAID, news))
    except Exception as error:
        error.add_note(f"in a worker:\n{traceback.format_exc()}")
        return RAISED, error


def _answer(answers: BinaryIO, kind: str, content: Any) -> None:
    try:
        message = cloudpickle.dumps((kind, content))
    except Exception as error:
        # Such as an exception of a plugin's that holds a lock.
        reason = RuntimeError(f"{content!r} cannot leave its worker: {error}")
        message = cloudpickle.dumps((RAISED, reason))
    send(answers, message)


if __name__ == "__main__":
    main()
