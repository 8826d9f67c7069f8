"""Study files whose references are wrong: the line is that of the field."""

from __future__ import annotations

from pathlib import Path

import pytest

import synthbench as sb
from synthbench.errors import SynthbenchError
from synthbench.evaluation.studies.reading import read_study_file

FILE = """\
tasks = ["sparse-parity n=8"]

[[models]]
name = "mlp"
width = [4, 8]
lr = "log(0.01..1,3)"

[[models]]
name = "mlp"
width = 8
"""


def test_a_file_is_a_study(tmp_path: Path) -> None:
    path = tmp_path / "rates.toml"
    path.write_text(FILE + '\n[protocol]\nseeds = 4\nbudget = ["1k", 2000]\n')
    study = sb.read_study(path)
    same = sb.Study(
        tasks="sparse-parity n=8",
        models=["mlp width=[4,8] lr=log(0.01..1,3)", "mlp width=8"],
        protocol={"seeds": 4, "budget": [1000, 2000]},
    )
    assert study.cells == same.cells and len(study.cells) == 12
    assert study.folder == Path("runs/rates")


def test_a_file_names_several_teachers(tmp_path: Path) -> None:
    path = tmp_path / "taught.toml"
    teachers = ["none", "mlp width=16@5,last"]
    path.write_text(f"teacher = {teachers}\ntemperature = 2\n{FILE}")
    told = {
        cell.teacher and (cell.teacher.at, cell.teacher.temperature)
        for cell in sb.read_study(path).cells
    }
    assert told == {None, ((5, "last"), 2.0)}
    assert read_study_file(path).teacher == tuple(teachers)


@pytest.mark.parametrize(
    ("old", "new", "line", "message"),
    [
        ("width = 8", "widht = 8", 10, 'models.widht: "mlp" has no field "widht"; did you mean'),
        ("width = 8", "width = 0", 10, 'models.width: "mlp" width = 0: input should be greater'),
        ("log(", "lgo(", 6, "models.lr: \"mlp\" lr = 'lgo(0.01..1,3)': input should be a valid"),
        ("log(0.01..1,3)", "log(0.01..1)", 6, 'models.lr: "mlp" lr = log(0.01..1): give a count'),
        (
            'name = "mlp"\nwidth = 8',
            'name = "mpl"\nwidth = 8',
            9,
            'models.name: unknown model "mpl"',
        ),
        ("n=8", "n=[2,8] k=3", 1, "tasks: 1 of the 2 tasks of"),
        ("tasks = ", "sparsity = 0.5\ntasks = ", 1, "sparsity: sparsity goes with mask; name one"),
        ("tasks = ", "mask = 'mlp'\ntasks = ", 1, "mask: mask needs sparsity, the share of"),
        ("tasks = ", "sparsity = []\nmask = 'mlp'\ntasks = ", 1, "sparsity: "),
        ("tasks = ", "keep_weights = 'x'\ntasks = ", 1, "keep_weights: keep_weights x: name last"),
        ("tasks = ", "suite = 'quickstrat'\ntasks = ", 1, 'suite: unknown suite "quickstrat"'),
        ("tasks = ", "probes = ['x']\ntasks = ", 1, 'probes: unknown probe "x"'),
    ],
)
def test_mistakes_name_their_line(old, new, line, message, tmp_path: Path) -> None:
    path = tmp_path / "rates.toml"
    path.write_text(FILE.replace(old, new))
    with pytest.raises(SynthbenchError) as caught:
        sb.read_study(path)
    assert str(caught.value).startswith(f"{path}:{line}: {message}"), str(caught.value)
