"""The source of plugin classes as a hash that changes when their code does."""

from __future__ import annotations

import ast
import hashlib
import sys
from collections.abc import Iterable, Iterator
from functools import lru_cache
from pathlib import Path


@lru_cache(maxsize=256)
def source_fingerprint(classes: tuple[type, ...]) -> str:
    """SHA-256 of the modules that define the classes, and of what these import of their packages.

    Nothing is executed, and nothing counts but code: no comment, docstring, layout or place on
    the disk, no state of the process, no other library. Taken once for a class, as the process
    runs what it read then. A class without source files counts by its name.
    """
    packages = {_top(cls.__module__) for cls in classes}
    bases = [base for cls in classes for base in cls.__mro__ if _top(base.__module__) in packages]
    waiting, found = {base.__module__ for base in bases}, dict[str, str]()
    while waiting:
        name = waiting.pop()
        path = _source(name)
        tree = _parsed(path) if path is not None else None
        found[name] = "" if tree is None else ast.dump(tree)
        if path is not None and tree is not None:
            imported = _imports(tree, name, path.name == "__init__.py")
            waiting |= {n for n in imported if _top(n) in packages and _source(n)} - found.keys()
    names = sorted({f"{cls.__module__}.{cls.__qualname__}" for cls in classes})
    text = "\n".join([*names, *(f"{name} {found[name]}" for name in sorted(found))])
    return hashlib.sha256(text.encode()).hexdigest()


def _top(module: str) -> str:
    return module.partition(".")[0]


def _source(name: str) -> Path | None:
    """The file of a module, found by its name below that of its top-level package."""
    top, _, below = name.partition(".")
    file = getattr(sys.modules.get(top), "__file__", None)
    if file is None:
        return None
    if not below:
        return Path(file)
    path = Path(file).parent.joinpath(*below.split("."))
    files = (path.with_suffix(".py"), path / "__init__.py")
    return next((each for each in files if each.is_file()), None)


def _parsed(path: Path) -> ast.Module | None:
    try:
        tree = ast.parse(path.read_bytes())
    except (OSError, SyntaxError, ValueError):
        return None
    for node in ast.walk(tree):
        if not isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef):
            continue
        if ast.get_docstring(node, clean=False) is not None:
            del node.body[0]
    return tree


def _imports(tree: ast.Module, name: str, is_package: bool) -> Iterator[str]:
    """Names of what may be modules: `from pk import nets` gives pk and pk.nets.

    Of a package's own file, only what it imports when it is imported: in a plugin's root, hooks
    import everything that it provides.
    """
    nodes: Iterable[ast.AST] = tree.body if is_package else ast.walk(tree)
    parent = name if is_package else name.rpartition(".")[0]
    for node in nodes:
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            above = parent.rsplit(".", node.level - 1)[0] if node.level else ""
            base = ".".join(part for part in (above, node.module) if part)
            yield base
            yield from (f"{base}.{alias.name}" for alias in node.names)
