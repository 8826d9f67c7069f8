"""Fixtures shared by all tests."""

from __future__ import annotations

import gc
import sys
from collections.abc import Generator, Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

import synthbench as sb
from synthbench.evaluation import picture
from synthbench.plan.cell import Cell
from synthbench.registry.registry import installed
from synthbench.results.figures import PICTURE_FILE, save_default_picture
from synthbench.results.measured_cell import MeasuredCell
from tests.fresh_environment import build_wheel
from tests.portability import NEED_POSIX
from tests.wandb_isolation import isolated_wandb

if TYPE_CHECKING:
    from synthbench.evaluation.way_choice import WayChoice

TESTS = Path(__file__).parent
# A distribution of its own: its tests run where it is installed, in tests/distributions.
collect_ignore = ["example_plugin", *(NEED_POSIX if sys.platform == "win32" else ())]
# `tests/__init__.py` leaves others' plugins out; no message of ours has a line about them either.
installed().host.left_out.clear()
LONGEST = (
    "docs/test_pages_run.py",
    "distributions/test_third_parties.py",
    "end_to_end/test_kill.py",
    "testing/tasks/test_planted.py",
    "cli/test_leaderboard.py",
    "evaluation/test_growth.py",
    "end_to_end/test_quickstart.py",
    "launchers/test_local.py",
    "docs/test_walkthroughs.py",
    "engine/training/test_scoring.py",
    "testing/models/test_bundled.py",
    "plugins/test_wandb.py",
    "evaluation/test_standing.py",
)
"""Files that take longest. They come first: begun last, one would leave the other workers idle."""


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Sort the tests of the longest files to the front."""
    places = {TESTS / name: place for place, name in enumerate(LONGEST)}
    items.sort(key=lambda item: places.get(item.path, len(LONGEST)))


@pytest.hookimpl(wrapper=True)
def pytest_collection() -> Generator[None, object, object]:
    """What is imported stays to the end: no search for garbage goes through it again and again."""
    gc.disable()
    try:
        return (yield)
    finally:
        gc.freeze()
        gc.enable()


@pytest.fixture(scope="session", autouse=True)
def own_cache(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """What is remembered of compilations stays out of the user's cache folder."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("SYNTHBENCH_CACHE", str(tmp_path_factory.mktemp("cache")))
        yield


@pytest.fixture(scope="session", autouse=True)
def blank_pictures() -> Iterator[None]:
    """The picture beside a result is blank: to draw it takes as long as to train a small cell."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(picture, "save_default_picture", save_blank_picture)
        yield


def save_blank_picture(cells: Sequence[MeasuredCell], folder: Path) -> None:
    """In the place of the real one."""
    (folder / PICTURE_FILE).write_bytes(b"")


LONG = ("slow", "cuda", "ray")
"""Marks of tests whose trainings may be worth compiling."""


@pytest.fixture(scope="session", autouse=True)
def nothing_weighed(request: pytest.FixtureRequest) -> Iterator[pytest.MonkeyPatch]:
    """Steps are replayed unless a test asks for more: whether compiling them would pay is found by
    timing some, which takes as long as a small cell, and it never pays for one."""
    items = request.session.items
    small = not any(item.get_closest_marker(name) for item in items for name in LONG)
    with pytest.MonkeyPatch.context() as patch:
        # What does without torch does not have to wait for it.
        if small and "torch" in sys.modules:
            from synthbench.engine.axis.way import Executor
            from synthbench.evaluation.training_functions import Note, TrainingFunctions

            choose = TrainingFunctions._choose_executor

            def replay(self: TrainingFunctions, found: WayChoice, note: Note) -> Executor:
                unasked = self.stack.compile == "auto"
                return Executor.REPLAYED if unasked else choose(self, found, note)

            patch.setattr(TrainingFunctions, "_choose_executor", replay)
        yield patch


@pytest.fixture
def weighed(nothing_weighed: pytest.MonkeyPatch) -> Iterator[None]:
    """Whether compiling pays is measured, for tests that look at it."""
    from synthbench.evaluation.training_functions import TrainingFunctions

    unasked = TrainingFunctions._choose_executor
    nothing_weighed.undo()
    yield
    nothing_weighed.setattr(TrainingFunctions, "_choose_executor", unasked)


@pytest.fixture
def drawn(monkeypatch: pytest.MonkeyPatch) -> None:
    """The picture beside a result is drawn, for tests that look at it."""
    monkeypatch.setattr(picture, "save_default_picture", save_default_picture)


@pytest.fixture(scope="session")
def small_cell() -> Cell:
    """A cell that trains in about a second: parity of 2 in 10, six replicas."""
    registry = installed()
    return Cell(
        registry.task("sparse-parity n=10 k=2"),
        registry.model("mlp width=16"),
        sb.Protocol(budget=12_800, seeds=6, evaluation_samples=256),
    )


@pytest.fixture(scope="session")
def ten_steps(small_cell: Cell) -> Cell:
    """The small cell, which ends after ten steps."""
    changes = {"budget": 320, "resolution": 0.5}
    return replace(small_cell, protocol=small_cell.protocol.model_copy(update=changes))


@pytest.fixture(scope="session")
def settings() -> sb.Settings:
    """CPU, fixed block size, no measuring."""
    return sb.Settings(sb.TrainerOptions(accelerator="cpu"), replicas_per_block=6)


@pytest.fixture(scope="session")
def small_result(
    small_cell: Cell, settings: sb.Settings, tmp_path_factory: pytest.TempPathFactory
) -> sb.CellResult:
    """The small cell, trained once; its folder is only read."""
    return sb.evaluate_cells([small_cell], tmp_path_factory.mktemp("small"), settings)[0]


@pytest.fixture
def out(tmp_path: Path) -> Path:
    """An output folder that does not exist yet."""
    return tmp_path / "runs"


@pytest.fixture
def wandb_home(tmp_path: Path) -> Iterator[Path]:
    """Where everything W&B writes goes; no account, and a W&B that is set up anew."""
    with isolated_wandb(tmp_path / "wandb-home") as home:
        yield home


@pytest.fixture(scope="session")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The project's wheel, built once."""
    return build_wheel(tmp_path_factory.mktemp("wheel"))
