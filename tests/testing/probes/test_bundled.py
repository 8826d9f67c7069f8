"""Every bundled probe keeps every law, here or in the test of the plugin that brings it."""

from __future__ import annotations

from pathlib import Path

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
    "gradient-support": {},
    "fourier-spectrum": {"task": "modular-arithmetic p=7"},
    "restricted-loss": {"task": "modular-arithmetic p=7"},
    "simplified-weights": {"task": "markov length=12", "model": "simplified-transformer"},
}
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
    report = check_probe(installed().probe(name), **PROBES[name])
    assert report.facts["measured"]
