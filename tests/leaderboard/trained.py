"""A small suite, installed for a test, and real submissions to it."""

from __future__ import annotations

from pathlib import Path

from synthbench.engine.training.block_training import TrainerOptions
from synthbench.evaluation.evaluate import evaluate_cells
from synthbench.evaluation.planning import plan_suite
from synthbench.evaluation.settings import Settings
from synthbench.plan.suite import Suite, read_suite
from synthbench.registry.kinds import KINDS, SUITE
from synthbench.registry.plugin import Plugin

SUITE_TEXT = """
name = "tiny"
version = 1
title = "Two small parities"
description = "For tests."
seeds = 6
evaluation_samples = 256
models = ["mlp width=16"]
probes = ["weight-movement"]
columns = ["plateau", "width", "stages", "lead"]
lead = "weight-movement/l2"
tuning_trials = 2

[[cells]]
task = "sparse-parity n=8 k=2"
budget = 12_800

[[cells]]
task = "sparse-parity n=10 k=2"
budget = 12_800
"""


def write_suite(folder: Path, text: str = SUITE_TEXT) -> Suite:
    """The suite, from a file of its own folder."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "suite.toml").write_text(text)
    return read_suite(folder / "suite.toml")


def as_plugin(suite: Suite) -> Plugin:
    """A third party's plugin that provides the suite."""
    provided = {kind: {} for kind in KINDS} | {SUITE: {suite.name: suite}}
    return Plugin("theirs", "their-suites", "1.0", provided)


def train(suite: Suite, out: Path, *models: str) -> Path:
    """Run the suite on CPU; returns the run's folder."""
    settings = Settings(TrainerOptions(accelerator="cpu"), replicas_per_block=6)
    evaluate_cells(plan_suite(suite, models), out, settings, suite)
    return out
