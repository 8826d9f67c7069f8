"""A fault planted in a probe is found by the law it breaks, and by no other."""

from __future__ import annotations

import pytest
import torch

import synthbench as sb
from synthbench.registry.kinds import TASK
from synthbench.registry.registry import installed
from synthbench.testing import PROBE_LAWS, check_probe, examine_probe
from tests.testing.probes.planted import FAULTS, SoundProbe


@pytest.mark.parametrize(
    ("probe", "law"), FAULTS, ids=[type(probe).__name__ for probe, _ in FAULTS]
)
def test_a_faulty_probe_breaks_one_law(probe: sb.Probe, law: str) -> None:
    found = examine_probe(probe, "sparse-parity n=10 k=2").findings
    assert [finding.law for finding in found] == [law], [f.describe() for f in found]


def test_every_law_but_the_one_that_vmap_keeps_has_a_fault() -> None:
    """A probe that vmap takes and that agrees with the loop cannot mix replicas."""
    assert {law.name for law in PROBE_LAWS} - {law for _, law in FAULTS} == {"replica-independence"}


def test_a_probe_may_count() -> None:
    class Counting(SoundProbe):
        """Large weights, as an integer."""

        def measure(self, view):
            found = torch.cat([p.flatten() for p in view.parameters.values()])
            return {"large": (found.abs() > 0.1).sum()}

    check_probe(Counting())


def test_a_sound_probe_is_tried_on_something_that_it_can_measure() -> None:
    """On a bundled task, whatever else is installed."""
    measured = check_probe(SoundProbe()).facts["measured"]
    names = installed().bundled(TASK)
    assert any(f'"example-network" on "{name} ' in measured for name in names)
    attention = check_probe(
        installed().probe("attention"), "markov length=12", "transformer width=8"
    )
    assert "transformer" in attention.facts["measured"]
