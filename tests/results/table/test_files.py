"""Tables as other programs read them: exact, strict, escaped."""

from __future__ import annotations

import csv
import json
import re
from io import BytesIO, StringIO
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from synthbench.errors import NothingToShowError
from synthbench.results.measured_cell import MeasuredCell
from synthbench.results.table.chosen_table import CONTENTS, ChosenTable, chosen_table
from synthbench.results.table.files import latex_text
from synthbench.results.table.frame import FrameOptions
from synthbench.results.table.selection import Selection
from synthbench.results.table.text_table import TextTable, text_column
from tests.results.planned import Planned, planned_cells


@pytest.fixture
def cells(tmp_path: Path) -> list[MeasuredCell]:
    return planned_cells(
        tmp_path,
        Planned("mlp width=100", protocol={"train_samples": 500}),
        Planned("mlp width=3", model={"width": 3}, recipe={"clip": "auto"}, speed=0.01),
        Planned("mlp width=3 clip=1", model={"width": 3}, recipe={"clip": 1.0}, speed=0.1),
    )


@pytest.fixture
def table(cells: list[MeasuredCell]) -> ChosenTable:
    return chosen_table(cells, FrameOptions(), Selection())


def text(table: ChosenTable, shape: str) -> str:
    return CONTENTS[shape](table).decode()


def test_csv_has_the_frame_to_the_last_digit(table: ChosenTable) -> None:
    read = pd.read_csv(StringIO(text(table, "csv")), float_precision="round_trip")
    assert list(read.columns) == list(table.wanted.columns)
    for name in ("samples_to_target", "regret", "regret_low", "completion", "random_search_cv"):
        assert np.array_equal(read[name], table.frame[name], equal_nan=True), name
    first, second, _ = csv.DictReader(StringIO(text(table, "csv")))
    assert (first["train_samples"], second["train_samples"]) == ("500", ""), "not 500.0, not nan"
    assert (first["clip"], second["clip"], second["samples_to_target"]) == ("", "auto", "")


def test_json_is_strict(table: ChosenTable) -> None:
    def refuse(word: str) -> None:
        raise AssertionError(word)

    rows = json.loads(text(table, "json"), parse_constant=refuse)
    assert [list(row) for row in rows] == [list(table.wanted.columns)] * 3
    assert rows[1]["samples_to_target"] is None and rows[1]["train_samples"] is None
    assert rows[0]["train_samples"] == 500 and isinstance(rows[0]["solved"], int)
    assert rows[0]["regret"] == table.frame["regret"][0]


def test_curves_and_booleans_are_written(cells: list[MeasuredCell]) -> None:
    table = chosen_table(cells, FrameOptions("evaluation"), Selection(where="step < 3"))
    rows = json.loads(text(table, "json"))
    assert len(rows[0]["excess"]) == 6 and rows[0]["excess"][-1] is None
    first = next(csv.DictReader(StringIO(text(table, "csv"))))
    assert json.loads(first["excess"]) == rows[0]["excess"]
    replicas = chosen_table(cells, FrameOptions("replica"), Selection(columns=("censored",)))
    assert json.loads(text(replicas, "json"))[0] == {"censored": False}


@pytest.mark.parametrize("per", ["configuration", "replica", "evaluation"])
def test_parquet_is_read_back(cells: list[MeasuredCell], per: str) -> None:
    table = chosen_table(cells, FrameOptions(per), Selection())
    read = pd.read_parquet(BytesIO(CONTENTS["parquet"](table)))
    assert list(read.columns) == list(table.wanted.columns) and len(read) == len(table.frame)
    # Numbers and words in one column are texts there.
    assert set(read["clip"].dropna()) == {"auto", "1.0"}


def test_no_rows_are_a_heading_alone(cells: list[MeasuredCell]) -> None:
    table = chosen_table(cells, FrameOptions(), Selection(where="n > 99"))
    assert text(table, "csv") == ",".join(table.columns) + "\n" and text(table, "json") == "[]\n"
    for shape in ("latex", "table"):
        with pytest.raises(NothingToShowError, match="no row meets the condition"):
            text(table, shape)


def test_latex_has_booktabs_rules_and_intervals(table: ChosenTable) -> None:
    written = text(table, "latex")
    assert written.startswith("% mlp on synthetic n=10; 8 replicas, budget 64k samples; intervals")
    assert all(rf"\{rule}" in written for rule in ("toprule", "midrule", "bottomrule"))
    rows = [line for line in written.splitlines() if line.endswith(r"\\")]
    heading, first, second, _ = ([part.strip() for part in row[:-2].split("&")] for row in rows)
    assert heading == ["width", "clip", r"train\_samples", "solved", "samples to target",
                       "restricted mean", "regret"]  # fmt: skip
    assert first[:4] == ["100", "none", "500", "8/8"], "of its recipe, which others say"
    assert re.fullmatch(r"[\d.]+k \[[\d.]+k, [\d.]+k\]", first[4])
    assert second[3:5] == ["0/8", r"$>$ 64k"]
    assert re.search(r"begin\{tabular\}\{rlrrrrr\}", written)


def test_latex_escapes_what_strangers_have_named() -> None:
    hostile = r"\input{x} 5% $a_b^c$ {d} ~#&"
    column = text_column(hostile, [hostile], number=False)
    written = latex_text(TextTable((column,), (), title="a\nb\\end"))
    body = written[written.index("toprule") :]
    assert r"\input{" not in body and "\n% \\usepackage" in written
    assert written.startswith("% a b\\end; ")
    # Every special character is behind a backslash or in a command of its own.
    assert not re.search(r"(?<!\\)[%$_#]", body.replace("$>$", ""))
    assert body.count("&") == body.count(r"\&") == 2


def test_named_columns_have_the_intervals_with_them(cells: list[MeasuredCell]) -> None:
    selection = Selection(columns=("model", "regret", "solved"))
    written = text(chosen_table(cells, FrameOptions(), selection), "table")
    heading, _, first, *_ = written.splitlines()
    assert heading.split() == ["model", "regret", "solved"]
    assert re.match(r"mlp width=100 +0\.\d+ \[0\.\d+, 0\.\d+\] +8/8$", first)
