"""SIGTERM as what Ctrl-C is: schedulers and containers send it to who is to end soon."""

from __future__ import annotations

import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType


class Terminated(KeyboardInterrupt):
    """SIGTERM came; whoever handles Ctrl-C handles this."""


@contextmanager
def terminable() -> Iterator[None]:
    """SIGTERM raises Terminated inside, where nobody has another wish; may be nested.

    In the main thread alone, where Python handles signals.
    """
    main = threading.current_thread() is threading.main_thread()
    if not main or signal.getsignal(signal.SIGTERM) is not signal.SIG_DFL:
        yield
        return
    signal.signal(signal.SIGTERM, raise_terminated)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, signal.SIG_DFL)


def raise_terminated(_: int, __: FrameType | None) -> None:
    """A handler of SIGTERM."""
    raise Terminated
