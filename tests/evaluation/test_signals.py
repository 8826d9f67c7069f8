"""Ctrl-C and SIGTERM save what is trained, and what is saved goes on to the same bits."""

from __future__ import annotations

import os
import signal
from dataclasses import replace
from pathlib import Path

import pytest
import pytorch_lightning as pl

import synthbench as sb
from synthbench.engine.training import interruption
from synthbench.isolation.termination import Terminated, terminable
from tests.evaluation.growing import cell, trained

PLANNED = cell(budget=320, seeds=2, until="budget", evaluation_samples=128)
SETTINGS = sb.Settings(sb.TrainerOptions("cpu"), replicas_per_block=2, pictures=False)
ERRORS = {signal.SIGINT: KeyboardInterrupt, signal.SIGTERM: Terminated}


class Signal(pl.Callback):
    """Sends this process a signal in the middle of the training."""

    def __init__(self, number: signal.Signals) -> None:
        self._number = number

    def on_train_epoch_start(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        if trainer.current_epoch == 2:
            os.kill(os.getpid(), self._number)


@pytest.fixture(scope="module")
def unbroken(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    return table(sb.evaluate_cells([PLANNED], tmp_path_factory.mktemp("unbroken"), SETTINGS)[0])


def table(result: sb.CellResult) -> bytes:
    return (result.folder / "trajectories.parquet").read_bytes()


def stop(number: signal.Signals, out: Path) -> None:
    trainer = replace(SETTINGS.trainer, callbacks=(Signal(number),))
    # Where tests run in the background of a shell, it is ignored.
    before = {each: signal.getsignal(each) for each in ERRORS}
    signal.signal(signal.SIGINT, signal.default_int_handler)
    try:
        with pytest.raises(ERRORS[number]) as caught:
            sb.evaluate_cells([PLANNED], out, replace(SETTINGS, trainer=trainer))
    finally:
        after = signal.getsignal(signal.SIGTERM)
        signal.signal(signal.SIGINT, before[signal.SIGINT])
    assert caught.type is ERRORS[number]
    assert after == before[signal.SIGTERM]


@pytest.mark.parametrize("number", ERRORS)
def test_a_signal_saves_at_the_next_evaluation(
    number: signal.Signals, out: Path, unbroken: bytes
) -> None:
    """No checkpoint was due for half a minute."""
    stop(number, out)
    assert len(list(out.glob("*/.partial/block-*.ckpt"))) == 1
    with trained() as seeds:
        assert table(sb.evaluate_cells([PLANNED], out, SETTINGS)[0]) == unbroken
    assert seeds == [0, 1]


def test_where_the_next_evaluation_is_far_it_stops_before(
    out: Path, unbroken: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as patch:
        patch.setattr(interruption, "PATIENCE", -1.0)
        stop(signal.SIGTERM, out)
    assert not list(out.glob("*/.partial/block-*.ckpt"))
    assert table(sb.evaluate_cells([PLANNED], out, SETTINGS)[0]) == unbroken


def test_a_handler_of_the_callers_stays_in_charge() -> None:
    before = signal.signal(signal.SIGTERM, signal.SIG_IGN)
    try:
        with terminable():
            assert signal.getsignal(signal.SIGTERM) is signal.SIG_IGN
    finally:
        signal.signal(signal.SIGTERM, before)


def test_sigterm_is_an_interrupt_inside_and_nested_contexts_are_one() -> None:
    before = signal.signal(signal.SIGTERM, signal.SIG_DFL)
    try:
        with pytest.raises(Terminated), terminable():
            with terminable():
                pass
            os.kill(os.getpid(), signal.SIGTERM)
        assert signal.getsignal(signal.SIGTERM) is signal.SIG_DFL
    finally:
        signal.signal(signal.SIGTERM, before)
