"""The probe of pointed attention, on attention made by hand."""

from __future__ import annotations

import dataclasses

import pytest
import torch
from torch import Tensor

import synthbench as sb
from synthbench.registry.registry import installed
from synthbench.testing import check_probe
from tests.plugins.probing import measure, view_of

CHAINS = "lego variables=4 supervised=3 names=6 hops=[1]"


def seen(view: sb.View, *maps: Tensor) -> dict[str, float]:
    found = sb.Activations(attention=list(maps))
    return measure("pointer-attention", dataclasses.replace(view, record=lambda p, x: found))


def test_attention_to_the_clause_that_is_taken_up() -> None:
    view = view_of(CHAINS, "transformer layers=1", size=20)
    x = view.batch.x.tolist()
    perfect, astray = torch.zeros(20, 12, 12), torch.zeros(20, 12, 12)
    for b, row in enumerate(x):
        for i in range(4):
            places = [j for j in range(4) if row[3 * j] == row[3 * i + 2]]
            # The chain's first variable takes up none: whatever it looks at does not count.
            target = 3 * places[0] if places else 0
            for offset, weight in ((0, 0.5), (1, 0.2), (2, 0.3)):
                perfect[b, 3 * i, target + offset] += weight
            astray[b, 3 * i, 3 * i] = 1.0
    uniform = torch.full((20, 12, 12), 1 / 12)
    heads = torch.stack([astray, perfect], dim=1)
    values = seen(view, perfect, astray, uniform, heads)
    assert values["layer1"] == pytest.approx(1) and values["layer2"] == 0
    assert values["layer3"] == pytest.approx(1 / 4) and values["layer4"] == pytest.approx(1)


@pytest.mark.parametrize("complexity", [0, 2])
def test_attention_to_the_window(complexity: int) -> None:
    view = view_of(f"pointer-value-retrieval complexity={complexity}", "transformer", size=30)
    window = complexity + 1
    # The read-out token of a transformer is a place more.
    right = torch.zeros(30, 12, 12)
    for b, row in enumerate(view.batch.x.tolist()):
        for i in range(window):
            right[b, -1, 1 + (row[0] + i) % 10] = 1 / window
    uniform = torch.full((30, 12, 12), 1 / 12)
    values = seen(view, right, uniform)
    assert values["layer1"] == pytest.approx(1)
    assert values["layer2"] == pytest.approx(window / 12)


def test_what_it_cannot_read_is_refused() -> None:
    with pytest.raises(ValueError, match="not markov"):
        measure("pointer-attention", view_of("markov length=12", "transformer"))
    with pytest.raises(ValueError, match="no attention"):
        seen(view_of(CHAINS, "transformer layers=1", size=4))


def test_every_law() -> None:
    check_probe(installed().probe("pointer-attention"), task=installed().task(CHAINS))
