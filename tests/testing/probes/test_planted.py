"""A planted fault is found by the law it breaks, and by no other; what is sound passes."""

from __future__ import annotations

import pytest
import torch

import synthbench as sb
from synthbench.registry.kinds import PROBE
from synthbench.registry.registry import installed
from synthbench.testing import (
    OPTIMIZER_LAWS,
    PROBE_LAWS,
    ConformanceError,
    check_optimizer,
    check_probe,
    examine_optimizer,
    examine_probe,
)
from tests.testing.optimizers import planted as planted_optimizers
from tests.testing.probes import planted as planted_probes

BUNDLED_PROBES = {
    "weight-movement": {},
    "weight-norm": {},
    "gradient": {},
    "sharpness": {},
    "strategies": {"task": "markov length=12"},
    "attention": {"task": "markov length=12", "model": "transformer width=8"},
    "support-mass": {},
    "feature-overlap": {},
    "fourier-gap": {},
    "simplified-weights": {"task": "markov length=12", "model": "simplified-transformer"},
}


def ids(faults: list) -> list[str]:
    return [type(subject).__name__ for subject, _ in faults]


@pytest.mark.parametrize(("probe", "law"), planted_probes.FAULTS, ids=ids(planted_probes.FAULTS))
def test_a_faulty_probe_breaks_one_law(probe: sb.Probe, law: str) -> None:
    found = examine_probe(probe, "sparse-parity n=10 k=2").findings
    assert [finding.law for finding in found] == [law], [f.describe() for f in found]


@pytest.mark.parametrize(
    ("optimizer", "law"), planted_optimizers.FAULTS, ids=ids(planted_optimizers.FAULTS)
)
def test_a_faulty_optimizer_breaks_one_law(optimizer: sb.Optimizer, law: str) -> None:
    found = examine_optimizer(optimizer).findings
    assert [finding.law for finding in found] == [law], [f.describe() for f in found]


def test_every_law_but_the_one_that_vmap_keeps_has_a_fault() -> None:
    """A probe that vmap takes and that agrees with the loop cannot mix replicas."""
    assert {law.name for law in PROBE_LAWS} - {law for _, law in planted_probes.FAULTS} == {
        "replica-independence"
    }
    assert {law.name for law in OPTIMIZER_LAWS} == {law for _, law in planted_optimizers.FAULTS}


def test_the_list_covers_every_bundled_probe() -> None:
    bundled = {name for name, plugin in installed().names(PROBE).items() if plugin.is_bundled}
    assert bundled == set(BUNDLED_PROBES)


@pytest.mark.parametrize("name", BUNDLED_PROBES)
def test_bundled_probes_keep_every_law(name: str) -> None:
    report = check_probe(installed().probe(name), **BUNDLED_PROBES[name])
    assert report.facts["measured"]


@pytest.mark.parametrize(
    "optimizer",
    [installed().optimizer("muon"), planted_optimizers.SoundOptimizer()],
    ids=["muon", "sound"],
)
def test_sound_optimizers_keep_every_law(optimizer: sb.Optimizer) -> None:
    looped = "looped" in check_optimizer(optimizer).facts["replicas"]
    assert looped == (optimizer.name == "muon")


def test_a_probe_may_count_and_an_optimizer_may_refuse_weight_decay() -> None:
    class Counting(planted_probes.SoundProbe):
        """Large weights, as an integer."""

        def measure(self, view):
            found = torch.cat([p.flatten() for p in view.parameters.values()])
            return {"large": (found.abs() > 0.1).sum()}

    class Refusing(planted_optimizers.IgnoresDecay):
        """Without weight decay."""

        def build(self, parameters, recipe):
            if recipe.weight_decay:
                raise ValueError("there is no weight decay")
            return super().build(parameters, recipe)

    check_probe(Counting())
    check_optimizer(Refusing())


def test_a_sound_probe_is_tried_on_something_that_it_can_measure() -> None:
    assert "sparse-parity" in check_probe(planted_probes.SoundProbe()).facts["measured"]
    attention = check_probe(
        installed().probe("attention"), "markov length=12", "transformer width=8"
    )
    assert "transformer" in attention.facts["measured"]


def test_the_error_says_the_law_what_was_seen_and_what_to_change() -> None:
    with pytest.raises(ConformanceError) as caught:
        check_optimizer(planted_optimizers.Ascending())
    lines = str(caught.value).splitlines()
    assert lines[0] == "sound-optimizer breaks 1 law"
    assert lines[2].startswith("descends: It minimizes a quadratic")
    assert any(line.startswith("  seen: in 300 steps the loss is at best") for line in lines)
    assert any(line.startswith("  change: check the sign of the update") for line in lines)
    assert isinstance(caught.value, AssertionError) and isinstance(caught.value, sb.SynthbenchError)
