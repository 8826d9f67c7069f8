"""Studies: which cells they are, and that the same study is said in three ways."""

from __future__ import annotations

from pathlib import Path

import pytest

import synthbench as sb
from synthbench.errors import ConfigurationError, UnknownNameError
from synthbench.evaluation.studies.plan import varied_fields
from synthbench.registry.registry import installed

TASK, MODEL = "sparse-parity n=[8,9] k=2", "mlp width=[4,8] lr=log(0.01..1,3)"


def labels(study: sb.Study) -> list[tuple[str, str, int]]:
    return [(c.task.label(), c.model.label(), c.protocol.budget) for c in study.cells]


def test_every_task_with_every_model_under_every_protocol() -> None:
    study = sb.Study(tasks=[TASK], models=[MODEL], protocol={"seeds": 4, "budget": ["1k", 2000]})
    assert labels(study) == [
        (f"sparse-parity n={n} k=2", f"mlp width={width}{lr}", budget)
        for n in (8, 9)
        for width in (4, 8)
        for lr in (" lr=0.01", "", " lr=1")
        for budget in (1000, 2000)
    ]
    assert study.summary() == (
        "2 tasks x 6 models x 2 protocols = 24 cells, 96 replicas; varied: n, width, lr, budget"
    )
    assert study.folder == Path("runs/sparse-parity")


def test_objects_are_as_good_as_references() -> None:
    task, models = installed().task("sparse-parity n=8"), ["mlp width=4", "mlp width=8"]
    objects = sb.Study(
        tasks=task,
        models=[installed().model(each) for each in models],
        protocol=sb.Protocol(seeds=4),
        probes=[installed().probe("weight-movement")],
    )
    references = sb.Study(
        tasks="sparse-parity n=8",
        models=models,
        protocol={"seeds": 4},
        probes="weight-movement",
    )
    assert objects.cells == references.cells
    assert objects.summary() == "1 task x 2 models = 2 cells, 8 replicas"


def test_what_is_named_twice_is_one_cell() -> None:
    study = sb.Study(tasks="sparse-parity n=8", models=["mlp width=[4,8]", "mlp width=[8,16]"])
    assert [cell.model.label() for cell in study.cells] == [
        "mlp width=4", "mlp width=8", "mlp width=16",
    ]  # fmt: skip
    assert "1 task x 4 models = 4 cells (3 of them different), 96 replicas" in study.summary()


def test_fields_of_one_name_are_told_apart() -> None:
    tasks, models = ["sparse-parity n=[8,9]", "sparse-parity n=[3,4] k=2"], ["mlp width=[4,8]"]
    assert varied_fields(tasks, models, ["budget"]) == ("n", "width", "budget")
    assert varied_fields(tasks, models, ["width"]) == ("n", "model.width", "protocol.width")


def test_a_suite_keeps_its_budgets_and_takes_several_of_everything_else() -> None:
    study = sb.Study(
        suite="feature-learning-v1",
        suite_cells=[1, 3],
        models=["mlp width=[4,8]"],
        protocol={"seeds": 2, "train_samples": [64, 128]},
        probes=["weight-movement"],
    )
    suite = installed().suite("feature-learning-v1")
    rows = [suite.cells[0], suite.cells[2]]
    found = [
        (c.task, c.model.width, c.protocol.budget, c.protocol.train_samples)  # type: ignore[attr-defined]
        for c in study.cells
    ]
    assert found == [
        (installed().task(row.task), width, row.budget, samples)
        for row in rows
        for width in (4, 8)
        for samples in (64, 128)
    ]
    assert study.folder == Path("runs/feature-learning-v1")
    assert study.summary().startswith("2 feature-learning-v1 cells x 2 models x 2 protocols =")
    assert {probe.name for probe in study.cells[0].probes} >= {"weight-movement"}
    assert sb.Study(suite="quickstart").cells[0].model == installed().model(
        installed().suite("quickstart").models[0]
    )


def test_every_model_stands_on_what_is_named() -> None:
    study = sb.Study(
        tasks="sparse-parity n=8", models="mlp width=[4,8]", start="mlp width=4@3", protocol={}
    )
    assert [cell.start is not None for cell in study.cells] == [True, True]


def test_several_masks_make_several_cells() -> None:
    masks = [sb.Mask("mlp width=4", sparsity=share) for share in (0, 0.5)]
    study = sb.Study(tasks="sparse-parity n=8", models="mlp width=[4,8]", mask=masks, protocol={})
    found = [(cell.model.width, cell.mask.sparsity) for cell in study.cells]
    assert found == [(4, 0), (4, 0.5), (8, 0), (8, 0.5)]
    assert study.summary().startswith("1 task x 2 models x 2 masks = 4 cells, 128 replicas")
    assert study.plan.varied == ("width", "mask")


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({}, "name a suite, or a task and a model"),
        ({"tasks": TASK}, "name a suite, or a task and a model"),
        ({"suite": "quickstart", "tasks": TASK}, "name either a suite or --task, not both"),
        ({"tasks": TASK, "models": "mlp", "suite_cells": [1]}, "--cell chooses cells of a suite"),
        (
            {"tasks": "sparse-parity n=[4,8] k=[2,5,6]", "models": "mlp"},
            "2 of the 6 tasks of 'sparse-parity n=[4,8] k=[2,5,6]' are not allowed; of "
            "'sparse-parity n=4 k=5': \"sparse-parity\" k must be at most n=4, got 5. Leave them",
        ),
        ({"tasks": "sparse-parity n=[3,4] k=9", "models": "mlp"}, "k must be at most n=3, got 9"),
        ({"tasks": TASK, "models": "mlp lr=log(0.1..1)"}, "give a count of values, such as log("),
        ({"tasks": TASK, "models": "mlp", "protocol": {"budget": "few"}}, "protocol budget = few:"),
        ({"tasks": TASK, "models": "mlp", "probes": "weight-movement x=[1,2]"}, "no field"),
        ({"tasks": TASK, "models": [3]}, "got 3"),
    ],
)
def test_mistakes(fields, message) -> None:
    with pytest.raises((ConfigurationError, UnknownNameError)) as caught:
        _ = sb.Study(**fields).plan
    assert message in str(caught.value) and "\n" not in str(caught.value), str(caught.value)


def test_what_the_command_line_trained_is_found_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, settings: sb.Settings
) -> None:
    monkeypatch.chdir(tmp_path)
    path = tmp_path / "small.toml"
    path.write_text(
        'tasks = "sparse-parity n=8 k=2"\nmodels = "mlp width=[4,8]"\n'
        "[protocol]\nseeds = 2\nbudget = 320\nevaluation_samples = 128\nresolution = 0.5\n"
    )
    study = sb.read_study(path)
    first = sb.evaluate_study(study, settings=settings)
    assert [result.folder.parent for result in first] == [Path("runs/small")] * 2
    times = [(result.folder / "record.json").stat().st_mtime_ns for result in first]
    again = sb.evaluate_study(study, settings=settings)
    assert [(each.folder / "record.json").stat().st_mtime_ns for each in again] == times
    assert [(r.record.task, r.record.model) for r in again] == [
        ("sparse-parity n=8 k=2", f"mlp width={width}") for width in (4, 8)
    ]


def test_more_configurations_than_anybody_means_are_refused_at_once() -> None:
    model = "mlp width=linear(1..1000,1000) lr=log(1e-5..1,1000)"
    with pytest.raises(sb.SynthbenchError, match=r"has 1,000,000 configurations; ask for 100,000"):
        _ = sb.Study(tasks=["sparse-parity n=10 k=2"], models=[model]).cells


def test_every_model_is_taught_by_each_of_several_teachers() -> None:
    study = sb.Study(
        tasks="sparse-parity n=8 k=2",
        models=["mlp width=[4,8]"],
        protocol={"seeds": 4},
        teacher=["none", "mlp width=16@4,last", sb.Teacher("mlp width=16", hard=0.5)],
    )
    assert [(cell.label(), cell.teacher is None) for cell in study.cells] == [
        (f"mlp width={width}{taught}", not taught)
        for width in (4, 8)
        for taught in (
            "", " teacher=(mlp width=16)@4,last", " teacher=(mlp width=16)@last hard=0.5",
        )
    ]  # fmt: skip
    assert study.summary() == (
        "1 task x 2 models x 3 teachers = 6 cells, 24 replicas; varied: width, teacher"
    )
