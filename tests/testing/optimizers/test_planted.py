"""A fault planted in an optimizer is found by the law it breaks, and by no other.

`pytest -m slow` judges every fault by the later laws too, at full length.
"""

from __future__ import annotations

import pytest

import synthbench as sb
from synthbench.registry.registry import installed
from synthbench.testing import (
    OPTIMIZER_LAWS,
    ConformanceError,
    check_optimizer,
    examine_optimizer,
)
from synthbench.testing.optimizers import laws
from synthbench.testing.optimizers.check import optimizer_examination
from synthbench.testing.report import Status
from tests.testing.optimizers.planted import FAULTS, IgnoresDecay, LeavesOut, SoundOptimizer
from tests.testing.planted_law import broken_up_to

EVERY_FAULT = pytest.mark.parametrize(
    ("optimizer", "law"), FAULTS, ids=[type(optimizer).__name__ for optimizer, _ in FAULTS]
)


@EVERY_FAULT
def test_a_faulty_optimizer_breaks_one_law(
    optimizer: sb.Optimizer, law: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(laws, "DESCENT", 60)
    monkeypatch.setattr(laws, "MANY", 24)
    broken = broken_up_to(law, optimizer_examination(optimizer))
    assert set(broken) == {law}, broken
    if law == "descends":
        assert broken[law].startswith("in 60 steps the loss is at best ")


@pytest.mark.slow
@EVERY_FAULT
def test_a_faulty_optimizer_breaks_one_law_at_full_length(
    optimizer: sb.Optimizer, law: str
) -> None:
    found = examine_optimizer(optimizer).findings
    assert [finding.law for finding in found] == [law], [f.describe() for f in found]


def test_every_law_has_a_fault() -> None:
    assert {law.name for law in OPTIMIZER_LAWS} == {law for _, law in FAULTS}


@pytest.mark.parametrize(
    "optimizer", [installed().optimizer("muon"), SoundOptimizer()], ids=["muon", "sound"]
)
def test_sound_optimizers_keep_every_law(optimizer: sb.Optimizer) -> None:
    looped = "looped" in check_optimizer(optimizer).facts["replicas"]
    assert looped == (optimizer.name == "muon")


def test_an_optimizer_may_refuse_weight_decay() -> None:
    class Refusing(IgnoresDecay):
        """Without weight decay."""

        def build(self, parameters, recipe):
            if recipe.weight_decay:
                raise ValueError("there is no weight decay")
            return super().build(parameters, recipe)

    # The laws that ask for weight decay; the others never do.
    examination = optimizer_examination(Refusing())
    decay = examination.verdict("follows-the-weight-decay")
    assert decay.status is Status.not_applicable and decay.seen == "build refuses weight decay"
    assert examination.verdict("follows-the-learning-rate").status is Status.ok


def test_the_error_says_the_law_what_was_seen_and_what_to_change() -> None:
    with pytest.raises(ConformanceError) as caught:
        check_optimizer(LeavesOut())
    lines = str(caught.value).splitlines()
    assert lines[0] == "sound-optimizer breaks 1 law"
    assert lines[2].startswith("builds: build gives torch optimizers that together hold every")
    assert any(line.startswith('  seen: optimizer "sound-optimizer".build must') for line in lines)
    assert any(line.startswith("  change: pass parameters.values() on") for line in lines)
    assert isinstance(caught.value, AssertionError) and isinstance(caught.value, sb.SynthbenchError)
