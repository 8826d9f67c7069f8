"""Records: what is written, what is read back, what is refused."""

from __future__ import annotations

import json
import shutil
from dataclasses import replace
from pathlib import Path

import datasets
import pyarrow.parquet as pq
import pytest
from safetensors.torch import load_file

import synthbench as sb
from synthbench.errors import RecordError
from synthbench.hashing import content_hash
from synthbench.plan.cell import Cell
from synthbench.records.schema import Record
from synthbench.registry.kinds import MODEL
from synthbench.registry.registry import installed
from tests.engine.authored import Plain


@pytest.fixture
def result(small_result: sb.CellResult, out: Path) -> sb.CellResult:
    """What training returned, in a folder that may be damaged."""
    folder = shutil.copytree(small_result.folder, out / small_result.folder.name)
    return replace(small_result, measured=replace(small_result.measured, folder=Path(folder)))


def test_a_record_reads_back_as_it_was_written(result: sb.CellResult, small_cell: Cell) -> None:
    record = sb.read_record(result.folder)
    assert record == result.record
    assert record.plan == small_cell.plan()
    assert record.plan_hash == content_hash(record.plan) == small_cell.plan_hash()
    assert {p.plugin for p in record.environment.plugins} == {"parity", "mlp"}
    rebuilt = installed().rebuild(MODEL, record.plan["model"])
    assert rebuilt == small_cell.model
    assert sorted(p.name for p in result.folder.iterdir() if not p.name.startswith(".")) == [
        "learning_curves.png",
        "record.json",
        "trajectories.parquet",
    ]


def test_trajectories_load_with_pandas_and_datasets(result: sb.CellResult, tmp_path: Path) -> None:
    path = result.folder / "trajectories.parquet"
    frame = result.trajectories.to_pandas()
    loaded = datasets.load_dataset(
        "parquet", data_files=str(path), split="train", cache_dir=str(tmp_path / "cache")
    )
    assert loaded.column_names == list(frame.columns)
    assert loaded["accuracy"][:] == frame["accuracy"].tolist()
    assert (frame.groupby("replica").step.diff().dropna() > 0).all()
    assert (frame.samples == 32 * frame.step).all()


def test_an_identical_cell_is_not_trained_twice(
    result: sb.CellResult, small_cell: Cell, out: Path, settings: sb.Settings
) -> None:
    before = {p: p.stat().st_mtime_ns for p in result.folder.iterdir()}
    again = sb.evaluate_cells([small_cell], out, settings)[0]
    assert again.reused and again.record == result.record
    assert {p: p.stat().st_mtime_ns for p in before} == before


def test_a_changed_plan_is_another_cell(small_cell: Cell) -> None:
    changed = [
        replace(small_cell, protocol=small_cell.protocol.model_copy(update={"seeds": 7})),
        replace(small_cell, task=small_cell.task.model_copy(update={"noise": 0.1})),
        replace(small_cell, model=installed().model("mlp width=16 lr=0.05")),
        replace(small_cell, probes=(installed().probe("weight-movement"),)),
    ]
    cells = [small_cell, *changed]
    assert len({c.plan_hash() for c in cells}) == 5
    # More seeds of the same configuration go where the others are.
    assert len({c.folder_name() for c in cells}) == 4


@pytest.fixture(scope="module")
def brief_result(
    ten_steps: Cell, settings: sb.Settings, tmp_path_factory: pytest.TempPathFactory
) -> sb.CellResult:
    """Its folder is only read."""
    return sb.evaluate_cells([ten_steps], tmp_path_factory.mktemp("brief"), settings)[0]


def test_training_again_gives_the_same_trajectories(
    ten_steps: Cell, brief_result: sb.CellResult, out: Path, settings: sb.Settings
) -> None:
    folder = Path(shutil.copytree(brief_result.folder, out / brief_result.folder.name))
    first = (folder / "trajectories.parquet").read_bytes()
    again = sb.evaluate_cells([ten_steps], out, replace(settings, resume=False))[0]
    assert not again.reused and again.folder == folder
    assert (folder / "trajectories.parquet").read_bytes() == first


def test_weights_are_kept_when_asked(
    ten_steps: Cell, brief_result: sb.CellResult, out: Path, settings: sb.Settings
) -> None:
    shutil.copytree(brief_result.folder.parent, out)
    kept = sb.evaluate_cells([ten_steps], out, replace(settings, keep_weights=True))[0]
    assert not kept.reused, "the earlier record has no weights"
    weights = load_file(kept.folder / "weights.safetensors")
    assert weights["hidden.0.weight"].shape == (6, 16, 10)
    assert weights["hidden.0.weight"].abs().sum(dim=(1, 2)).min() > 0
    # Of those that have not solved the task, also where they stand.
    assert sb.read_record(kept.folder).files.keys() == {
        "trajectories.parquet",
        "weights.safetensors",
        "state.safetensors",
    }


def test_probes_become_columns(small_cell: Cell, out: Path, settings: sb.Settings) -> None:
    coarse = small_cell.protocol.model_copy(update={"budget": 6_400, "resolution": 0.5})
    probes = (installed().probe("weight-movement"),)
    cell = replace(small_cell, probes=probes, protocol=coarse)
    frame = sb.evaluate_cells([cell], out, settings)[0].trajectories.to_pandas()
    moved = frame.groupby("replica")["weight-movement/linf"]
    assert (moved.first() == 0).all()
    assert (moved.last() > 0.1).all()
    assert (frame["weight-movement/l2"] >= frame["weight-movement/linf"]).all()


def edit(path: Path, change) -> None:
    content = json.loads(path.read_text())
    change(content)
    path.write_text(json.dumps(content))


CORRUPTIONS = {
    "not json": (lambda f: f.write_text("{"), "is not valid JSON"),
    "not an object": (lambda f: f.write_text("[1]"), "schema version None"),
    "binary": (lambda f: f.write_bytes(b"\xff\xfe\x00"), "is not valid JSON"),
    "future version": (lambda f: edit(f, lambda c: c.update(schema_version=3)), "schema version 3"),
    "missing part": (lambda f: edit(f, lambda c: c.pop("summary")), "summary: field required"),
    "unknown part": (lambda f: edit(f, lambda c: c.update(extra=1)), "extra: extra inputs"),
    "NaN": (lambda f: edit(f, lambda c: c["compute"].update(wall_seconds=float("nan"))), "finite"),
    "edited plan": (
        lambda f: edit(f, lambda c: c["plan"]["protocol"].update(budget=1)),
        "plan_hash does not match",
    ),
    "NaN in the plan": (
        lambda f: edit(f, lambda c: c["plan"]["protocol"].update(budget=float("nan"))),
        "plan_hash does not match",
    ),
    "path": (lambda f: edit(f, lambda c: c["files"].update({"../x": "0"})), "unexpected file"),
    "no data": (lambda f: edit(f, lambda c: c.update(files={})), "does not list trajectories"),
    "edited data": (
        lambda f: (f.parent / "trajectories.parquet").write_bytes(b"PAR1"),
        "does not match its hash",
    ),
    "edited outcome": (
        lambda f: edit(f, lambda c: c["replicas"][0].update(outcome="censored")),
        "was changed after it was written",
    ),
    "edited summary": (
        lambda f: edit(f, lambda c: c["summary"]["samples_to_target"].update(value=32.0)),
        "was changed after it was written",
    ),
    "edited environment": (
        lambda f: edit(f, lambda c: c["environment"].update(torch="9.9")),
        "was changed after it was written",
    ),
    "another hash": (
        lambda f: edit(f, lambda c: c.update(content_hash="0" * 64)),
        "was changed after it was written",
    ),
    "no hash": (lambda f: edit(f, lambda c: c.update(content_hash="")), "content_hash: "),
    "lost data": (lambda f: (f.parent / "trajectories.parquet").unlink(), "No such file"),
}


@pytest.mark.parametrize("corruption", CORRUPTIONS)
def test_a_corrupt_record_is_refused_in_one_line_and_left_alone(
    corruption: str, result: sb.CellResult, small_cell: Cell, out: Path, settings: sb.Settings
) -> None:
    change, message = CORRUPTIONS[corruption]
    change(result.folder / "record.json")
    content = (result.folder / "record.json").read_bytes()
    with pytest.raises(RecordError) as caught:
        sb.evaluate_cells([small_cell], out, settings)
    assert message in str(caught.value) and "\n" not in str(caught.value)
    assert (result.folder / "record.json").read_bytes() == content


def test_a_record_of_an_earlier_version_has_no_hash_and_is_read(result: sb.CellResult) -> None:
    edit(result.folder / "record.json", lambda content: content.pop("content_hash"))
    assert sb.read_record(result.folder) == result.record


def test_every_flipped_bit_of_a_record_is_found(result: sb.CellResult) -> None:
    path = result.folder / "record.json"
    content = path.read_bytes()
    for place in range(0, len(content), 41):
        damaged = bytearray(content)
        damaged[place] ^= 1 << place % 8
        path.write_bytes(damaged)
        with pytest.raises(RecordError):
            sb.read_record(result.folder)


def test_the_published_schema_is_the_code(request: pytest.FixtureRequest) -> None:
    path = request.config.rootpath / "docs" / "record.schema.json"
    assert json.loads(path.read_text()) == Record.model_json_schema(), (
        "write it anew, as CONTRIBUTING.md says"
    )


def test_parquet_metadata_holds_nothing_of_the_machine(result: sb.CellResult) -> None:
    assert pq.read_schema(result.folder / "trajectories.parquet").metadata is None


def test_a_class_that_no_plugin_provides_is_trained_anew(
    ten_steps: Cell, out: Path, settings: sb.Settings
) -> None:
    cell = replace(ten_steps, model=Plain())
    first = sb.evaluate_cells([cell], out, settings)[0]
    again = sb.evaluate_cells([cell], out, settings)[0]
    assert not first.reused and not again.reused, "its code may have changed in between"
