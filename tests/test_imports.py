"""No file of the package needs itself, by whatever way: also not for a type hint."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from graphlib import CycleError, TopologicalSorter
from importlib.util import resolve_name
from pathlib import Path

ROOT = Path(__file__).parent.parent


def modules_of(package: Path) -> dict[str, Path]:
    """Every module below a folder, by its whole name."""
    found = {}
    for path in package.rglob("*.py"):
        parts = path.relative_to(package.parent).with_suffix("").parts
        found[".".join(parts[:-1] if path.name == "__init__.py" else parts)] = path
    return found


def imported_names(module: str, path: Path) -> Iterator[str]:
    """What a file imports anywhere: at its top, in functions, under TYPE_CHECKING."""
    package = module if path.name == "__init__.py" else module.rpartition(".")[0]
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            source = resolve_name("." * node.level + (node.module or ""), package)
            yield from (f"{source}.{alias.name}" for alias in node.names)


def import_graph(package: Path) -> dict[str, set[str]]:
    """Module -> the modules that it imports, or imports something from."""
    modules = modules_of(package)
    graph: dict[str, set[str]] = {}
    for module, path in modules.items():
        names = imported_names(module, path)
        candidates = ((name, name.rpartition(".")[0]) for name in names)
        known = (next((name for name in both if name in modules), None) for both in candidates)
        graph[module] = {name for name in known if name is not None}
    return graph


def circle_of(package: Path) -> list[str]:
    """The modules of one circle, each importing the next; empty where there is none."""
    try:
        TopologicalSorter(import_graph(package)).prepare()
    except CycleError as error:
        # Each of these is imported by the next.
        return list(reversed(error.args[1]))
    return []


def test_no_circle_of_files() -> None:
    assert not (circle := circle_of(ROOT / "synthbench")), " imports ".join(circle)


def test_a_planted_circle_is_found(tmp_path: Path) -> None:
    """By a type hint, in a function, relative, through a package's face."""
    package = tmp_path / "planted"
    (package / "room").mkdir(parents=True)
    files = {
        "__init__.py": "",
        "alone.py": "import planted.first\nfrom planted import second",
        "first.py": "if TYPE_CHECKING:\n    from planted.second import Hint",
        "second.py": "def late():\n    import planted.room",
        "room/__init__.py": "from .third import name",
        "room/third.py": "from ..first import something",
    }
    for name, text in files.items():
        (package / name).write_text(text)
    circle = circle_of(package)
    start = circle.index("planted.first")
    assert [*circle[start:-1], *circle[:start], "planted.first"] == [
        "planted.first", "planted.second", "planted.room", "planted.room.third", "planted.first",
    ]  # fmt: skip
    (package / "room" / "third.py").write_text("from planted import alone")
    (package / "alone.py").write_text("")
    assert circle_of(package) == []
