"""What runs on the cluster: jobs, and the post through which they say how far they are."""

from __future__ import annotations

import time
import traceback
from typing import Any

import cloudpickle
import ray

RETURNED, RAISED = "returned", "raised"
MAIL_SECONDS = 0.2
"""So often, at most, a job sends what it has said."""


@ray.remote(num_cpus=0)
class Post:
    """Keeps what jobs say, as bytes, until it is fetched."""

    def __init__(self) -> None:
        self._kept: list[bytes] = []

    def put(self, news: list[bytes]) -> None:
        """Take what a job has said."""
        self._kept += news

    def take(self) -> list[bytes]:
        """All that has come since the last time."""
        taken, self._kept = self._kept, []
        return taken


class Mail:
    """What one job says: sent every so often, the rest with its result."""

    def __init__(self, post: Any) -> None:
        """post: handle of a `Post`."""
        self._post, self._sent, self._last = post, time.monotonic(), None
        self.unsent: list[bytes] = []

    def tell(self, news: Any) -> None:
        """Say something."""
        self.unsent.append(cloudpickle.dumps(news))
        if time.monotonic() - self._sent >= MAIL_SECONDS:
            self._last = self._post.put.remote(self.unsent)
            self.unsent, self._sent = [], time.monotonic()

    def wait(self) -> None:
        """Until what was sent has arrived: no result overtakes it."""
        if self._last is not None:
            ray.get(self._last)


@ray.remote(max_retries=0)
def do(job: bytes, post: Any) -> tuple[str, bytes, list[bytes]]:
    """Do a job: how it ended, its result or what it raised, and what it said of late.

    As bytes, so that nothing of it stays in the object store once it has been read.
    """
    mail = Mail(post)
    kind, content = _done(job, mail)
    try:
        pickled = cloudpickle.dumps(content)
    except Exception as error:
        # Such as an exception of a plugin's that holds a lock.
        reason = RuntimeError(f"{content!r} cannot leave its worker: {error}")
        kind, pickled = RAISED, cloudpickle.dumps(reason)
    mail.wait()
    return kind, pickled, mail.unsent


def _done(job: bytes, mail: Mail) -> tuple[str, Any]:
    try:
        return RETURNED, cloudpickle.loads(job)(mail.tell)
    except Exception as error:
        error.add_note(f"in a worker:\n{traceback.format_exc()}")
        return RAISED, error
