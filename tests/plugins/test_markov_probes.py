"""The probes of strategies and attention, on networks whose answer is known."""

from __future__ import annotations

import dataclasses

import pytest
import torch
from torch import Tensor
from torch.nn.functional import log_softmax

import synthbench as sb
from tests.plugins.probing import measure, view_of


def view_with(forward=None, attention: Tensor | None = None, **fields) -> sb.View:
    view = view_of("markov symbols=3 length=20", "transformer", size=64)
    if forward is not None:
        view = dataclasses.replace(view, forward=forward)
    if attention is not None:
        found = sb.Activations(attention=[attention])
        view = dataclasses.replace(view, record=lambda p, x: found)
    return view


def test_a_strategy_is_at_no_distance_from_itself() -> None:
    view = view_of("markov symbols=3 length=20", "transformer", size=64)
    references = view.task.references(view.world, view.batch)
    for name, output in references.items():
        own = measure("strategies", view_with(lambda p, x, output=output: output))
        assert own[name] == pytest.approx(0, abs=1e-5)
        assert all(value > -1e-5 for value in own.values())
    bigram = measure("strategies", view_with(lambda p, x: references["bigram"]))
    p, q = (log_softmax(references[n][:, -10:], -1) for n in ("bigram", "unigram"))
    expected = (p.exp() * (p - q)).sum(-1).mean()
    assert bigram["unigram"] == pytest.approx(float(expected), rel=1e-5)


def test_attention_scores_of_known_maps() -> None:
    view = view_of("markov symbols=3 length=20", "transformer", size=64)
    x = view.batch.x
    previous = torch.zeros(64, 20, 20)
    previous[:, range(1, 20), range(19)] = 1.0
    found = measure("attention", view_with(attention=previous))
    assert found["layer1-previous"] == pytest.approx(1.0)

    successors = torch.zeros(64, 20, 20)
    matches = torch.zeros(64, 20, 20)
    for b in range(64):
        for i in range(20):
            earlier = [j for j in range(i) if x[b, j] == x[b, i]]
            for j in earlier:
                successors[b, i, j + 1] = 1 / len(earlier)
                matches[b, i, j] = 1 / len(earlier)
    found = measure("attention", view_with(attention=successors))
    assert found["layer1-successors"] == pytest.approx(1.0)
    assert measure("attention", view_with(attention=matches))["layer1-matches"] == pytest.approx(1)

    uniform = torch.ones(64, 20, 20).tril() / torch.arange(1, 21)[:, None]
    found = measure("attention", view_with(attention=uniform))
    assert found["layer1-previous"] == pytest.approx(
        float((1 / torch.arange(11.0, 21.0)).mean()), rel=1e-4
    )


def test_heads_are_averaged() -> None:
    previous = torch.zeros(64, 2, 20, 20)
    previous[:, 0, range(1, 20), range(19)] = 1.0
    previous[:, 1, range(20), range(20)] = 1.0
    assert measure("attention", view_with(attention=previous))["layer1-previous"] == 0.5


def test_every_layer_is_reported() -> None:
    view = view_of("markov length=10", "transformer layers=3 heads=2")
    assert {name.partition("-")[0] for name in measure("attention", view)} == {
        "layer1", "layer2", "layer3",
    }  # fmt: skip


def test_what_they_cannot_read_is_refused() -> None:
    parity = view_of("sparse-parity n=10 k=3", "transformer")
    for probe in ("strategies", "attention"):
        with pytest.raises(ValueError, match="sequences of tokens"):
            measure(probe, parity)
    chains = view_of("markov length=12", "simplified-transformer")
    with pytest.raises(ValueError, match="no attention"):
        measure("attention", chains)
    with pytest.raises(ValueError, match="at most length=12"):
        measure("strategies last=13", chains)


def test_copying_is_judged_where_the_task_scores_it() -> None:
    view = view_of("induction-copying length=12", "transformer", size=64)
    answer = view.task.references(view.world, view.batch)["optimal"][:, -1:]
    silent = torch.cat([torch.zeros(64, 11, answer.shape[-1]), answer], dim=1)
    found = measure("strategies", dataclasses.replace(view, forward=lambda p, x: silent))
    assert found["optimal"] == pytest.approx(0, abs=1e-4) and found["trivial"] > 1
