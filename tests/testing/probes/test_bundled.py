"""Every bundled probe keeps every law."""

from __future__ import annotations

import pytest

from synthbench.registry.kinds import PROBE
from synthbench.registry.registry import installed
from synthbench.testing import check_probe

PROBES = {
    "weight-movement": {},
    "weight-norm": {},
    "gradient": {},
    "sharpness": {},
    "strategies": {"task": "markov length=12"},
    "attention": {"task": "markov length=12", "model": "transformer width=8"},
    "support-mass": {},
    "feature-overlap": {},
    "fourier-gap": {},
    "fourier-spectrum": {"task": "modular-arithmetic p=7"},
    "restricted-loss": {"task": "modular-arithmetic p=7"},
    "simplified-weights": {"task": "markov length=12", "model": "simplified-transformer"},
}


def test_the_list_covers_every_bundled_probe() -> None:
    bundled = {name for name, plugin in installed().names(PROBE).items() if plugin.is_bundled}
    assert bundled == set(PROBES)


@pytest.mark.parametrize("name", PROBES)
def test_bundled_probes_keep_every_law(name: str) -> None:
    report = check_probe(installed().probe(name), **PROBES[name])
    assert report.facts["measured"]
