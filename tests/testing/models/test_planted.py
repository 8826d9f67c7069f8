"""A planted fault in a model is found by the law it breaks, and by no other.

`pytest -m slow` judges every fault by the costly and the later laws too, and on all of its
interfaces.
"""

from __future__ import annotations

import pytest

import synthbench as sb
from synthbench.testing import MODEL_LAWS, ConformanceError, check_model, examine_model
from synthbench.testing.models.check import model_examination
from synthbench.testing.workbench.example_inputs import example_interfaces
from tests.testing.models.planted import PLANTED, Pooled, SoundModel
from tests.testing.planted_law import broken_up_to

FAULTS = pytest.mark.parametrize(
    ("fault", "law"), PLANTED.items(), ids=[f.__name__ for f in PLANTED]
)
COSTLY = {
    "replica-independence",
    "stacked-equals-plain",
    "state-is-saved",
    "traced-equals-plain",
    "trains-plain",
}
"""Laws of training, which take longer than all others; the sound model is asked for each."""


@FAULTS
def test_a_faulty_model_breaks_one_law(fault: type[sb.Model], law: str) -> None:
    """On one of its interfaces: what it does is the same on the others."""
    broken = broken_up_to(law, model_examination(fault(), example_interfaces(fault())[:1]), COSTLY)
    assert set(broken) == {law}, broken


@pytest.mark.slow
@FAULTS
def test_a_faulty_model_breaks_no_costly_law_either(fault: type[sb.Model], law: str) -> None:
    found = examine_model(fault()).findings
    assert {finding.law for finding in found} == {law}, [f.describe() for f in found]


def test_every_law_but_the_one_that_others_keep_has_a_fault() -> None:
    """What agrees with modules alone, which know of no others, cannot mix replicas."""
    assert {law.name for law in MODEL_LAWS} - set(PLANTED.values()) == {"replica-independence"}


def test_a_sound_model_keeps_every_law() -> None:
    assert check_model(SoundModel()).facts["replicas"] == "traced"


def test_the_error_says_the_law_what_was_seen_and_what_to_change() -> None:
    with pytest.raises(ConformanceError) as caught:
        check_model(Pooled())
    lines = str(caught.value).splitlines()
    assert lines[0] == "sound-model breaks 1 law"
    assert lines[2].startswith("output-fits-interface: forward returns a tensor")
    assert any(line.startswith("  seen: for tokens") for line in lines)
    assert any(line.startswith("  change: return (B, *output.shape)") for line in lines)
