"""Classes and functions that files hold count by the source of what they are made of."""

from __future__ import annotations

import importlib
import sys
from collections.abc import Callable
from functools import partial
from pathlib import Path
from textwrap import dedent
from types import ModuleType

import pytest

import synthbench as sb
from synthbench.registry.fingerprints.code import code_fingerprint
from tests.registry.fingerprints.test_code import defined

FILES = {
    "own_models.py": """
        import torch
        from torch import nn

        from own_parts import layers

        WIDTH = 5

        def activation(x):
            return torch.relu(x)  # a comment

        class Net(nn.Module):
            '''A network.'''

            def __init__(self):
                super().__init__()
                self.layer = nn.Linear(10, WIDTH)

            def forward(self, x):
                from own_late import last

                return last(activation(layers.first(self.layer(x))))
        """,
    # A folder without __init__.py is a package too.
    "own_parts/layers.py": "from .deeper import scale\ndef first(x): return scale(x)",
    "own_parts/deeper.py": "def scale(x): return 2 * x",
    "own_late.py": "def last(x): return x.sum(-1)",
    "own_package/__init__.py": """
        def build():
            from own_late import last
            return last
        """,
    "own_script.py": "raise SystemExit('which nothing imports')",
}
Write = Callable[..., ModuleType]


@pytest.fixture
def write(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Write:
    """Writes the files, one of them edited, and imports a module as the next process does."""
    monkeypatch.syspath_prepend(str(tmp_path))
    monkeypatch.setattr(sys, "dont_write_bytecode", True)

    def written(
        file: str = "", old: str = "", new: str = "", module: str = "own_models"
    ) -> ModuleType:
        for name, text in FILES.items():
            path = tmp_path / name
            path.parent.mkdir(exist_ok=True)
            assert name != file or old in text
            path.write_text(dedent(text.replace(old, new) if name == file else text))
        for name in [m for m in sys.modules if m.startswith("own_")]:
            monkeypatch.delitem(sys.modules, name)
        importlib.invalidate_caches()
        return importlib.import_module(module)

    return written


EDITS = [
    ("own_models.py", "WIDTH = 5", "WIDTH = 6"),
    ("own_models.py", "torch.relu(x)", "torch.tanh(x)"),
    ("own_models.py", "Linear(10, WIDTH)", "Linear(10, WIDTH, False)"),
    ("own_parts/layers.py", "scale(x)", "scale(scale(x))"),
    ("own_parts/deeper.py", "2 * x", "3 * x"),
    ("own_late.py", "sum(-1)", "mean(-1)"),
]


@pytest.mark.parametrize(("file", "old", "new"), EDITS)
def test_every_edit_of_what_it_imports_changes_it(
    file: str, old: str, new: str, write: Write
) -> None:
    before = code_fingerprint(write().Net)
    assert code_fingerprint(write(file, old, new).Net) != before
    assert code_fingerprint(write().Net) == before


@pytest.mark.parametrize(
    ("file", "old", "new"),
    [
        ("own_models.py", "# a comment", "# another comment"),
        ("own_models.py", "A network.", "A small network."),
        ("own_models.py", "WIDTH = 5", "WIDTH  =  5\n\n"),
        ("own_script.py", "nothing", "nobody"),
    ],
)
def test_nothing_else_changes_it(file: str, old: str, new: str, write: Write) -> None:
    before = code_fingerprint(write().Net)
    assert code_fingerprint(write(file, old, new).Net) == before


def test_what_a_notebook_makes_of_it_follows(write: Write) -> None:
    """A partial, a function and a subclass in `__main__`, of a class in a file."""

    def made(models: ModuleType) -> list[str]:
        inherited = defined("from own_models import Net as Base\nclass Net(Base): pass")
        called = defined("import own_models\nbuild = lambda: own_models.Net()", "build")
        return [code_fingerprint(each) for each in (partial(models.Net), inherited, called)]

    before = made(write())
    assert len(set(before)) == 3 and made(write()) == before
    for edit in EDITS:
        assert not set(before) & set(made(write(*edit)))


def test_functions_of_a_packages_own_file_are_followed(write: Write) -> None:
    before = code_fingerprint(write(module="own_package").build)
    edited = write("own_late.py", "sum(-1)", "mean(-1)", module="own_package")
    assert code_fingerprint(edited.build) != before


def test_a_module_is_read_when_it_is_loaded(tmp_path: Path, write: Write) -> None:
    """So an edit counts once the process runs it."""
    models = write()
    before = code_fingerprint(models.Net)
    path = tmp_path / "own_parts" / "deeper.py"
    path.write_text("def scale(x): return 30 * x")
    assert code_fingerprint(models.Net) == before
    importlib.reload(sys.modules["own_parts.deeper"])
    assert code_fingerprint(models.Net) != before


def test_values_that_no_file_says_count(write: Write) -> None:
    models = write()

    def factory(width: int) -> Callable[[], object]:
        return lambda: (models.Net, width)

    assert code_fingerprint(factory(2)) == code_fingerprint(factory(2))
    assert code_fingerprint(factory(2)) != code_fingerprint(factory(3))


def test_it_is_in_the_plan_of_a_bare_model(write: Write) -> None:
    before = sb.as_model(write().Net).describe()
    assert sb.as_model(write().Net).describe() == before
    assert sb.as_model(write(*EDITS[0]).Net).describe() != before
