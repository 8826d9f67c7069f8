"""Every bundled probe keeps every law, here or in the test of the plugin that brings it."""

from __future__ import annotations

from pathlib import Path

import pytest

from synthbench.registry.kinds import PROBE
from synthbench.registry.registry import installed
from synthbench.testing import check_probe

PARITY = {"task": "sparse-parity n=8 k=3", "model": "mlp width=8"}
"""Of probes that need a parity and first-layer weights; found by a search otherwise."""
PROBES = {
    "weight-movement": {},
    "weight-norm": {},
    "gradient": {},
    "sharpness": {},
    "strategies": {"task": "markov length=12"},
    "attention": {"task": "markov length=12", "model": "transformer width=8"},
    "support-mass": PARITY,
    "feature-overlap": PARITY,
    "fourier-gap": PARITY,
    "gradient-support": PARITY,
    "fourier-spectrum": {"task": "modular-arithmetic p=7"},
    "restricted-loss": {"task": "modular-arithmetic p=7"},
    "simplified-weights": {"task": "markov length=12", "model": "simplified-transformer"},
}
FIELDS = {"sharpness": " iterations=2", "gradient": " batches=2"}
"""Smaller than by default; the laws look at how it is computed, not at how well."""
PLUGINS = Path(__file__).parents[2] / "plugins"


def test_every_bundled_probe_is_checked_here_or_beside_its_plugin() -> None:
    registry = installed()
    elsewhere = [
        text for p in PLUGINS.glob("test_*.py") if "check_probe(" in (text := p.read_text())
    ]
    for name in registry.bundled(PROBE):
        words = (f'"{name}"', f"{registry.find(PROBE, name).__name__}(")
        found = any(word in text for text in elsewhere for word in words)
        assert name in PROBES or found, name


@pytest.mark.parametrize("name", PROBES)
def test_bundled_probes_keep_every_law(name: str) -> None:
    report = check_probe(installed().probe(name + FIELDS.get(name, "")), **PROBES[name])
    assert report.facts["measured"]
