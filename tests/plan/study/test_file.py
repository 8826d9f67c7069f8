"""What a study file holds, and which line is wrong with it."""

from __future__ import annotations

from pathlib import Path

import pytest

from synthbench.errors import ConfigurationError
from synthbench.plan.study.file import StudyFile, parse_study, study_toml
from synthbench.plan.study.toml_source import TomlSource


def read(tmp_path: Path, text: str) -> StudyFile:
    path = tmp_path / "rates.toml"
    path.write_text(text, encoding="utf-8")
    return parse_study(TomlSource.read(path))


def test_entries_are_references_or_tables(tmp_path: Path) -> None:
    file = read(
        tmp_path,
        """
        tasks = "sparse-parity n=[20,30] k=3"
        probes = ["weight-movement"]
        keep_weights = [0, 500]

        [[models]]
        name = "mlp"
        width = [50, 100]
        lr = "log(0.01..1,7)"

        [[models]]
        name = "mlp"
        optimizer = { name = "muon", momentum = 0.9 }

        [protocol]
        budget = ["20k", 40_000]
        train_samples = "log(500..16000,6)"
        seeds = 16
        """,
    )
    assert file == StudyFile(
        name="rates",
        tasks=("sparse-parity n=[20,30] k=3",),
        models=(
            "mlp width=[50,100] lr=log(0.01..1,7)",
            "mlp optimizer=muon optimizer.momentum=0.9",
        ),
        probes=("weight-movement",),
        protocol={"budget": "[20k,40000]", "train_samples": "log(500..16000,6)", "seeds": "16"},
        keep_weights=(0, 500),
    )


def test_its_name_is_its_own_or_that_of_the_file(tmp_path: Path) -> None:
    assert read(tmp_path, "").name == "rates"
    assert read(tmp_path, 'name = "other"').name == "other"
    (tmp_path / "two words.v2.toml").touch()
    assert parse_study(TomlSource.read(tmp_path / "two words.v2.toml")).name == "two words.v2"


def test_flags_go_before_the_file_field_by_field() -> None:
    file = StudyFile(name="x", tasks=("a",), models=("b",), protocol={"seeds": "8", "budget": "9"})
    changed = file.changed({"models": ["c"], "protocol": {"budget": "[1,2]"}})
    assert changed == StudyFile(
        name="x", tasks=("a",), models=("c",), protocol={"seeds": "8", "budget": "[1,2]"}
    )


def test_what_is_written_is_what_was_given(tmp_path: Path) -> None:
    file = StudyFile(
        name="rates",
        tasks=("sparse-parity n=[20,30]", """a title='it''s "so"' """),
        cells=(1, 3),
        protocol={"budget": "[20k,40k]", "resolution": "[0.05,1]", "seeds": "8"},
        sparsity=0.5,
        keep_weights="last",
    )
    text = study_toml(file)
    assert read(tmp_path, text) == file
    assert "resolution = [0.05, 1]" in text and "seeds = 8\n" in text and "models" not in text


@pytest.mark.parametrize(
    ("text", "line", "message"),
    [
        ("\nname = \n", 2, "this is not TOML: invalid value"),
        ("\nmodles = []\n", 2, 'modles: a study has no such key; did you mean "models"? (keys: '),
        ('a = 1\nname = "../x"', 1, "a: a study has no such key (keys:"),
        ('\nname = "../x"', 2, "name: '../x' cannot be the name of a folder"),
        ('tasks = [\n "a",\n {n = 3},\n]', 3, "tasks: a table needs a name"),
        ("[[models]]\n\nname = 3\n", 1, "models: a table needs a name"),
        ("cells = [1,\n 0]", 2, "cells: input should be greater than or equal to 1"),
        (
            "[protocol]\nseeds = 8\nbudgt = 3",
            3,
            "protocol.budgt: a protocol has no such field; did",
        ),
        ("[protocol]\nbudget = ['20k',\n 'x']", 2, "protocol.budget: 'x' is not a number of sam"),
        ("[protocol]\nseeds = [1, 2]", 2, "protocol.seeds: one number is expected"),
        ("[protocol]\nuntil = 2020-01-01", 2, "protocol.until: datetime.date(2020, 1, 1) is no"),
        ("protocol = 3", 1, "protocol: input should be a valid dictionary"),
        ("keep_weights = 0.5", 1, "keep_weights: input should be a valid string"),
        ("sparsity = 'x'", 1, "sparsity: input should be a valid number"),
    ],
)
def test_mistakes_name_their_line(text, line, message, tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError) as caught:
        read(tmp_path, text)
    place = f"{tmp_path / 'rates.toml'}:{line}: "
    assert str(caught.value).startswith(f"{place}{message}"), str(caught.value)


def test_a_file_that_cannot_be_read(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match=r"cannot read .*: No such file"):
        TomlSource.read(tmp_path / "nothing.toml")
    (tmp_path / "latin.toml").write_bytes(b'name = "\xe9"')
    with pytest.raises(ConfigurationError, match="it is not text in UTF-8"):
        TomlSource.read(tmp_path / "latin.toml")
