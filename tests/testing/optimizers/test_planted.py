"""A fault planted in an optimizer is found by the law it breaks, and by no other."""

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
from tests.testing.optimizers.planted import FAULTS, Ascending, IgnoresDecay, SoundOptimizer


@pytest.mark.parametrize(
    ("optimizer", "law"), FAULTS, ids=[type(optimizer).__name__ for optimizer, _ in FAULTS]
)
def test_a_faulty_optimizer_breaks_one_law(optimizer: sb.Optimizer, law: str) -> None:
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

    check_optimizer(Refusing())


def test_the_error_says_the_law_what_was_seen_and_what_to_change() -> None:
    with pytest.raises(ConformanceError) as caught:
        check_optimizer(Ascending())
    lines = str(caught.value).splitlines()
    assert lines[0] == "sound-optimizer breaks 1 law"
    assert lines[2].startswith("descends: It minimizes a quadratic")
    assert any(line.startswith("  seen: in 300 steps the loss is at best") for line in lines)
    assert any(line.startswith("  change: check the sign of the update") for line in lines)
    assert isinstance(caught.value, AssertionError) and isinstance(caught.value, sb.SynthbenchError)
