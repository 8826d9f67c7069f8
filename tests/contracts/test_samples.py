"""Exported samples are the task's own, split by stream, typed and described."""

from __future__ import annotations

from pathlib import Path

import datasets
import numpy as np
import pytest
from typer.testing import CliRunner

from synthbench.cli.main import app
from synthbench.errors import ConfigurationError
from synthbench.registry.registry import installed
from synthbench.streams import Purpose, Stream


def export(*arguments: str) -> str:
    result = CliRunner().invoke(app, ["data", "export", *arguments], catch_exceptions=False)
    assert result.exit_code == 0, result.output
    return result.output


def test_samples_are_those_of_the_stream() -> None:
    task = installed().task("sparse-parity n=12 k=3")
    found = task.dataset({"train": 1500, "validation": 10}, seed=4)
    world = task.world(Stream.from_seed(4, Purpose.WORLD))
    first, second = (
        task.sample(world, Stream.from_seed(4, Purpose.TRAIN, step), 1024) for step in (0, 1)
    )
    x = np.array(found["train"]["x"])
    assert x.shape == (1500, 12) and found["train"].features["x"].feature.dtype == "int8"
    assert np.array_equal(x[:1024], first.x.numpy())
    assert np.array_equal(x[1024:], second.x[:476].numpy())
    assert np.array_equal(x[:, world].prod(1), np.array(found["train"]["y"]))


def test_a_sample_does_not_depend_on_how_many_are_asked_for() -> None:
    task = installed().task("markov symbols=3 length=12")
    few, many = (task.dataset({"test": count})["test"] for count in (5, 1100))
    assert few[:] == many[:5]


def test_splits_do_not_repeat_one_another() -> None:
    task = installed().task("sparse-parity n=60")
    found = task.dataset({"train": 500, "validation": 500, "test": 500})
    rows = [tuple(row) for split in found.values() for row in split["x"]]
    assert len(set(rows)) == 1500


def test_latents_keep_their_shape() -> None:
    found = installed().task("markov symbols=3 length=12").dataset({"train": 4})["train"]
    assert np.array(found["transitions"]).shape == (4, 3, 3)
    assert np.allclose(np.array(found["transitions"]).sum(-1), 1, atol=1e-6)
    assert np.array(found["x"]).shape == (4, 12)


@pytest.mark.parametrize(
    ("samples", "message"),
    [({"dev": 3}, "train, validation, test"), ({"train": 0}, "at least one")],
)
def test_impossible_splits_are_refused(samples: dict[str, int], message: str) -> None:
    with pytest.raises(ConfigurationError, match=message):
        installed().task("sparse-parity").dataset(samples)


def test_the_command_writes_what_datasets_loads(tmp_path: Path) -> None:
    folder = tmp_path / "chains"
    output = export("markov symbols=3 length=20", "--samples", "200", "--to", str(folder))
    assert "train 200, validation 20, test 20" in output
    found = datasets.load_dataset(str(folder), cache_dir=str(tmp_path / "cache"))
    assert {name: len(split) for name, split in found.items()} == {
        "train": 200, "validation": 20, "test": 20,
    }  # fmt: skip
    expected = installed().task("markov symbols=3 length=20").dataset({"test": 20})["test"]
    assert found["test"][:] == expected[:]
    card = (folder / "README.md").read_text()
    for part in ("# markov symbols=3 length=20", "2402.11004", "--seed 0", "| symbols | 3 |"):
        assert part in card


def test_an_upload_is_the_libraries_own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    seen = {}
    monkeypatch.setattr(
        datasets.DatasetDict, "push_to_hub", lambda self, repo: seen.update({repo: len(self)})
    )
    assert "pushed to me/parity" in export(
        "sparse-parity", "--samples", "20", "--push-to-hub", "me/parity"
    )
    assert seen == {"me/parity": 3}


def test_mistakes_are_one_line(tmp_path: Path) -> None:
    (tmp_path / "full").mkdir()
    (tmp_path / "full" / "file").touch()
    for arguments, message in (
        (["sparse-parity"], "say where to"),
        (["sparse-parity", "--to", str(tmp_path / "full")], "is not empty"),
    ):
        with pytest.raises(ConfigurationError, match=message):
            CliRunner().invoke(app, ["data", "export", *arguments], catch_exceptions=False)
    assert [p.name for p in (tmp_path / "full").iterdir()] == ["file"]
