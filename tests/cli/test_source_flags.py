"""`synthbench eval` with --keep-weights, --teacher, --start and --mask."""

from __future__ import annotations

from pathlib import Path

import pytest
from safetensors.torch import load_file

import synthbench as sb
from synthbench.errors import ConfigurationError
from synthbench.evaluation.source_references import split_moments
from synthbench.evaluation.studies.reading import parse_keep_weights
from tests.cli.command import run_command

CELL = [
    "eval", "--task", "sparse-parity n=8 k=2", "--model", "mlp width=4 batch_size=16",
    "--seeds", "2", "--budget", "640", "--evaluation-samples", "128", "--device", "cpu",
    "--replicas-per-block", "2",
]  # fmt: skip
SOURCE = "mlp width=4 batch_size=16 lr=0.05"


def run(capsys, monkeypatch, *arguments: str):
    return run_command(capsys, monkeypatch, *arguments, columns=300)


@pytest.mark.parametrize(
    ("text", "kept"),
    [(None, False), ("last", "last"), ("all", "all"), ("500", (500,)), ("0, 500,7", (0, 500, 7))],
)
def test_keep_weights(text, kept) -> None:
    assert parse_keep_weights(text) == kept


@pytest.mark.parametrize("text", ["", "first", "1,last", "-3", "1.5", "1,,2"])
def test_keep_weights_refuses_other_words(text: str) -> None:
    with pytest.raises(ConfigurationError, match="name last, all or optimizer steps such as"):
        parse_keep_weights(text or " ")


@pytest.mark.parametrize(
    ("text", "parts"),
    [
        ("mlp width=200@500,last", ("mlp width=200", (500, "last"))),
        ("mlp", ("mlp", ("last",))),
        ("runs/a@b/cell@0", ("runs/a@b/cell", (0,))),
        ("runs/a@b/cell", ("runs/a@b/cell", ("last",))),
        ("mlp@500,", ("mlp@500,", ("last",))),
    ],
)
def test_moments_stand_after_the_last_at_sign(text, parts) -> None:
    assert split_moments(text) == parts


def test_a_lottery_ticket_with_a_teacher(capsys, monkeypatch, tmp_path: Path) -> None:
    flags = [
        "--start", f"{SOURCE}@10", "--mask", SOURCE, "--sparsity", "0.5", "--mask-scope", "layer",
        "--teacher", f"{SOURCE}@10,last", "--temperature", "2", "--hard", "0.25",
        "--keep-weights", "0", "--out", str(tmp_path),
    ]  # fmt: skip
    code, _, errors = run(capsys, monkeypatch, *CELL, *flags)
    assert code == 0, errors
    assert "on whose weights others stand" in errors and "[1/2]" in errors and "[2/2]" in errors
    source, ticket = sb.read_results(tmp_path)
    assert source.record.model == SOURCE.replace("batch_size=16 lr=0.05", "lr=0.05 batch_size=16")
    plan = ticket.record.plan
    assert plan["teacher"]["at"] == [10, "last"] and plan["teacher"]["temperature"] == 2
    assert plan["start"]["at"] == 10 and plan["mask"]["scope"] == "layer"
    assert ticket.record.sources.keys() == {"teacher", "start", "mask"}
    on = f"({source.record.model})"
    assert ticket.record.model.endswith(
        f"teacher={on}@10,last temperature=2 hard=0.25 start={on}@10 mask={on}@last-0.5-layer"
    )
    first = load_file(ticket.folder / "checkpoints.safetensors")["0/hidden.0.weight"]
    assert (first == 0).sum(dim=(1, 2)).tolist() == [16, 16]
    folder = str(source.folder)
    code, _, errors = run(
        capsys, monkeypatch, *CELL, "--start", f"{folder}@10", "--out", str(tmp_path / "b")
    )
    assert code == 0 and len(errors.splitlines()) == 1 and "finished, " in errors, errors


@pytest.mark.parametrize(
    ("flags", "message"),
    [
        (["--mask", SOURCE], "--mask needs --sparsity"),
        (["--sparsity", "0.5"], "--sparsity goes with --mask; name one"),
        (["--temperature", "2"], "--temperature goes with --teacher; name one"),
        (["--mask", SOURCE, "--sparsity", "1"], "sparsity must be at least 0 and below 1"),
        (["--mask", SOURCE, "--sparsity", ".5", "--mask-scope", "row"], "must be global or layer"),
        (["--start", f"{SOURCE}@1,2"], "start takes one step or last, got 2"),
        (["--start", f"{SOURCE}@99"], "start at step 99 is beyond the 40 steps"),
        (["--start", "mpl@1"], 'unknown model "mpl"; did you mean "mlp"?'),
        (["--start", "."], "no finished cell in ."),
        (["--keep-weights", "some"], "--keep-weights some: name last, all or optimizer steps"),
    ],
)
def test_mistakes_are_one_line(flags, message, capsys, monkeypatch, tmp_path: Path) -> None:
    monkeypatch.chdir(tmp_path)
    code, _, errors = run(capsys, monkeypatch, *CELL, *flags, "--out", str(tmp_path / "runs"))
    assert code == 2 and message in errors and errors.strip().count("\n") == 0
    assert not list(tmp_path.rglob("record.json"))
