"""A step is compiled where that is expected to pay, and stays so where it does."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any, cast

import pytest
import torch

from synthbench.engine.axis.compiling import CannotCompile, Program
from synthbench.engine.axis.tracing import Execute, traced
from synthbench.engine.axis.way import Executor
from synthbench.engine.training.cell_functions import CellFunctions
from synthbench.evaluation.compilations import (
    PRIOR_RATIO,
    PRIOR_SECONDS,
    Compilations,
    known_compilations,
)
from synthbench.evaluation.executor_choice import Trial, choose_executor
from synthbench.evaluation.settings import Compile

MACHINE = "a machine"
SMALL = Program("kind", "small", 10, 100)
LARGE = Program("kind", "large", 10, 10_000)


@pytest.fixture(autouse=True)
def empty(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SYNTHBENCH_CACHE", str(tmp_path))


def known() -> Compilations:
    return known_compilations(MACHINE)


def test_nothing_is_known_at_first() -> None:
    assert known().expected_seconds(SMALL) > PRIOR_SECONDS
    assert known().expected_ratio(SMALL) == PRIOR_RATIO


def test_what_was_measured_is_remembered(tmp_path: Path) -> None:
    prior = known().expected_seconds(SMALL)
    known().add(SMALL, prior / 4, 0.3)
    known().add(LARGE, prior / 4, 0.9)
    assert known().expected_seconds(SMALL) == prior / 4
    assert known().expected_ratio(SMALL) == 0.3 and known().expected_ratio(LARGE) == 0.9
    # One between the two takes the ratio of the nearer; another kind takes none.
    assert known().expected_ratio(Program("kind", "new", 10, 500)) == 0.3
    assert known().expected_ratio(Program("kind", "new", 10, 5_000)) == 0.9
    assert known().expected_ratio(Program("other", "new", 10, 500)) == PRIOR_RATIO
    # Here compilers are four times as fast as was thought.
    assert known().expected_seconds(Program("other", "new", 10, 1)) == pytest.approx(prior / 4)
    assert known_compilations("another machine").expected_ratio(SMALL) == PRIOR_RATIO


def test_a_program_that_torch_has_kept_costs_less_and_teaches_nothing_of_first_times() -> None:
    prior = known().expected_seconds(SMALL)
    known().add(SMALL, prior, 0.3)
    known().add(SMALL, 0.1, 0.3)
    assert known().expected_seconds(SMALL) == 0.1
    assert known().expected_seconds(LARGE) == pytest.approx(prior)


@pytest.mark.parametrize("content", ["", "{", "[1]", '[{"kind": "of another version"}]'])
def test_a_damaged_file_is_as_none(tmp_path: Path, content: str) -> None:
    (tmp_path / "compilations.json").write_text(content)
    assert known().expected_ratio(SMALL) == PRIOR_RATIO
    known().add(SMALL, 1.0, 0.5)
    assert known().expected_ratio(SMALL) == 0.5


def test_a_folder_that_cannot_be_written_is_no_error(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "file").touch()
    monkeypatch.setenv("SYNTHBENCH_CACHE", str(tmp_path / "file" / "folder"))
    known().add(SMALL, 1.0, 0.5)
    assert known().expected_ratio(SMALL) == PRIOR_RATIO


class Stub:
    """Instead of a compiler: compiles at no cost, or fails."""

    built = 0
    reason: str | None = None

    def __init__(self) -> None:
        self.seconds = 1.0

    def __call__(self, recording: Any, leaves: Any) -> Callable[..., Any]:
        if self.reason:
            raise CannotCompile(self.reason)
        Stub.built += 1
        program = recording.program
        return cast(
            "Callable[..., Any]",
            program.function(recording.inputs, recording.outputs, program.scope),
        )


@pytest.fixture
def compiler(monkeypatch: pytest.MonkeyPatch) -> type[Stub]:
    monkeypatch.setattr("synthbench.evaluation.executor_choice.Compiler", Stub)
    monkeypatch.setattr(Stub, "built", 0)
    return Stub


def trial(left: float, ratio: float) -> Trial:
    """A step that takes a second replayed, and `ratio` seconds compiled."""

    def build(execute: Execute) -> CellFunctions:
        function = traced(lambda x: x + 1, execute)
        return CellFunctions(cast("Any", function), None, cast("Any", execute))

    def seconds(functions: CellFunctions) -> float:
        cast("Any", functions.gradients)(torch.ones(2))
        return ratio if isinstance(functions.scores, Stub) else 1.0

    return Trial(left, build, seconds)


@pytest.mark.parametrize(
    ("wanted", "left", "ratio", "executor", "built"),
    [
        ("auto", 1e6, 0.5, Executor.COMPILED, 1),
        ("auto", 30.0, 0.5, Executor.REPLAYED, 0),
        ("auto", 1.0, 0.5, Executor.REPLAYED, 0),
        ("auto", 1e6, 1.1, Executor.REPLAYED, 1),
        ("always", 1.0, 1.1, Executor.COMPILED, 1),
        ("never", 1e6, 0.1, Executor.REPLAYED, 0),
    ],
)
def test_it_is_compiled_where_that_pays(
    compiler: type[Stub], wanted: Compile, left: float, ratio: float, executor: str, built: int
) -> None:
    choice = choose_executor(wanted, trial(left, ratio), known())
    assert (choice.executor, compiler.built) == (executor, built)
    assert (choice.functions is not None) == (choice.executor is Executor.COMPILED)


def test_what_did_not_pay_is_not_tried_again(compiler: type[Stub]) -> None:
    for _ in range(2):
        assert choose_executor("auto", trial(1e6, 1.1), known()).executor is Executor.REPLAYED
    assert compiler.built == 1


def test_what_is_cheap_by_now_is_compiled_for_less(compiler: type[Stub]) -> None:
    assert choose_executor("auto", trial(30.0, 0.5), known()).executor is Executor.REPLAYED
    choose_executor("always", trial(30.0, 0.5), known())
    assert choose_executor("auto", trial(30.0, 0.5), known()).executor is Executor.COMPILED


def test_where_it_fails_the_step_is_replayed(
    compiler: type[Stub], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Stub, "reason", "there is no compiler")
    for wanted in ("auto", "always"):
        choice = choose_executor(cast("Compile", wanted), trial(1e6, 0.5), known())
        assert choice.executor is Executor.REPLAYED and choice.functions is None
        assert choice.note == "replayed, not compiled (there is no compiler)"
