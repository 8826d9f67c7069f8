"""Attention looks up what a gated convolution of the same width does not (Arora et al. 2023).

pytest -m slow tests/paper
"""

from __future__ import annotations

from pathlib import Path

import pytest

import synthbench as sb

TASK = "mqar pairs=4 symbols=32 length=32 target=0.9"
RECIPE = "layers=2 width=32 lr=0.005 batch_size=32"


@pytest.mark.slow
def test_attention_recalls_where_a_gated_convolution_does_not(out: Path) -> None:
    """Both of width 32; the convolution's kernel spans the sequence, so it sees all of it."""
    protocol = sb.Protocol(budget=32_000, seeds=8, evaluation_samples=256)
    attention, convolution = (
        sb.evaluate(TASK, f"{model} {RECIPE}", protocol=protocol, out=out).record
        for model in ("attention", "short-convolution kernel=32")
    )
    print([replica.samples_to_target for replica in attention.replicas])
    print([replica.samples_to_target for replica in convolution.replicas])
    # Seen: see docs/tasks/mqar.md.
    assert attention.summary.solved >= 7
    assert convolution.summary.solved <= 1
