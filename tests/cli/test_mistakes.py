"""A user's mistake is one clear line, exit code 2, and nothing damaged."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from synthbench.cli.main import main
from tests.cli.command import run_command

TASK, MODEL = "sparse-parity n=8 k=2", "mlp width=4"
CELL = ["eval", "--task", TASK, "--model", MODEL, "--seeds", "2", "--budget", "640"]


def run(capsys: pytest.CaptureFixture, monkeypatch: pytest.MonkeyPatch, *arguments: str):
    return run_command(capsys, monkeypatch, *arguments, columns=200)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["eval", "quickstrat"], 'unknown suite "quickstrat"; did you mean "quickstart"?'),
        (
            ["eval", "markov"],
            '"markov" is a task, not a suite; write: synthbench eval --task markov --model '
            "transformer\n",
        ),
        (
            ["eval", "mlp"],
            '"mlp" is a model, not a suite; write: synthbench eval grokking-quick --model mlp\n',
        ),
        (["eval", "weight-movement"], "write: synthbench eval SUITE --probe weight-movement"),
        (["eval", "muon"], '"muon" is an optimizer, not a suite'),
        (["eval", "wandb"], "write: synthbench eval SUITE --tracker wandb"),
        (["eval", "--task", "quickstart", "--model", "mlp"], "write: synthbench eval quickstart"),
        (
            ["eval", "quickstart", "--model", "markov"],
            '"markov" is a task, not a model (synthbench',
        ),
        (["eval"], "name a suite, or a task and a model"),
        (["eval", "--task", TASK], "name a suite, or a task and a model"),
        (["eval", "quickstart", "--task", TASK], "either a suite or --task, not both"),
        (["eval", "quickstart", "--model", "mpl"], 'unknown model "mpl"; did you mean "mlp"?'),
        ([*CELL, "--task", "sparse-partiy"], 'did you mean "sparse-parity"?'),
        ([*CELL, "--task", "sparse-parity n=-1"], "n = -1: input should be greater than or equal"),
        ([*CELL, "--task", "sparse-parity n=4 k=9"], "k must be at most n=4, got 9"),
        ([*CELL, "--model", "mlp loss=hing"], 'no loss "hing" (losses: hinge, logistic'),
        ([*CELL, "--probe", "weight-move"], 'did you mean "weight-movement"?'),
        ([*CELL, "--first-seed", str(2**64 - 1)], "seeds must be below 2^64"),
        ([*CELL, "--task", "sparse-parity n=8 noise=0.49"], "raise evaluation_samples"),
        ([*CELL, "--budget", "10"], "budget = 10 samples is below one batch of 32"),
        ([*CELL, "--precision", "16-mixed"], "--precision 16-mixed: input should be"),
        ([*CELL, "--until", "never"], "--until never: input should be 'solved' or 'budget'"),
        ([*CELL, "--accelerator", "abacus"], 'accelerator "abacus" cannot be used'),
        ([*CELL, "--accelerator", "cuda"], 'accelerator "cuda" cannot be used'),
        (
            ["show", "sparse-partiy"],
            'nothing is called "sparse-partiy"; did you mean "sparse-parity"?',
        ),
        (["show", "lrr"], 'nothing is called "lrr"; did you mean "lr"?'),
        (["show", "adamx"], 'did you mean "adam'),
        (["show", ""], "a reference must begin with a name"),
        (["show", "sparse-parity smal"], 'did you mean "small"?'),
        (["show", "mlp widt=3"], 'did you mean "width"?'),
        (["eval", "quickstart", "--cell", "2"], "has cells 1 to 1, there is no cell 2"),
        ([*CELL, "--cell", "1"], "--cell chooses cells of a suite; name one"),
        ([*CELL, "--initializations", "3"], "must be initializations = 3 times the number"),
        (["plot", "nowhere"], "no finished cell in nowhere; name a folder"),
        (["metrics", "nowhere"], "no finished cell in nowhere; name a folder"),
        (
            ["plot", "nowhere", "-k", "survival", "--against", "n"],
            "x goes with the kind heatmap or scaling, not with survival",
        ),
    ],
)
def test_mistakes(
    arguments: list[str],
    message: str,
    tmp_path: Path,
    capsys: pytest.CaptureFixture,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    if "cuda" in arguments:
        monkeypatch.setattr("torch.cuda.is_available", lambda: False)
    monkeypatch.chdir(tmp_path)
    code, out, err = run(capsys, monkeypatch, *arguments)
    assert code == 2
    assert message in err
    assert out == "" and "Traceback" not in err
    assert len([line for line in err.strip().splitlines() if not line.startswith("note: ")]) == 1
    assert not list(tmp_path.rglob("record.json"))


@pytest.mark.parametrize(
    "arguments",
    [
        ["--seeds", "0"],
        ["--seeds", "many"],
        ["--budget", "lots"],
        ["--budget", "0.5"],
        ["--budget", "inf"],
        ["--budget", "1e999"],
        ["--budget", "[20k,40k"],
        ["--budget", "log(500..16000)"],
        ["--seeds", "[8,16]"],
    ],
)
def test_bad_numbers_are_refused(
    arguments: list[str], capsys: pytest.CaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    code, _, err = run(capsys, monkeypatch, *CELL, *arguments)
    assert code == 2 and "Traceback" not in err and arguments[0] in err


def test_what_cannot_be_read_is_not_half_shown(
    capsys: pytest.CaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    for reference in ("sparse-parity n=2 k=3", "mlp small"):
        assert run(capsys, monkeypatch, "show", reference)[:2] == (2, "")


def test_an_unwritable_out(
    tmp_path: Path, capsys: pytest.CaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    # A file where a folder is wanted: unwritable for root too.
    (tmp_path / "file").write_text("precious")
    code, _, err = run(capsys, monkeypatch, *CELL, "--out", str(tmp_path / "file" / "runs"))
    assert code == 2 and "cannot write to" in err and "choose another folder" in err
    assert (tmp_path / "file").read_text() == "precious"


def test_a_corrupt_record(
    tmp_path: Path, capsys: pytest.CaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    arguments = [*CELL, "--device", "cpu", "--out", str(tmp_path)]
    monkeypatch.setattr(sys, "argv", ["synthbench", *arguments])
    main_exits_with_zero(capsys)
    (record,) = tmp_path.rglob("record.json")
    record.write_text(record.read_text()[:100])
    code, _, err = run(capsys, monkeypatch, *arguments)
    assert code == 2 and "is not valid JSON" in err and "--no-resume" in err
    assert len(record.read_text()) == 100
    monkeypatch.setattr(sys, "argv", ["synthbench", *arguments, "--no-resume"])
    main_exits_with_zero(capsys)
    assert len(record.read_text()) > 1000


def main_exits_with_zero(capsys: pytest.CaptureFixture) -> str:
    with pytest.raises(SystemExit) as ended:
        main()
    captured = capsys.readouterr()
    assert ended.value.code == 0, captured.err
    return captured.out
