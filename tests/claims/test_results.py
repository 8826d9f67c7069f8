"""Claims about finished cells: names, times, evaluations and seeds are those of their tables."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

import synthbench as sb
from synthbench.claims.replicas import Replicas
from synthbench.errors import ConfigurationError
from synthbench.results.results import CellResult, Results
from tests.claims.simulated import claim, exact, value
from tests.results.planned import Planned, planned_cells
from tests.results.synthetic import Setting, make_cell


@pytest.fixture(scope="module")
def results(tmp_path_factory: pytest.TempPathFactory) -> Results:
    cells = planned_cells(
        tmp_path_factory.mktemp("cells"),
        Planned(task={"n": 10}, model={"width": 50}),
        Planned(task={"n": 20}, model={"width": 50}, speed=0.5),
        Planned(task={"n": 40}, model={"width": 100}, speed=0.25),
    )
    return Results([CellResult(cell, reused=True) for cell in cells])


@pytest.fixture(scope="module")
def of(results: Results) -> Replicas:
    return Replicas.of(results)


def test_values_are_those_of_the_tables(results: Results, of: Replicas) -> None:
    table = results.table(per="replica")
    mean = table[table["n"] == 20]["samples_to_target"].mean()
    assert exact("mean(samples_to_target, where=n == 20)", of) == pytest.approx(mean)
    mean = table[table["model.width"] == 50]["width"].mean()
    assert exact("mean(measured.width, where=model.width == 50)", of) == pytest.approx(mean)
    final = exact("mean(last(accuracy))", of)
    assert final == pytest.approx(table["final_score"].mean())
    first = results.table(per="evaluation").groupby(["n", "replica"]).first()
    assert exact("mean(first(`fourier-spectrum/entropy`))", of) == pytest.approx(
        first["fourier-spectrum/entropy"].mean()
    )
    assert exact("mean(task.n)", of) == table["n"].mean()


def test_when_is_the_time_to_target_for_a_target_held_once(of: Replicas) -> None:
    """Here progress never falls, so that the first evaluation of two is the first."""
    for quantity in ("median", "mean"):
        assert exact(f"{quantity}(when(progress >= 0.96))", of) == exact(
            f"{quantity}(samples_to_target)", of
        )
    assert exact("before(when(accuracy > 0.7), samples_to_target)", of) == 1


def test_one_that_stopped_was_not_watched_any_longer(of: Replicas) -> None:
    least, most = value("median(when(`accuracy@length-80` > 0.95), where=n == 10)", of)
    assert least == exact("quantile(0.01, last(samples), where=n == 10)", of) and most == np.inf


def test_judging_a_study(results: Results) -> None:
    claims = [
        claim("exponent(median(samples_to_target), by=n)", "in [0.5, 1.5]", name="linear"),
        claim("share(outcome == 'solved')", "> 0.5", name="solved"),
        claim("monotone(median(samples_to_target), by=n)", ">= 1", name="harder"),
        claim("median(samples_to_target, where=n == 10)", "> 20000", name="slow"),
    ]
    judged = sb.judge(claims, results)
    assert [each.claim for each in judged] == claims
    assert [each.verdict.value for each in judged] == ["holds"] * 3 + ["does not hold"]
    assert {each.seeds for each in judged} == {8}


def test_ambiguous_names_and_curves_are_refused(of: Replicas) -> None:
    with pytest.raises(ConfigurationError, match=r'"width" may be model.width or measured.width'):
        value("median(width)", of)
    with pytest.raises(ConfigurationError, match='"excess" is a curve'):
        value("median(last(excess))", of)


def test_a_place_of_a_curve_is_a_number(of: Replicas) -> None:
    ends = np.array([curve[1] for curve in of.evaluations["excess"].to_numpy()[of.ends]], float)
    assert exact("mean(last(`excess[1]`))", of) == pytest.approx(np.nanmean(ends))
    assert exact("share(peak(`excess[1]`) >= last(`excess[1]`))", of) == 1
    for name, message in (
        ("excess[99]", "has the places 0 to .*, not 99"),
        ("accuracy[0]", '"accuracy" is a number'),
    ):
        with pytest.raises(ConfigurationError, match=message):
            value(f"median(last(`{name}`))", of)
    with pytest.raises(ConfigurationError, match="say which: last"):
        value("median(`excess[1]`)", of)


def test_a_condition_that_nobody_meets_says_what_there_is(of: Replicas) -> None:
    message = r"no replica meets model.width == 7 \(model.width is 50, 100\)$"
    with pytest.raises(ConfigurationError, match=message):
        value("median(samples_to_target, where=model.width == 7)", of)


def test_no_results() -> None:
    with pytest.raises(ConfigurationError, match="no results to judge claims by"):
        sb.judge([claim("share(censored)")], Results([]))


def test_of_a_crossed_design_the_replicas_that_share_no_seed(tmp_path: Path) -> None:
    cell = make_cell(tmp_path / "crossed", Setting(replicas=12))
    plan = cell.record.plan
    plan = {**plan, "protocol": {**plan["protocol"], "initializations": 4}}
    crossed = CellResult(
        type(cell)(cell.record.model_copy(update={"plan": plan}), cell.folder), reused=True
    )
    of = Replicas.of(Results([crossed]))
    assert of.table["replica"].tolist() == [0, 4, 8] and len(of.starts) == 3
    last = exact("mean(last(accuracy))", of)
    assert last == pytest.approx(of.table["final_score"].mean())
