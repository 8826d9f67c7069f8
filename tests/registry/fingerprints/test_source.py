"""The hash of a plugin's source changes when its code does, and with nothing else."""

from __future__ import annotations

import importlib
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from synthbench.registry.fingerprints.source import source_fingerprint

PACKAGE = {
    "__init__.py": """
        CONSTANT = 1
        def register_tasks():
            from own_plugin.other import Other
            return [Other]
        """,
    "task.py": """
        '''A task.'''
        from own_plugin import layers
        from .parts import half
        STATE = {}
        class Task:
            '''What it is.'''
            def build(self):
                '''Builds.'''
                from own_plugin.late import third
                STATE[len(STATE)] = third
                return layers.WIDTH, half, third
        """,
    "layers.py": "WIDTH = 3",
    "parts/__init__.py": "from own_plugin.parts.halves import half",
    "parts/halves.py": "half = 0.5",
    "late.py": "third = 3",
    "other.py": "class Other: pass",
    "train.py": "raise SystemExit('a script, which nothing imports')",
}


@pytest.fixture
def fingerprint(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., str]:
    """That of `Task`, with some files of the package written anew, in a folder of its own."""

    def of(changed: dict[str, str] | None = None, folder: str = "here") -> str:
        root = tmp_path / folder / "own_plugin"
        for name, text in {**PACKAGE, **(changed or {})}.items():
            (root / name).parent.mkdir(parents=True, exist_ok=True)
            (root / name).write_text(_dedented(text))
        for name in [m for m in sys.modules if m.startswith("own_plugin")]:
            monkeypatch.delitem(sys.modules, name)
        monkeypatch.syspath_prepend(str(root.parent))
        importlib.invalidate_caches()
        task = importlib.import_module("own_plugin.task").Task
        found = source_fingerprint((task,))
        task().build()
        assert source_fingerprint((task,)) == found
        return found

    monkeypatch.setattr(sys, "dont_write_bytecode", True)
    return of


def _dedented(text: str) -> str:
    lines = [line.removeprefix(8 * " ") for line in text.splitlines()]
    return "\n".join(lines).strip() + "\n"


@pytest.mark.parametrize(
    ("file", "old", "new"),
    [
        ("task.py", "layers.WIDTH, half", "half, layers.WIDTH"),
        ("layers.py", "3", "4"),
        ("parts/__init__.py", "import half", "import half as half"),
        ("parts/halves.py", "0.5", "0.25"),
        ("late.py", "3", "4"),
        ("__init__.py", "CONSTANT = 1", "CONSTANT = 2"),
    ],
)
def test_every_module_that_is_imported_counts(
    fingerprint: Callable[..., str], file: str, old: str, new: str
) -> None:
    before = fingerprint()
    assert old in PACKAGE[file]
    assert fingerprint({file: PACKAGE[file].replace(old, new)}, "there") != before


@pytest.mark.parametrize(
    ("file", "old", "new"),
    [
        ("task.py", "What it is.", "What else it is."),
        ("task.py", "return layers", "# As ever.\n                return layers"),
        ("layers.py", "WIDTH = 3", "\n\nWIDTH  =  3"),
        ("other.py", "pass", "width = 3"),
        ("train.py", "script", "program"),
    ],
)
def test_nothing_else_counts(
    fingerprint: Callable[..., str], file: str, old: str, new: str
) -> None:
    before = fingerprint()
    assert old in PACKAGE[file]
    assert fingerprint({file: PACKAGE[file].replace(old, new)}, "there") == before


def test_it_is_the_same_in_another_process(fingerprint: Callable[..., str], tmp_path: Path) -> None:
    """In one without torch, which nothing here needs."""
    here = fingerprint()
    program = (
        f"import sys; sys.path.append({str(tmp_path / 'here')!r})\n"
        "from own_plugin.task import Task\n"
        "from synthbench.registry.fingerprints.source import source_fingerprint\n"
        "print(source_fingerprint((Task,)))"
    )
    root = Path(__file__).parents[3]
    done = subprocess.run(
        [sys.executable, "-c", program], cwd=root, capture_output=True, text=True, check=True
    )
    assert done.stdout.strip() == here


def test_bases_count_and_a_class_without_source_has_a_name() -> None:
    made = type("Made", (), {"__module__": "nowhere"})
    other = type("Other", (), {"__module__": "nowhere"})
    assert source_fingerprint((made,)) != source_fingerprint((other,))
