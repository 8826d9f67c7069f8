"""The linear probe against networks whose answer is known, and against scikit-learn."""

from __future__ import annotations

import dataclasses
import math

import numpy as np
import pytest
import torch
from sklearn.linear_model import RidgeClassifier
from torch import Tensor

import synthbench as sb
from synthbench.testing import check_probe
from synthbench_linear_probe.decoding import held_out_accuracy, ridge_regression
from tests.plugins.probing import measure, view_of


def view_with(outputs: dict[str, Tensor], start: dict[str, Tensor], **changes: object) -> sb.View:
    """A view of words of a machine, with activations that are given."""
    view = view_of("automaton machine=s3 length=6 longer=[]", "lstm layers=1 width=4", size=256)

    def record(parameters: object, x: Tensor) -> sb.Activations:
        return sb.Activations(outputs=outputs if parameters is view.parameters else start)

    return dataclasses.replace(view, record=record, **changes)


@pytest.mark.parametrize("width", [3, 12])
def test_it_is_scikit_learns_ridge_classifier(width: int) -> None:
    rng = np.random.default_rng(width)
    target = rng.integers(4, size=(60, 5))
    rows = rng.normal(size=(60, 5, width)) + 0.7 * rng.normal(size=(4, width))[target]
    found = held_out_accuracy(torch.tensor(rows), torch.tensor(target), 4, 0.05)
    fit, test = rows[:30].reshape(150, width), rows[30:].reshape(150, width)
    alpha = 0.05 * 150 * fit.var(axis=0).mean()
    classifier = RidgeClassifier(alpha=alpha).fit(fit, target[:30].ravel())
    assert float(found) == pytest.approx(classifier.score(test, target[30:].ravel()), abs=1e-6)
    assert 0.3 < float(found) < 1


def test_without_penalty_it_is_least_squares() -> None:
    rng = np.random.default_rng(0)
    x, y = rng.normal(size=(40, 3)), rng.normal(size=(40, 2))
    kept = torch.tensor(rng.integers(2, size=40)).double()
    weights, intercept = ridge_regression(torch.tensor(x), torch.tensor(y), kept, 1e-13)
    asked = kept.numpy() > 0
    with_one = np.concatenate([x, np.ones((40, 1))], axis=1)
    expected = np.linalg.lstsq(with_one[asked], y[asked], rcond=None)[0]
    assert np.allclose(torch.cat([weights, intercept[None]]).numpy(), expected, atol=1e-8)


def test_the_penalty_does_not_depend_on_the_scale_of_a_layer() -> None:
    rng = torch.Generator().manual_seed(0)
    rows, target = torch.randn(50, 4, 6, generator=rng).double(), torch.randint(3, (50, 4))
    accuracies = {
        float(held_out_accuracy(2.0**scale * rows, target, 3, 0.1)) for scale in (-20, 0, 20)
    }
    assert len(accuracies) == 1


def test_labels_that_are_not_asked_for_count_nowhere() -> None:
    rng = torch.Generator().manual_seed(1)
    target = torch.randint(3, (80, 6), generator=rng)
    asked = torch.rand(80, 6, generator=rng) < 0.4
    rows = sb.one_hot(target, 3, torch.float64)
    # Where nothing is asked the activations mislead.
    rows = torch.where(asked[..., None], rows, rows.roll(1, dims=-1))
    masked = target.masked_fill(~asked, sb.IGNORED)
    assert float(held_out_accuracy(rows, masked, 3, 1e-3)) == 1
    assert float(held_out_accuracy(rows, target, 3, 1e-3)) < 0.9
    assert math.isnan(float(held_out_accuracy(rows, torch.full_like(target, -100), 3, 1e-3)))


def test_a_layer_that_holds_the_state_and_one_that_holds_nothing() -> None:
    view = view_with({}, {})
    shown = sb.one_hot(view.batch.y, 6, torch.float32) @ torch.randn(6, 9)
    nothing = torch.zeros(256, 6, 9)
    view = view_with(
        {"blocks.0.norm": shown, "blocks.0": nothing, "blocks.1": shown, "readout": shown},
        {"blocks.0.norm": shown, "blocks.0": nothing, "blocks.1": nothing, "readout": shown},
    )
    found = measure("linear-probe", view)
    assert list(found) == ["blocks.0", "blocks.0-gain", "blocks.1", "blocks.1-gain"]
    # Nothing shown: the most frequent state of the first half, everywhere.
    first, second = view.batch.y[:128].flatten(), view.batch.y[128:].flatten()
    majority = (second == first.bincount().argmax()).float().mean().item()
    assert found["blocks.0"] == pytest.approx(majority) and found["blocks.0-gain"] == 0
    assert found["blocks.1"] == 1
    assert found["blocks.1-gain"] == pytest.approx(1 - majority)


def test_what_is_not_linear_is_not_read() -> None:
    """From two bits, whether both are 1; of their parity a line gets at most 3 of 4 cases right."""
    view = view_of("automaton machine=parity length=6 longer=[]", "lstm layers=1 width=4", size=512)
    bits = view.rng.bits((512, 6, 2))
    outputs = sb.Activations(outputs={"hidden": bits.float()})
    for latent, low, high in (("both", 0.99, 1), ("parity", 0.2, 0.8)):
        target = bits.prod(-1) if latent == "both" else bits.sum(-1) % 2
        batch = view.batch._replace(latents={latent: target})
        changed = dataclasses.replace(view, batch=batch, record=lambda p, x: outputs)
        probe = f"linear-probe target={latent} classes=2 layer=hidden"
        assert low <= measure(probe, changed)["hidden"] <= high


def test_signs_are_read_from_vectors_and_from_the_last_position() -> None:
    view = view_of("sparse-parity n=10 k=1", "mlp width=2", size=512)
    found = measure("linear-probe", view)
    assert list(found) == ["hidden.0", "hidden.0-gain", "hidden.1", "hidden.1-gain"]
    # Two random directions hold one of ten signs in part; its own coordinate holds all of it.
    assert 0.5 < found["hidden.0"] < 1 and found["hidden.0-gain"] == 0
    own = view.batch.x[:, view.world]
    sequence = torch.stack([torch.zeros_like(own), own], dim=1)
    for outputs in ({"0": own}, {"0": sequence}):
        shown = sb.Activations(outputs=outputs)
        changed = dataclasses.replace(view, record=lambda p, x, shown=shown: shown)
        assert measure("linear-probe", changed)["0"] == 1


@pytest.mark.parametrize(
    ("probe", "task", "model", "message"),
    [
        ("layer=blocks.7", "automaton length=6", "lstm width=4", 'no layer "blocks.7"'),
        ("target=depth", "automaton length=6", "lstm width=4", 'has no latent "depth"'),
        ("target=context", "markov length=12", "lstm width=4", "classes="),
        ("layer=phase", "sparse-parity n=6 k=2", "sine-neuron", None),
        ("", "sparse-parity n=6 k=2", "sine-neuron", "numbers no layers"),
        ("target=transitions", "markov length=12", "lstm width=4", "are real"),
        ("layer=readout", "sparse-parity n=6 k=2", "lstm width=4", None),
    ],
)
def test_what_it_cannot_read_is_refused(
    probe: str, task: str, model: str, message: str | None
) -> None:
    view = view_of(task, model, size=16)
    if message is None:
        assert measure(f"linear-probe {probe}", view)
        return
    with pytest.raises(ValueError, match=message):
        measure(f"linear-probe {probe}", view)


def test_shapes_that_do_not_fit_are_refused() -> None:
    flat = {"0": torch.zeros(256, 9)}
    with pytest.raises(ValueError, match="cannot be read position by position"):
        measure("linear-probe", view_with(flat, flat))


def test_a_latent_is_read_by_its_name() -> None:
    view = view_of("markov symbols=3 length=12 last=2", "lstm layers=1 width=8", size=64)
    found = measure("linear-probe target=context classes=3", view)
    # The row that the next symbol is drawn from is the current symbol, which the input shows.
    assert found["blocks.0"] > 0.95


@pytest.mark.parametrize(
    ("task", "model"),
    [
        ("automaton machine=s3 length=6 longer=[9]", "transformer layers=1 width=8"),
        pytest.param("sparse-parity n=8 k=2", "mlp width=8", marks=pytest.mark.slow),
    ],
)
def test_every_law(task: str, model: str) -> None:
    from synthbench.registry.registry import installed

    check_probe(installed().probe("linear-probe"), task=task, model=model)
