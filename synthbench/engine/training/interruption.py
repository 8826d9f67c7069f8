"""Ctrl-C or SIGTERM while a block trains: save, then stop; at once when asked twice."""

from __future__ import annotations

import signal
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType
from typing import Any

import pytorch_lightning as pl

from synthbench.isolation.termination import Terminated, raise_terminated

PATIENCE = 3.0
"""Seconds for which the next evaluation is waited for, at which everything can be saved."""
DEFAULTS = {
    signal.SIGINT: (signal.default_int_handler,),
    signal.SIGTERM: (signal.SIG_DFL, raise_terminated),
}
"""The handlers of each signal that are nobody's wish."""


class Interruption(pl.Callback):
    """Turns Ctrl-C into a KeyboardInterrupt, and SIGTERM into Terminated, between two steps.

    After the next evaluation, where a checkpoint is saved, or between two chunks of steps where
    that takes long. Raised by Python itself it can come anywhere: half-way through a step, or
    inside a call that swallows it. Lightning, in turn, makes an exit of it and ignores the signal
    afterwards.
    """

    def __init__(self) -> None:
        """Nothing was asked for yet."""
        self._asked: int | None = None
        self._since = 0.0

    @property
    def asked(self) -> bool:
        """Whether the training is to stop."""
        return self._asked is not None

    @contextmanager
    def handled(self, trainer: pl.Trainer) -> Iterator[None]:
        """Handle the signals inside the context; a handler the caller has set stays in charge."""
        main = threading.current_thread() is threading.main_thread()
        before = {number: signal.getsignal(number) for number in DEFAULTS} if main else {}
        for number, handler in before.items():
            if handler in DEFAULTS[number]:
                signal.signal(number, self._ask)
        try:
            yield
        except SystemExit:
            if not trainer.interrupted:
                raise
            raise self._error() from None
        finally:
            for number, handler in before.items():
                # None is one that is not Python's, and is there still.
                if handler is not None:
                    signal.signal(number, handler)
        if self.asked:
            raise self._error()

    def _ask(self, number: int, _: FrameType | None) -> None:
        again, self._asked = self.asked, number
        if again:
            raise self._error()
        self._since = time.monotonic()

    def on_train_batch_end(self, *_: Any) -> None:
        """Stop after a chunk of steps, if the evaluation is far."""
        if self.asked and time.monotonic() - self._since > PATIENCE:
            raise self._error()

    def on_train_epoch_end(self, *_: Any) -> None:
        """Stop after an evaluation."""
        if self.asked:
            raise self._error()

    def _error(self) -> KeyboardInterrupt:
        return Terminated() if self._asked == signal.SIGTERM else KeyboardInterrupt()
