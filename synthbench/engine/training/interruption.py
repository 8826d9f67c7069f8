"""Ctrl-C while a block trains: stop between two chunks of steps, at once when asked twice."""

from __future__ import annotations

import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType
from typing import Any

import pytorch_lightning as pl


class Interruption(pl.Callback):
    """Turns Ctrl-C into a KeyboardInterrupt where the training is in one piece.

    Raised by Python itself it can come anywhere: half-way through a step, or inside a call
    that swallows it. Lightning, in turn, makes an exit of it and ignores the signal afterwards.
    """

    def __init__(self) -> None:
        """Nothing was asked for yet."""
        self._asked = False

    @contextmanager
    def handled(self, trainer: pl.Trainer) -> Iterator[None]:
        """Handle the signal inside the context; a handler the caller has set stays in charge."""
        before = signal.getsignal(signal.SIGINT)
        main = threading.current_thread() is threading.main_thread()
        if main and before is signal.default_int_handler:
            signal.signal(signal.SIGINT, self._ask)
        try:
            yield
        except SystemExit:
            if not trainer.interrupted:
                raise
            raise KeyboardInterrupt from None
        finally:
            if main:
                signal.signal(signal.SIGINT, before)
        self._stop_if_asked()

    def _ask(self, _: int, __: FrameType | None) -> None:
        if self._asked:
            raise KeyboardInterrupt
        self._asked = True

    def on_train_batch_end(self, *_: Any) -> None:
        """Stop after a chunk of steps."""
        self._stop_if_asked()

    def on_train_epoch_end(self, *_: Any) -> None:
        """Stop after an evaluation."""
        self._stop_if_asked()

    def _stop_if_asked(self) -> None:
        if self._asked:
            raise KeyboardInterrupt
