"""submit, show, verify: as their users type them, on a suite that was really trained.

`pytest -m slow` verifies in the process of its own that it is elsewhere done without.
"""

from __future__ import annotations

import json
import shutil
import sys
from pathlib import Path

import pytest

from synthbench.cli.leaderboard import fresh as on_fresh_seeds
from synthbench.cli.leaderboard.rerun_progress import RerunProgress
from synthbench.cli.main import main
from synthbench.engine.training.block_training import TrainerOptions
from synthbench.evaluation.evaluate import evaluate_cells
from synthbench.evaluation.planning import plan_suite
from synthbench.evaluation.settings import Settings
from synthbench.hashing import content_hash, file_hash
from synthbench.leaderboard.submissions import packing
from synthbench.leaderboard.submissions.expected import expected_cells
from synthbench.leaderboard.submissions.reading import read_submission
from synthbench.leaderboard.submissions.submission import Submission
from synthbench.leaderboard.verification import limits
from synthbench.leaderboard.verification.verify import Verification
from synthbench.listeners.listener import BlockProgress
from synthbench.plan.suite import Suite, suite_protocol
from synthbench.records.hashed import own_hash
from synthbench.registry.registry import installed
from synthbench.results.results import read_results
from tests.leaderboard.trained import as_plugin, train, write_suite
from tests.leaderboard.verified_here import within_this_process


@pytest.fixture(scope="module")
def trained(tmp_path_factory: pytest.TempPathFactory) -> tuple[Suite, Path]:
    suite = write_suite(tmp_path_factory.mktemp("leaderboards") / "tiny")
    folder = tmp_path_factory.mktemp("runs") / "tiny"
    return suite, train(suite, folder, "mlp width=16", "mlp width=16 lr=0.05")


@pytest.fixture
def board(trained, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """An empty folder with the suite installed; returns the run."""
    suite, run = trained
    host = installed().host
    monkeypatch.setattr(host, "plugins", [*host.plugins, as_plugin(suite)])
    monkeypatch.chdir(tmp_path)
    return run


@pytest.fixture
def in_process(monkeypatch: pytest.MonkeyPatch) -> None:
    """Verified in this process, which is faster; that limits hold is tested where they are."""
    monkeypatch.setattr(limits, "within", within_this_process)


def command(capsys, monkeypatch, *arguments: object) -> tuple[int, str, str]:
    monkeypatch.setattr(sys, "argv", ["synthbench", "leaderboard", *map(str, arguments)])
    monkeypatch.setenv("COLUMNS", "200")
    with pytest.raises(SystemExit) as ended:
        main()
    captured = capsys.readouterr()
    return int(ended.value.code or 0), captured.out, captured.err


HOME = Path("leaderboards/tiny/submissions")


def submit(capsys, monkeypatch, run: Path, *more: object) -> tuple[int, str, str]:
    return command(capsys, monkeypatch, "submit", run, "--author", "Ada Lovelace", *more)


def of_one_model(board: Path, out: str) -> Path:
    """A copy of the cells of the run whose learning rate is the default."""
    for folder in board.iterdir():
        if folder.is_dir() and "lr0.05" not in folder.name:
            shutil.copytree(folder, Path(out) / folder.name)
    return Path(out)


def test_submit_show_and_verify(board: Path, in_process, capsys, monkeypatch) -> None:
    code, _, err = submit(capsys, monkeypatch, board)
    assert code == 2 and "has several results (mlp width=16; mlp width=16 lr=0.05)" in err
    code, out, err = submit(capsys, monkeypatch, board, "-m", "mlp width=16")
    assert code == 0 and f"{HOME}/mlp-width-16: 2 cells, checked" in out, err
    assert sorted(p.name for p in (HOME / "mlp-width-16").rglob("*")) == [
        "cell-01", "cell-02", "record.json", "record.json", "submission.json",
        "trajectories.parquet", "trajectories.parquet",
    ]  # fmt: skip
    code, _, err = submit(capsys, monkeypatch, board, "-m", "mlp width=16")
    assert code == 2 and "is there already; choose another --name" in err
    submit(capsys, monkeypatch, board, "-m", "mlp width=16 lr=0.05", "--name", "slow")
    code, out, _ = command(capsys, monkeypatch, "show", "tiny")
    assert code == 0 and max(map(len, out.splitlines())) <= 80
    for text in ("relative to mlp width=16", "gaussian-elimination", "lr=0.05", "state size"):
        assert text in out, text
    assert out.rstrip().splitlines()[-1].startswith("two side by side: `synthbench leaderboard")
    code, pair, _ = command(capsys, monkeypatch, "show", "tiny", "slow", "mlp-width-16")
    assert code == 0 and max(map(len, pair.splitlines())) <= 80
    assert "mlp width=16 lr=0.05 against mlp width=16\n" in pair
    assert "Holm's method over 2 cells" in pair and "detectable" in pair
    # One submission is shown beside the reference model; titles do as well as names.
    assert command(capsys, monkeypatch, "show", "tiny", "mlp width=16 lr=0.05")[1] == pair
    for mistaken, message in (
        (["slo"], 'no submission "slo" on tiny; did you mean "slow"?'),
        (["mlp-width-16"], '"mlp-width-16" is one submission; name another one'),
        (["slow", "slow"], '"slow" is one submission; name another one'),
        (["slow"] * 3, "3 submissions; two can be shown side by side"),
    ):
        code, _, err = command(capsys, monkeypatch, "show", "tiny", *mistaken)
        assert code == 2 and message in err and len(err.strip().splitlines()) == 1
    code, out, err = command(
        capsys, monkeypatch, "verify", HOME / "slow", "--fraction", "0.5", "--device", "cpu"
    )
    assert code == 0, out + err
    assert out.count("identical") == 2 and "3 of 6" in out and "does not hold" not in out


@pytest.mark.slow
def test_verified_in_a_process_of_its_own(board: Path, capsys, monkeypatch) -> None:
    submit(capsys, monkeypatch, board, "-m", "mlp width=16")
    code, out, err = command(
        capsys, monkeypatch, "verify", HOME / "mlp-width-16", "--fraction", "0.5", "--device", "cpu"
    )
    assert code == 0, out + err
    assert out.count("identical") == 2 and "3 of 6" in out and "does not hold" not in out


def test_of_a_run_with_more_seeds_the_suites_are_submitted(
    board: Path, trained: tuple[Suite, Path], capsys, monkeypatch
) -> None:
    suite, _ = trained
    grown = Path(shutil.copytree(board, "grown"))
    protocol = suite_protocol(suite, {"seeds": suite.seeds + 2})
    settings = Settings(TrainerOptions("cpu"))
    first, _ = plan_suite(suite, ["mlp width=16"], protocol)
    evaluate_cells([first], grown, settings, suite)
    assert sorted(len(cell.record.replicas) for cell in read_results(grown)) == [6, 6, 6, 8]
    for run, name in ((board, "exact"), (grown, "larger")):
        code, _, err = submit(capsys, monkeypatch, run, "-m", "mlp width=16", "--name", name)
        assert code == 0, err
    exact, larger = (
        read_submission(HOME / name, suite, expected_cells(suite)) for name in ("exact", "larger")
    )
    for one, other in zip(exact.cells, larger.cells, strict=True):
        assert one.record.plan == other.record.plan
        assert one.record.replicas == other.record.replicas
        assert one.record.summary == other.record.summary
        assert one.trajectories.table.equals(other.trajectories.table)


def test_replicas_of_two_machines_are_no_submission(board: Path, capsys, monkeypatch) -> None:
    mixed = Path(shutil.copytree(board, "mixed"))
    for path in mixed.glob("*/record.json"):
        content = json.loads(path.read_text())
        part = {"created": content["created"], "environment": content["environment"]}
        content["earlier"] = [{"replicas": [1, 2], **part}]
        content["content_hash"] = own_hash(content)
        path.write_text(json.dumps(content))
    code, _, err = submit(capsys, monkeypatch, mixed, "-m", "mlp width=16")
    assert code == 2 and "replicas 1, 2 were trained elsewhere than the rest" in err


def test_of_two_submits_at_once_the_slower_is_told(board: Path, capsys, monkeypatch) -> None:
    copy = packing._copy

    def overtaken(*given: object) -> None:
        copy(*given)
        (HOME / "mlp-width-16" / "cell-01").mkdir(parents=True)

    monkeypatch.setattr(packing, "_copy", overtaken)
    code, out, err = submit(capsys, monkeypatch, board, "-m", "mlp width=16")
    assert code == 2 and out == "" and "is there already; choose another --name" in err
    assert [path.name for path in HOME.iterdir()] == ["mlp-width-16"]


def test_a_folder_that_may_not_be_listed_is_one_line(board: Path, capsys, monkeypatch) -> None:
    HOME.mkdir(parents=True)

    def refuse(_: Path) -> None:
        raise PermissionError(13, "Permission denied")

    # Root, who runs this in a container, may list anything.
    monkeypatch.setattr(Path, "iterdir", refuse)
    code, _, err = command(capsys, monkeypatch, "show", "tiny")
    assert code == 2 and f"{HOME} cannot be read: Permission denied" in err


def test_a_device_that_is_not_there_is_no_verdict(
    board: Path, in_process, capsys, monkeypatch
) -> None:
    submit(capsys, monkeypatch, board, "-m", "mlp width=16")
    code, _, err = command(
        capsys, monkeypatch, "verify", HOME / "mlp-width-16", "--device", "abacus"
    )
    assert code == 2 and 'accelerator "abacus" cannot be used' in err


def test_the_bar_of_a_rerun_counts_what_each_replica_takes(
    board: Path, trained, capsys, monkeypatch
) -> None:
    suite, _ = trained
    submit(capsys, monkeypatch, board, "-m", "mlp width=16")
    checked = read_submission(HOME / "mlp-width-16", suite, expected_cells(suite))
    steps = [[int(s[-1]) for s in c.trajectories.by_replica("step")] for c in checked.cells]
    shown = RerunProgress(checked, Verification(1.0, 0))
    (bar,) = shown._progress.tasks
    assert bar.total == sum(map(sum, steps))
    shown.cell_done()
    # The second block of the second cell, one step before its last replica stops.
    last = max(steps[1][4:]) - 1
    second = plan_suite(suite, ["mlp width=16"])[1]
    shown.block_advanced(BlockProgress(second, 4, 2, last, solved=0, running=1))
    done = sum(min(most, last) for most in steps[1][4:])
    assert bar.completed == sum(steps[0]) + sum(steps[1][:4]) + done < bar.total
    shown.cell_done()
    assert bar.completed == bar.total


def test_a_forged_trajectory_is_caught_by_the_rerun(
    board: Path, in_process, capsys, monkeypatch
) -> None:
    """Every hash and every metric is right; only training again can tell."""
    submit(capsys, monkeypatch, board, "-m", "mlp width=16")
    folder = HOME / "mlp-width-16"
    other = next(p for p in board.iterdir() if "n10" in p.name and "lr0.05" in p.name)
    record = json.loads((other / "record.json").read_text())
    own = json.loads((folder / "cell-02" / "record.json").read_text())
    # The results of the other learning rate, claimed for this one.
    record["plan"]["model"], record["model"] = own["plan"]["model"], own["model"]
    record["plan_hash"] = content_hash(record["plan"])
    record["content_hash"] = own_hash(record)
    (folder / "cell-02" / "record.json").write_text(json.dumps(record))
    shutil.copy(other / "trajectories.parquet", folder / "cell-02")
    manifest = json.loads((folder / "submission.json").read_text())
    manifest["records"][1] = file_hash(folder / "cell-02" / "record.json")
    (folder / "submission.json").write_text(json.dumps(manifest))
    code, out, _ = command(capsys, monkeypatch, "verify", folder, "--device", "cpu")
    assert code == 1
    assert "cell 2: replica" in out and "has other bits on the same hardware" in out
    assert "cell 1:" not in out


def test_data_of_other_seeds_are_not_submitted(board: Path, capsys, monkeypatch) -> None:
    shutil.copytree(board, "copy")
    path = next(p for p in Path("copy").rglob("record.json") if "lr0.05" not in p.parent.name)
    record = json.loads(path.read_text())
    record["replicas"][3]["data"] = record["replicas"][2]["data"]
    record["content_hash"] = own_hash(record)
    path.write_text(json.dumps(record))
    code, _, err = submit(capsys, monkeypatch, "copy", "-m", "mlp width=16")
    assert code == 2 and "the data of its replicas are not those of their seeds" in err
    assert not (HOME / "mlp-width-16").exists()


def test_the_tuned_track_counts_what_was_tried(
    board: Path, trained, tmp_path: Path, capsys, monkeypatch
) -> None:
    suite, _ = trained
    protocol = suite_protocol(suite, {"seeds": 2, "first_seed": 100})
    # Two configurations for the one cell, and one for the other.
    tried = plan_suite(suite, ["mlp width=16", "mlp width=16 lr=0.05"], protocol)
    cells = [each for each in tried if (each.task.n, each.model.recipe.lr) != (8, 0.05)]
    evaluate_cells(cells, "tuning", Settings(TrainerOptions("cpu")), suite)
    chosen = Path("chosen")
    for folder in board.iterdir():
        first = "n8" in folder.name
        if folder.is_dir() and first == ("lr0.05" not in folder.name):
            shutil.copytree(folder, chosen / folder.name)
    code, _, err = submit(capsys, monkeypatch, chosen)
    assert code == 2 and "one configuration for all cells" in err
    code, _, err = submit(capsys, monkeypatch, chosen, "--track", "tuned")
    assert code == 2 and "go together" in err
    tuned = ("--track", "tuned", "--trials", "tuning", "--name", "tuned")
    code, out, err = submit(capsys, monkeypatch, chosen, *tuned)
    assert code == 0, err
    manifest = Submission.model_validate_json((HOME / "tuned/submission.json").read_text())
    spent = [json.loads(p.read_text())["compute"]["replica_steps"] for p in
             Path("tuning").rglob("record.json")]  # fmt: skip
    assert len(manifest.trials) == len(cells) == 3
    assert manifest.tuning_samples == 32 * sum(spent)
    code, out, _ = command(capsys, monkeypatch, "show", "tiny")
    assert code == 0 and "tuned" in out and "relative to the budget" in out
    # The board's own seeds are not for tuning.
    code, _, err = submit(
        capsys, monkeypatch, chosen, "--track", "tuned", "--trials", board, "--name", "cheat"
    )
    assert code == 2 and "are the leaderboard's own" in err and not (HOME / "cheat").exists()


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["submit", "RUN"], "say who submits"),
        (["submit", "nowhere", "-a", "Ada"], "no finished cell in nowhere"),
        (["submit", "RUN", "-a", "Ada", "-m", "mlp width=17"], "the run has no model"),
        (
            ["submit", "RUN", "-a", "Ada", "-m", "mlp width=16", "--name", "../x"],
            "--name: must be lower",
        ),
        (["submit", "RUN", "-a", "Ada", "-m", "mlp width=16", "--link", "javascript:x"], "--link"),
        (["submit", "RUN", "-a", "A\u202ed", "-m", "mlp width=16"], "invisible character U+202E"),
        (["submit", "RUN", "-a", " ", "-m", "mlp width=16"], "--author: must be one line"),
        (["show", "tiny", "--boards", "RUN/learning_curves.png"], "is not a folder of"),
        (["show", "tiny", "--boards", "nowhere"], "nowhere is not a folder of leaderboards"),
        (["show", "tny"], 'unknown suite "tny"; did you mean "tiny"?'),
        (["show", "tiny", "mlp"], 'no submission "mlp" on tiny'),
        (["verify", "nowhere"], "nowhere holds no submission; name one"),
    ],
)
def test_mistakes(arguments: list[str], message: str, board: Path, capsys, monkeypatch) -> None:
    given = [word.replace("RUN", str(board)) for word in arguments]
    code, out, err = command(capsys, monkeypatch, *given)
    assert code == 2 and message in err and out == "" and "Traceback" not in err
    assert len(err.strip().splitlines()) == 1
    assert not list(Path().rglob("submission.json")) and not list(Path().rglob(".*partial"))


def test_a_run_with_other_seeds_is_not_a_submission(
    board: Path, trained, capsys, monkeypatch
) -> None:
    suite, _ = trained
    narrow = of_one_model(board, "fewer")
    shutil.rmtree(next(narrow.glob("*n8*")))
    fewer = suite.model_copy(update={"seeds": 4, "cells": suite.cells[:1]})
    train(fewer, narrow, "mlp width=16")
    code, _, err = submit(capsys, monkeypatch, "fewer")
    assert code == 2 and "has another hash" in err


def test_a_larger_budget_is_not_a_submission(board: Path, trained, capsys, monkeypatch) -> None:
    """`eval` takes what it needs from it; a board wants the evaluations that its budget plans."""
    suite, _ = trained
    run = of_one_model(board, "longer/tiny")
    shutil.rmtree(next(run.glob("*n10*")))
    longer = suite.cells[1].model_copy(update={"budget": 2 * suite.cells[1].budget})
    train(suite.model_copy(update={"cells": (longer,)}), run, "mlp width=16")
    code, _, err = submit(capsys, monkeypatch, "longer/tiny")
    assert code == 2 and "was run with a budget of 25,600" in err and "--no-resume" in err
    arguments = [
        "eval",
        "tiny",
        "--cell",
        "2",
        "--no-resume",
        "--model",
        "mlp width=16",
        "--device",
        "cpu",
    ]
    monkeypatch.setattr(sys, "argv", ["synthbench", *arguments, "--out", "longer"])
    with pytest.raises(SystemExit) as ended:
        main()
    assert ended.value.code == 0
    capsys.readouterr()
    code, out, err = submit(capsys, monkeypatch, "longer/tiny")
    assert code == 0 and "2 cells, checked" in out, err


def test_a_suite_may_be_run_cell_by_cell(board: Path, trained, capsys, monkeypatch) -> None:
    """Into one folder, by the command itself; the record is the whole suite's."""
    out = ["--model", "mlp width=16", "--device", "cpu", "--out", "parts"]
    for number in (2, 1):
        if number == 1:
            code, _, err = submit(capsys, monkeypatch, "parts/tiny")
            assert code == 2 and 'cell 1 ("sparse-parity n=8 k=2", budget 12,800) is missing' in err
        arguments = ["synthbench", "eval", "tiny", "--cell", str(number), *out]
        monkeypatch.setattr(sys, "argv", arguments)
        with pytest.raises(SystemExit) as ended:
            main()
        assert ended.value.code == 0
        capsys.readouterr()
    code, out, err = submit(capsys, monkeypatch, "parts/tiny")
    assert code == 0 and "2 cells, checked" in out, err


def test_submissions_travel_with_their_suite(board: Path, trained, capsys, monkeypatch) -> None:
    """What lies beside the suite file is on the board wherever the command is run."""
    suite, run = trained
    submit(capsys, monkeypatch, run, "-m", "mlp width=16", "--boards", suite.folder.parent)
    try:
        code, out, _ = command(capsys, monkeypatch, "show", "tiny")
        assert code == 0 and "mlp width=16" in out and "no submissions" not in out
        code, _, err = submit(capsys, monkeypatch, run, "-m", "mlp width=16")
        assert code == 2 and "is there already" in err
    finally:
        shutil.rmtree(suite.folder / "submissions")
    assert "no submissions yet" in command(capsys, monkeypatch, "show", "tiny")[1]


def test_verify_on_fresh_seeds(board: Path, trained, in_process, capsys, monkeypatch) -> None:
    """Written, checked again, and not replaced by another beacon's."""
    suite, _ = trained
    submit(capsys, monkeypatch, board, "-m", "mlp width=16")
    folder = HOME / "mlp-width-16"
    manifest = json.loads((folder / "submission.json").read_text())
    (folder / "submission.json").write_text(json.dumps(manifest | {"created": "2026-01-01"}))
    fresh = ("verify", folder, "--device", "cpu", "--fresh")
    code, _, err = command(capsys, monkeypatch, *fresh, "2025-12-31 lottery 1 2 3")
    assert code == 2 and "it must be younger" in err
    code, _, err = command(capsys, monkeypatch, *fresh, "2026-01-02 lottery 1 2 3", "--seeds", 5)
    assert code == 2 and "--seeds 5: fresh seeds are 6 or more" in err
    code, out, err = command(capsys, monkeypatch, *fresh, "2026-01-02 lottery 1 2 3")
    assert code == 0 and "written: " in out and "alike: p = " in out and "it holds" in out, err
    found = read_submission(folder, suite, expected_cells(suite)).fresh
    assert found is not None and (found.seeds, len(found.cells)) == (6, 2)
    ranked = read_submission(folder, suite, expected_cells(suite)).cells[0].record
    assert set(found.cells[0].data).isdisjoint(r.data for r in ranked.replicas)
    code, _, err = command(capsys, monkeypatch, *fresh, "2026-01-03 lottery 4 5 6")
    assert code == 2 and 'is of the beacon "2026-01-02 lottery 1 2 3"' in err
    code, out, _ = command(capsys, monkeypatch, "show", "tiny")
    assert code == 0 and "fresh" in out and max(map(len, out.splitlines())) <= 80
    # The same seeds again: the same bits. A time that was forged in between is not.
    again, train = [], on_fresh_seeds._train
    monkeypatch.setattr(on_fresh_seeds, "_train", lambda *of: again.extend(train(*of)) or again)
    code, out, _ = command(capsys, monkeypatch, *fresh, "2026-01-02 lottery 1 2 3")
    assert code == 0 and "6 seeds trained again, and the same" in out
    content = json.loads((folder / "fresh.json").read_text())
    own = content["cells"][0]["samples_to_target"]
    own[0] = 32 if own[0] != 32 else 64
    (folder / "fresh.json").write_text(json.dumps(content))
    monkeypatch.setattr(on_fresh_seeds, "_train", lambda *_: again)
    code, out, _ = command(capsys, monkeypatch, *fresh, "2026-01-02 lottery 1 2 3")
    assert code == 1 and "fresh seed 0 has another time to target, on the same" in out
