"""Source as a hash that changes when the code does: of a plugin's classes, of one's own modules."""

from __future__ import annotations

import ast
import hashlib
import importlib.util
import sys
from collections.abc import Callable, Iterable, Iterator
from functools import lru_cache
from importlib.machinery import ModuleSpec
from pathlib import Path
from types import FunctionType
from typing import NamedTuple

from synthbench.registry.fingerprints.own_code import is_installed


@lru_cache(maxsize=256)
def source_fingerprint(classes: tuple[type, ...]) -> str:
    """SHA-256 of the modules that define the classes, and of what these import of their packages.

    Nothing is executed, and nothing counts but code: no comment, docstring, layout or place on
    the disk, no state of the process, no other library. Taken once for a class, as the process
    runs what it read then. A class without source files counts by its name.
    """
    packages = {_top(cls.__module__) for cls in classes}
    bases = [base for cls in classes for base in cls.__mro__ if _top(base.__module__) in packages]
    found = _sources({base.__module__ for base in bases}, lambda name: _top(name) in packages)
    names = sorted({f"{cls.__module__}.{cls.__qualname__}" for cls in classes})
    return _hash([*names, *found])


def own_source(module: str) -> str | None:
    """SHA-256 of a module, and of every module of one's own that it imports anywhere.

    As `source_fingerprint`, but what counts is read again when a module is loaded anew. None for
    a module without source.
    """
    if _read(module) is None:
        return None
    return _hash(_sources({module}, lambda name: not is_installed(name), hooks=False))


def home_of(value: FunctionType | type) -> str | None:
    """The module in which a class or a function is found by its name, as pickle finds it.

    None for those of a notebook or of a script, and for what a function has made.
    """
    found: object = sys.modules.get(value.__module__)
    for name in value.__qualname__.split("."):
        found = getattr(found, name, None)
    return value.__module__ if found is value and value.__module__ != "__main__" else None


class _Source(NamedTuple):
    """A module as it was read; its tree has no docstrings."""

    tree: ast.Module
    is_package: bool


_READ: dict[str, tuple[ModuleSpec, _Source | None]] = {}
"""What was read of a module, for the spec with which it was loaded then."""


def _sources(start: set[str], follows: Callable[[str], bool], hooks: bool = True) -> list[str]:
    """Lines of the modules, and of what they import, as far as it is to be followed.

    hooks: whether functions of a package's own file count as hooks, which import everything that
    a plugin provides; then what they import is not followed.
    """
    waiting, found = set(start), dict[str, str]()
    while waiting:
        name = waiting.pop()
        source = _read(name)
        found[name] = "" if source is None else ast.dump(source.tree)
        if source is not None:
            imported = set(_imports(source, name, whole=not (hooks and source.is_package)))
            waiting |= {n for n in imported if follows(n) and _path(n)} - found.keys()
    return [f"{name} {found[name]}" for name in sorted(found)]


def _read(name: str) -> _Source | None:
    """A module's source; read once, as the process runs what it read then, until loaded anew."""
    spec = getattr(sys.modules.get(name), "__spec__", None)
    if spec is None:
        return _parsed(_path(name))
    if name not in _READ or _READ[name][0] is not spec:
        _READ[name] = (spec, _parsed(_path(name)))
    return _READ[name][1]


def _path(name: str) -> Path | None:
    """The file of a module, found by its name below its top-level package; nothing is imported."""
    top, *below = name.split(".")
    try:
        spec = importlib.util.find_spec(top)
    except (ImportError, ValueError):
        return None
    if spec is None:
        return None
    if not below:
        return Path(spec.origin) if spec.has_location and spec.origin else None
    places = [Path(folder, *below) for folder in spec.submodule_search_locations or ()]
    files = [file for p in places for file in (p.with_suffix(".py"), p / "__init__.py")]
    return next((file for file in files if file.is_file()), None)


def _parsed(path: Path | None) -> _Source | None:
    if path is None:
        return None
    try:
        tree = ast.parse(path.read_bytes())
    except (OSError, SyntaxError, ValueError):
        return None
    for node in ast.walk(tree):
        if not isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef):
            continue
        if ast.get_docstring(node, clean=False) is not None:
            del node.body[0]
    return _Source(tree, path.name == "__init__.py")


def _imports(source: _Source, name: str, whole: bool) -> Iterator[str]:
    """Names of what may be modules: `from pk import nets` gives pk and pk.nets.

    whole: anywhere; otherwise only what is imported when the module is.
    """
    nodes: Iterable[ast.AST] = ast.walk(source.tree) if whole else source.tree.body
    parent = name if source.is_package else name.rpartition(".")[0]
    for node in nodes:
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            above = parent.rsplit(".", node.level - 1)[0] if node.level else ""
            base = ".".join(part for part in (above, node.module) if part)
            yield base
            yield from (f"{base}.{alias.name}" for alias in node.names)


def _top(module: str) -> str:
    return module.partition(".")[0]


def _hash(lines: Iterable[str]) -> str:
    return hashlib.sha256("\n".join(lines).encode()).hexdigest()
