"""Named settings of a task, in references and for whoever trains on them."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import ClassVar

import pytest

import synthbench as sb
from synthbench.errors import ConfigurationError
from synthbench.evaluation.studies.study import Study
from synthbench.registry.kinds import TASK
from synthbench.registry.registry import installed
from synthbench.testing.report import Status
from synthbench.testing.tasks.check import task_examination
from synthbench_parity.task import SparseParity
from synthbench_pointers.pointer_value import PointerValue

SMALL = SparseParity.presets["small"]


def test_a_preset_stands_for_its_fields() -> None:
    registry = installed()
    assert registry.task("sparse-parity small") == registry.task(f"sparse-parity {SMALL.fields}")
    assert registry.task("sparse-parity small n=11") == SparseParity(n=11, k=3)
    spanned = registry.space(TASK, "sparse-parity small k=[2,3]")
    assert spanned.points() == ["sparse-parity n=20 k=2", "sparse-parity n=20 k=3"]


def test_a_study_takes_from_it_what_is_not_said() -> None:
    (cell,) = Study(tasks=["sparse-parity merrill"]).cells
    assert cell.model == installed().model("mlp width=1000 weight_decay=0.01")
    assert (cell.protocol.budget, cell.protocol.train_samples) == (320_000, 1_000)
    (probed,) = Study(tasks=["sparse-parity small"], probes=["weight-norm"]).cells
    assert [probe.name for probe in probed.probes] == ["support-mass", "weight-norm"]
    (other,) = Study(
        tasks=["sparse-parity merrill"], models=["mlp width=7"], protocol={"budget": "64k"}
    ).cells
    assert other.model == installed().model("mlp width=7")
    assert (other.protocol.budget, other.protocol.train_samples) == (64_000, 1_000)
    assert other.probes == ()


def test_a_probe_that_is_given_takes_the_place_of_the_preset_s() -> None:
    task = "pointer-value-retrieval small"
    assert "pointer-attention" in PointerValue.presets["small"].probes
    (cell,) = Study(tasks=[task], probes=["pointer-attention", "weight-norm"]).cells
    assert [probe.name for probe in cell.probes] == ["pointer-attention", "weight-norm"]
    cell.check()


def test_each_task_has_its_own_baseline() -> None:
    study = Study(tasks=["sparse-parity small", "sparse-parity merrill"])
    first, second = study.cells
    assert (first.model.label(), first.protocol.budget) == ("mlp width=100", SMALL.budget)
    assert second.model.label() == "mlp width=1000 weight_decay=0.01"
    assert study.summary() == "2 tasks x 1 model = 2 cells, 64 replicas"


def test_evaluate_trains_the_baseline(tmp_path: Path) -> None:
    result = sb.evaluate("sparse-parity small n=8 k=2", seeds=2, budget=3_200, out=tmp_path)
    assert result.record.model == "mlp width=100"
    assert "support-mass/weights" in result.trajectories[-1]


@pytest.mark.parametrize("task", ["sparse-parity", SparseParity()])
def test_without_one_a_model_must_be_named(task: str | SparseParity, tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match="a task and a model"):
        sb.evaluate(task, out=tmp_path)


@pytest.mark.parametrize(
    ("preset", "message"),
    [
        (sb.Preset("n=3 k=4"), "k must be at most n=3"),
        (sb.Preset("size=3"), 'no field "size"'),
        (sb.Preset("", "transformr"), 'unknown model "transformr"'),
        (sb.Preset("", "simplified-transformer"), "cannot take this task"),
        (sb.Preset("", "mlp", probes=("weight",)), 'unknown probe "weight"'),
    ],
)
def test_the_kit_examines_presets(preset: sb.Preset, message: str) -> None:
    class Planted(SparseParity):
        """A parity with a preset that cannot be trained."""

        name: ClassVar[str] = "planted"
        presets: ClassVar[Mapping[str, sb.Preset]] = {"small": preset}

    found = task_examination(Planted(n=8, k=2)).verdict("presets-can-be-trained")
    assert found.status is Status.broken and message in found.seen
