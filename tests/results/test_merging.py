"""Folders of several machines become one, with the numbers of a single training."""

from __future__ import annotations

import hashlib
import shutil
import sys
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import torch
from safetensors.torch import load_file

import synthbench as sb
from synthbench.cli.main import main
from synthbench.plan.cell import Cell
from synthbench.records import Record, read_record
from synthbench.records.content import record_bytes
from synthbench.registry.registry import installed
from synthbench.results.merging import Merged, merge

SETTINGS = sb.Settings(sb.TrainerOptions("cpu"), keep_weights=(0,))


def cell(first_seed: int, seeds: int, budget: int = 2_560) -> Cell:
    return Cell(
        installed().task("sparse-parity n=10 k=2"),
        installed().model("mlp width=16"),
        sb.Protocol(budget=budget, seeds=seeds, first_seed=first_seed, evaluation_samples=256),
    )


def evaluate(out: Path, *cells: Cell) -> Path:
    for each in cells:
        sb.evaluate_cells([each], out, SETTINGS)
    return out


@pytest.fixture(scope="module")
def machines(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """Seeds 0 to 3 on one, 2 to 6 on the other."""
    root = tmp_path_factory.mktemp("machines")
    return evaluate(root / "a", cell(0, 4)), evaluate(root / "b", cell(2, 5))


@pytest.fixture(scope="module")
def fresh(tmp_path_factory: pytest.TempPathFactory) -> sb.CellResult:
    return sb.evaluate_cells([cell(0, 7)], tmp_path_factory.mktemp("fresh"), SETTINGS)[0]


def changed(folder: Path, column: str, row: int, value: float) -> Record:
    """The one cell in a folder, with another number in its table and right hashes."""
    (path,) = folder.glob("*/trajectories.parquet")
    table = pq.read_table(path)
    values = table[column].to_pylist()
    values[row] = value
    place = table.schema.get_field_index(column)
    pq.write_table(table.set_column(place, column, pa.array(values)), path)
    record = read_damaged(path.parent)
    files = {**record.files, path.name: hashlib.sha256(path.read_bytes()).hexdigest()}
    record = record.model_copy(update={"files": files})
    (path.parent / "record.json").write_bytes(record_bytes(record))
    return record


def read_damaged(folder: Path) -> Record:
    return Record.model_validate_json((folder / "record.json").read_text())


def test_seeds_that_follow_one_another_make_one_cell(
    machines: tuple[Path, Path], fresh: sb.CellResult, tmp_path: Path
) -> None:
    assert merge(machines, tmp_path / "c") == Merged(0, 1, 0, ())
    (merged,) = sb.read_results(tmp_path / "c")
    assert merged.measured.trajectories.table.equals(fresh.measured.trajectories.table)
    for name in ("plan", "plan_hash", "replicas", "summary", "earlier"):
        assert getattr(merged.record, name) == getattr(fresh.record, name)
    assert merged.record.compute.replica_steps == fresh.record.compute.replica_steps
    for name in ("weights.safetensors", "checkpoints.safetensors"):
        one, other = load_file(merged.folder / name), load_file(fresh.folder / name)
        assert one.keys() == other.keys()
        assert all(torch.equal(one[key], other[key]) for key in one)


def test_a_merged_cell_is_reused(
    machines: tuple[Path, Path], fresh: sb.CellResult, tmp_path: Path
) -> None:
    merge(machines, tmp_path / "c")
    again = sb.evaluate_cells([cell(0, 7)], tmp_path / "c", SETTINGS)[0]
    assert again.reused and again.record.summary == fresh.record.summary


def test_what_another_holds_is_left_out_and_what_stands_apart_is_copied(
    machines: tuple[Path, Path], tmp_path: Path
) -> None:
    larger = evaluate(tmp_path / "larger", cell(0, 4, budget=5_120), cell(100, 2))
    assert merge([machines[0], larger], tmp_path / "c") == Merged(2, 0, 1, ())
    found = [
        (r.record.protocol["first_seed"], r.record.budget) for r in sb.read_results(tmp_path / "c")
    ]
    assert sorted(found) == [(0, 5_120), (100, 2_560)]


def test_a_contradiction_is_named_and_one_side_may_be_preferred(
    machines: tuple[Path, Path], tmp_path: Path
) -> None:
    wrong = Path(shutil.copytree(machines[1], tmp_path / "wrong"))
    changed(wrong, "accuracy", 5, 0.125)
    with pytest.raises(sb.SynthbenchError, match=r"replica 2 has accuracy .* 0\.125 in .*wrong"):
        merge([machines[0], wrong], tmp_path / "c")
    assert not (tmp_path / "c").exists()
    merged = merge([machines[0], wrong], tmp_path / "c", prefer=machines[0])
    assert merged.copied == 1 and [p.parent for p in merged.passed_over] == [wrong]
    assert sb.read_results(tmp_path / "c")[0].record.summary.replicas == 4


def test_a_difference_in_a_seed_that_only_one_has_is_none(
    machines: tuple[Path, Path], tmp_path: Path
) -> None:
    other = Path(shutil.copytree(machines[1], tmp_path / "other"))
    changed(other, "accuracy", -1, 0.125)
    assert merge([machines[0], other], tmp_path / "c").joined == 1


def test_nothing_is_written_into_a_folder_that_is_merged(
    machines: tuple[Path, Path], tmp_path: Path
) -> None:
    source = Path(shutil.copytree(machines[0], tmp_path / "a"))
    link = tmp_path / "link"
    link.symlink_to(source)
    before = sorted(source.rglob("*"))
    with pytest.raises(sb.SynthbenchError, match=r"lies in .*a, which is merged"):
        merge([source, machines[1]], link / "inside")
    assert sorted(source.rglob("*")) == before


def test_replicas_of_another_machine_are_named(machines: tuple[Path, Path], tmp_path: Path) -> None:
    other = Path(shutil.copytree(machines[0], tmp_path / "other"))
    (folder,) = (path.parent for path in other.glob("*/record.json"))
    record = read_record(folder)
    elsewhere = record.environment.model_copy(update={"torch": "2.0"})
    (folder / "record.json").write_bytes(
        record_bytes(record.model_copy(update={"environment": elsewhere, "created": "2020"}))
    )
    merge([other, machines[1]], tmp_path / "c")
    (part,) = sb.read_results(tmp_path / "c")[0].record.earlier
    assert (part.replicas, part.environment.torch) == ((0, 1, 2, 3), "2.0")


def test_other_code_of_a_plugin_is_a_contradiction(
    machines: tuple[Path, Path], tmp_path: Path
) -> None:
    from synthbench.records.schema import Distribution

    folders = []
    for name, code in (("one", "1.0+code.aaaa"), ("two", "1.0+code.bbbb")):
        root = Path(shutil.copytree(machines[len(folders)], tmp_path / name))
        (folder,) = (path.parent for path in root.glob("*/record.json"))
        record = read_record(folder)
        plugin = Distribution(plugin="theirs", distribution="theirs", version=code)
        own = record.environment.model_copy(update={"plugins": (plugin,)})
        (folder / "record.json").write_bytes(
            record_bytes(record.model_copy(update={"environment": own}))
        )
        folders.append(root)
    with pytest.raises(sb.SynthbenchError, match="other code of theirs"):
        merge(folders, tmp_path / "c")


def test_as_a_command(
    machines: tuple[Path, Path],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    def command(*arguments: object) -> tuple[int, str, str]:
        monkeypatch.setattr(sys, "argv", ["synthbench", "merge", *map(str, arguments)])
        with pytest.raises(SystemExit) as ended:
            main()
        return int(ended.value.code or 0), *capsys.readouterr()

    code, out, _ = command(*machines, "--to", tmp_path / "c")
    assert code == 0 and "1 cell, 1 of them joined from several folders" in out
    code, _, err = command(*machines, "--to", tmp_path / "c")
    assert code == 2 and "is there already" in err
    code, _, err = command(machines[0], tmp_path, "--to", tmp_path / "d", "--prefer", "x")
    assert code == 2 and "--prefer x is not among the folders" in err
    (tmp_path / "empty").mkdir()
    code, _, err = command(machines[0], tmp_path / "empty", "--to", tmp_path / "d")
    assert code == 2 and "no finished cell" in err
    assert sorted(p.name for p in tmp_path.iterdir()) == ["c", "empty"]
