"""`synthbench tune`, as one types it."""

from __future__ import annotations

import json
import re
import shlex
from pathlib import Path

import pytest

from synthbench.cli.tune import _tuned_tasks
from synthbench.errors import ModelError, SubmissionError
from synthbench.leaderboard.submissions.submission import Submission
from synthbench.leaderboard.submissions.tuning_trials import count_trials
from synthbench.registry.registry import installed
from synthbench.results.results import read_results
from synthbench.tuning.record import CONFIRMED, TRIALS, read_tuning
from tests.cli.command import run_command
from tests.evaluation.failing import failing_where
from tests.leaderboard.trained import as_plugin, write_suite

SMALL = ("--budget", "12800", "--evaluation-samples", "256", "--compile", "never", "--workers", "0")
TASK = ("tune", "--task", "sparse-parity n=10 k=2")


@pytest.fixture
def suite(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    """A small suite of two cells, installed, and an empty folder to be in."""
    written = write_suite(tmp_path / "theirs" / "tiny")
    host = installed().host
    monkeypatch.setattr(host, "plugins", [*host.plugins, as_plugin(written)])
    monkeypatch.chdir(tmp_path)
    return written


def test_tuned_confirmed_and_submitted_from_one_folder(suite, capsys, monkeypatch) -> None:
    model = "mlp width=16 lr=[0.05,0.5]"
    tune = ("tune", "tiny", "--model", model, "--seeds", "4", "--confirm", "--workers", "0")
    code, out, err = run_command(capsys, monkeypatch, *tune, columns=80)
    assert code == 0, err
    assert "1 model x 2 tasks, 2 trials of 4 seeds each: 16 replicas" in out
    assert out.count("all 2 configurations of the search space were tried") == 2
    home = Path("runs/tune-tiny")
    # Two trials are no search to draw, which costs nothing else.
    assert "picture: none, NothingToDrawError: no model has 3 trials that differ" in out
    written = read_tuning(home)
    assert [search.cell for search in written.searches] == [1, 2]
    assert written.question.suite is not None and written.question.suite.name == "tiny"
    confirmed = read_results(home / CONFIRMED / "mlp")
    winners = [s.trials[s.ranking[0] - 1].model for s in written.searches]
    assert [cell.record.model for cell in confirmed] == winners
    for cell in confirmed:
        assert [r.seeds["init"] for r in cell.record.replicas] == list(range(suite.seeds))
    # The command that it prints is the one that makes a submission.
    line = next(line for line in out.splitlines() if line.startswith("  submit: "))
    command = shlex.split(line.removeprefix("  submit: "))[1:]
    command[command.index("NAME")] = "Ada"
    code, _, err = run_command(capsys, monkeypatch, *command, "--name", "ours", columns=200)
    assert code == 0, err
    text = Path("leaderboards/tiny/submissions/ours/submission.json").read_text()
    submission = Submission.model_validate_json(text)
    assert [trial.cell for trial in submission.trials].count(1) == 2
    assert [trial.cell for trial in submission.trials].count(2) == 2
    spent = [trial for search in written.searches for trial in search.trials]
    assert submission.tuning_samples == sum(trial.samples for trial in spent)
    assert submission.tuning_flops == sum(trial.flops for trial in spent)
    # A configuration at several budgets is one trial, and other architectures' are not its own.
    records = read_results(home / TRIALS)
    assert len({(r.record.task, r.record.model) for r in records}) == len(submission.trials)
    with pytest.raises(SubmissionError, match='nothing of the model "kan" was tried there'):
        count_trials([home], suite, "kan")


def test_two_models_are_compared_on_fresh_seeds(tmp_path: Path, capsys, monkeypatch) -> None:
    monkeypatch.chdir(tmp_path)
    models = (
        "--model",
        "mlp width=16 lr=log(0.05..1)",
        "--model",
        "mlp width=64 lr=log(0.005..0.1)",
    )
    flags = ("--trials", "3", "--seeds", "4", "--confirm", "--confirm-seeds", "8", "--out", "found")
    command = (*TASK, *models, *SMALL, *flags)
    code, out, err = run_command(capsys, monkeypatch, *command, columns=80)
    assert code == 0, err
    ends = re.findall(r"^(\d+) trials?, each to (\S+) samples$", err, re.MULTILINE)
    # A sixteenth of the budget, then more of it until the best is known.
    assert ends[0] == ("6", "800") and ends[1][1] == "1.60k"
    assert "On fresh seeds" in out and "ratio of medians" in out and "(corrected)" in out
    assert {path.name for path in Path("found/confirmed").iterdir()} == {"mlp", "mlp.2"}
    for name in ("mlp", "mlp.2"):
        (cell,) = read_results(Path("found/confirmed") / name)
        assert cell.record.protocol["first_seed"] == 0 and cell.record.protocol["seeds"] == 8
    assert Path("found/tuning-mlp.png").exists() and Path("found/tuning-mlp.2.png").exists()
    content = json.loads(Path("found/tuning.json").read_text())
    for search in content["searches"]:
        best = search["trials"][search["ranking"][0] - 1]
        assert f"best: {best['model']}, " in out
        for field, value in best["fields"].items():
            if field in search["edges"]:
                assert f"warning: {field}={value} lies at the" in out
    # What it says how to evaluate a winner is a command, which finds what was confirmed.
    line = next(line for line in out.splitlines() if line.startswith("  synthbench eval"))
    again = [*shlex.split(line)[1:], "--seeds", "8", "--out", "again", "--workers", "0"]
    code, _, err = run_command(capsys, monkeypatch, *again, columns=80)
    assert code == 0, err
    (cell,) = read_results("again")
    (confirmed,) = read_results("found/confirmed/mlp")
    assert cell.record.plan_hash == confirmed.record.plan_hash


def test_a_trial_that_fails_is_named_below_what_was_found(
    tmp_path: Path, capsys, monkeypatch
) -> None:
    monkeypatch.chdir(tmp_path)
    command = (*TASK, "--model", "mlp width=[6,8]", *SMALL, "--seeds", "2", "--out", "found")
    # One step, which is the whole budget: there is nothing to stop early.
    command = (*command, "--budget", "32")
    mistake = ModelError("it cannot be trained; make it wider")
    with failing_where(lambda cell: "width=6" in cell.model.label(), lambda: mistake):
        code, out, err = run_command(capsys, monkeypatch, *command, columns=100)
    assert code == 2 and "Traceback" not in err
    assert "2 trials of 2 seeds from" in out and "best: mlp width=8, " in out
    assert "warning: 1 trial failed" in out
    assert "1 of 2 trials failed, the others are finished:" in err
    assert '"mlp width=6" on "sparse-parity n=10 k=2": it cannot be trained' in err
    code, out, err = run_command(capsys, monkeypatch, *command, columns=100)
    assert code == 0 and "failed" not in out + err


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("tune",), "name a suite, or a task: synthbench tune quickstart --model"),
        (TASK, "say what to search: --model 'mlp lr=log"),
        (("tune", "quickstart", *TASK[1:]), "either a suite or --task, not both"),
        ((*TASK, "--cell", "1"), "--cell chooses cells of a suite"),
        (("tune", "quickstart", "-m", "mlp", "--cell", "2"), "there is no cell 2"),
        ((*TASK, "-m", "mlp", "--sampler", "tpee"), 'unknown sampler "tpee"; did you mean "tpe"?'),
        ((*TASK, "-m", "mlp", "--confirm-seeds", "4"), "--confirm-seeds goes with --confirm"),
        ((*TASK, "-m", "mlp lr=log(0.1..1)", "--sampler", "grid"), "which a grid needs"),
        (
            ("tune", "quickstart", "-m", "mlp", "--first-seed", "31"),
            '--first-seed 31: the seeds 0 to 31 are those that "quickstart" ranks; tune with 32',
        ),
        ((*TASK, "-m", "mlp", "--first-seed", "7"), "seeds 0 to 31 are those of the confirmation"),
        ((*TASK, "-m", "mlp widht=[1,2]"), 'has no field "widht"; did you mean "width"?'),
        ((*TASK, "-m", "mlp width=[0,2]"), "width"),
        ((*TASK, "-m", "mlp", "--budget", "5"), "is below one batch of 32"),
    ],
)
def test_mistakes_are_one_line(arguments, message, tmp_path, capsys, monkeypatch) -> None:
    monkeypatch.chdir(tmp_path)
    code, _, err = run_command(capsys, monkeypatch, *arguments, columns=200)
    assert code == 2 and message in err and "Traceback" not in err
    assert not list(tmp_path.rglob("record.json"))


def test_a_preset_says_what_is_trained_on_where_no_flag_does() -> None:
    tasks = ["sparse-parity merrill k=[2,3]", "sparse-parity n=9"]
    found = [(t.task.k, t.protocol.budget, t.protocol.train_samples) for t in
             _tuned_tasks(None, tasks, [], {})]  # fmt: skip
    assert found == [(2, 320_000, 1_000), (3, 320_000, 1_000), (3, 640_000, None)]
    (given,) = _tuned_tasks(None, ["sparse-parity merrill"], [], {"budget": 6_400})
    assert (given.protocol.budget, given.protocol.train_samples) == (6_400, 1_000)


def test_a_suite_whose_trials_would_be_too_many_says_so_first(
    suite, capsys, monkeypatch: pytest.MonkeyPatch
) -> None:
    def stop(*rest: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("synthbench.tuning.tune.evaluate_each", stop)
    command = ("tune", "tiny", "--model", "mlp lr=log(0.1..1)", "--trials", "3")
    code, out, err = run_command(capsys, monkeypatch, *command, columns=80)
    assert code == 130 and "the same command continues where it stopped" in err
    assert re.search(r'warning: "tiny" ranks models tuned with at most 2 trials', out)
