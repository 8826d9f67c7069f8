"""What stands at `file.py:MyNet`."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from synthbench.errors import ConfigurationError, InterfaceError
from synthbench.registry.registry import installed
from synthbench.testing.bare_subjects import is_place, model_at
from synthbench.testing.subjects import find_subjects

CODE = """
from torch import nn
from near_by_widths import WIDTH


class MyNet(nn.Module):
    def __init__(self):
        super().__init__()
        self.layers = nn.Sequential(nn.Linear(10, WIDTH), nn.ReLU(), nn.Linear(WIDTH, 1))

    def forward(self, x):
        return self.layers(x)


NUMBER = 3
"""
PARITY = "sparse-parity n=10 k=2"


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Where `my_bare_net.py` and `my_package/net.py` lie; what is imported is forgotten."""
    monkeypatch.setattr(sys, "path", list(sys.path))
    monkeypatch.setattr(sys, "modules", dict(sys.modules))
    (tmp_path / "near_by_widths.py").write_text("WIDTH = 4\n")
    (tmp_path / "my_bare_net.py").write_text(CODE)
    (tmp_path / "my_package").mkdir()
    (tmp_path / "my_package" / "net.py").write_text(CODE)
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.mark.parametrize("place", ["my_bare_net.py:MyNet", "my_package.net:MyNet"])
def test_a_file_or_a_module_with_what_lies_beside_it(folder: Path, place: str) -> None:
    (subject,) = find_subjects(installed(), [place], [PARITY])
    assert subject.title.startswith("model my-net code=")
    assert subject.examination().verdict("output-fits-interface").status == "ok"


def test_a_file_elsewhere(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir("/")
    assert model_at(f"{folder}/my_bare_net.py:MyNet").name == "my-net"


@pytest.mark.parametrize(
    ("place", "said"),
    [
        ("my_bare_net.py:MyNett", 'has no MyNett; did you mean "MyNet"'),
        ("my_bare_net.py:NUMBER", "got 3"),
        ("other.py:MyNet", "there is no file other.py"),
        ("no_such_package.net:MyNet", "no_such_package.net cannot be imported: ModuleNotFound"),
        ("broken.py:MyNet", "broken.py cannot be imported: ZeroDivisionError"),
    ],
)
def test_a_place_of_nothing_is_a_mistake(folder: Path, place: str, said: str) -> None:
    (folder / "broken.py").write_text("1 / 0\n")
    with pytest.raises(ConfigurationError, match=said):
        model_at(place)


def test_references_are_no_places() -> None:
    assert not is_place("mlp width=8") and not is_place("sparse-parity")


def test_tasks_say_on_what_models_are_tried() -> None:
    tasks = [PARITY, "sparse-parity n=5 k=2"]
    (subject,) = find_subjects(installed(), ["mlp width=4"], tasks)
    assert [interface.input.shape for interface in subject.interfaces] == [(10,), (5,)]
    with pytest.raises(InterfaceError, match="cannot take this task"):
        find_subjects(installed(), ["mlp"], ["markov symbols=3 length=16"])
    with pytest.raises(ConfigurationError, match="--task is for models; probe weight-norm is none"):
        find_subjects(installed(), ["weight-norm"], [PARITY])
