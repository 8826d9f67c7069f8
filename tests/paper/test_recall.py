"""Attention recalls where a gated convolution of the same width does not (Zoology).

Arora et al. 2023 find that attention recalls at every width, while a convolution's width has to
grow with the task. Both are two mixers of width 32 here, and the convolution's kernel spans the
sequence, so both see all of it. pytest -m slow tests/paper
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

import synthbench as sb

RECIPE = "layers=2 width=32 lr=0.005 batch_size=32"


def times(
    task: str, models: tuple[str, str], protocol: sb.Protocol, out: Path
) -> list[list[float]]:
    """Samples to target of each seed and model, inf where it is censored."""
    results = [sb.evaluate(task, model, protocol=protocol, out=out) for model in models]
    return [
        [replica.samples_to_target or np.inf for replica in result.record.replicas]
        for result in results
    ]


@pytest.mark.slow
def test_attention_recalls_where_a_gated_convolution_of_its_width_does_not(out: Path) -> None:
    """With 32 symbols, the first cell of recall-v1: 13 seeds of 16, and none."""
    protocol = sb.Protocol(budget=24_000, seeds=16, evaluation_samples=256)
    task = "mqar pairs=4 symbols=32 length=32 target=0.9"
    models = (f"attention {RECIPE} mlp=0", f"short-convolution kernel=64 {RECIPE} mlp=0")
    attention, convolution = times(task, models, protocol, out)
    assert np.isfinite(attention).sum() >= 12
    assert not np.isfinite(convolution).any()


@pytest.mark.slow
def test_with_few_symbols_a_gated_convolution_recalls_later(out: Path) -> None:
    """With 16 symbols, half the length and MLPs both do; medians 6.6k and 12.4k with 8 seeds."""
    protocol = sb.Protocol(budget=32_000, seeds=8, evaluation_samples=256)
    task = "mqar pairs=4 symbols=16 length=16 target=0.9"
    models = (f"attention {RECIPE}", f"short-convolution kernel=16 {RECIPE}")
    attention, convolution = times(task, models, protocol, out)
    assert np.isfinite(attention).sum() >= 7
    assert np.median(convolution) > 1.3 * np.median(attention)
