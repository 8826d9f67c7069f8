"""Code as a hash that changes when the code does, for classes that no plugin vouches for."""

from __future__ import annotations

import dis
import hashlib
import importlib
import inspect
import itertools
import json
import os
import sys
from collections.abc import Iterable, Iterator, Mapping
from enum import Enum
from functools import cache, partial
from importlib.metadata import PackageNotFoundError, distribution, packages_distributions
from pathlib import Path
from random import Random
from types import (
    CodeType,
    EllipsisType,
    FunctionType,
    MappingProxyType,
    MethodType,
    ModuleType,
)
from typing import Any

PLAIN = (bool, int, float, complex, str, bytes, type(None), EllipsisType)
MOST = 100_000
"""Objects that are walked; some make new ones wherever they are looked at."""
PACKAGES = frozenset({"site-packages", "dist-packages"})
"""Folders of installed packages, whose code counts by its name."""


_STANDARD = Path(dis.__file__).parent


def code_fingerprint(root: object) -> str:
    """SHA-256 of a class or a function as it would run now.

    Covers bytecode, defaults, closures, the arguments of a `functools.partial`, class
    attributes and base classes, and all of that for whatever the code refers to by name. Code
    of installed packages counts by name alone. Needs no source, so it works in a notebook, and
    no comment, line number or file name enters. Another Python version may compile to another
    fingerprint. What cannot be looked into counts by its type.
    """
    return _hash(_Walk().all_from(root).encode())


class _Walk:
    """One way through everything that a piece of code refers to, the near before the far."""

    def __init__(self, ranks_sets: bool = True) -> None:
        """ranks_sets: whether items of sets are sorted by walks of their own."""
        self._ranks_sets = ranks_sets
        # What was seen is kept, so that no other object can get its id.
        self._places: dict[int, int] = {}
        self._seen: list[object] = []

    def all_from(self, root: object) -> str:
        """A description that is equal for equal code and values, in every process."""
        lines = [self.text(root)]
        for value in self._seen:  # grows meanwhile
            try:
                lines.append(" ".join(self._parts(value)))
            # An object may do anything where it is looked at.
            except Exception:
                lines.append(f"{type(value).__module__}.{type(value).__qualname__}")
            if len(self._seen) > MOST:
                lines.append("and more")
                break
        return "\n".join(lines)

    def text(self, value: Any) -> str:
        """A plain value in words; of any other its place among the lines."""
        if type(value) in PLAIN:
            return f"{type(value).__name__} {value!r}"
        if id(value) not in self._places:
            self._places[id(value)] = len(self._seen)
            self._seen.append(value)
        return f"#{self._places[id(value)]}"

    def _parts(self, value: Any) -> Iterator[str]:
        kind = type(value).__name__
        if isinstance(value, CodeType):
            yield from self._code(value)
        elif isinstance(value, FunctionType):
            yield from self._function(value)
        elif isinstance(value, type):
            yield from self._class(value)
        elif isinstance(value, ModuleType):
            yield f"module {value.__name__}"
        elif isinstance(value, MethodType | staticmethod | classmethod | property | partial):
            yield from self._all(kind, _wrapped(value))
        elif isinstance(value, tuple | list):
            yield from self._all(kind, value)
        elif isinstance(value, set | frozenset):
            # The order of a set differs from process to process.
            yield from self._all(kind, sorted(value, key=self._rank))
        elif isinstance(value, dict | MappingProxyType):
            yield from self._all(kind, (x for pair in value.items() for x in pair))
        else:
            yield from self._object(value)

    def _rank(self, item: Any) -> str:
        """What to sort the items of a set by; no sets of sets are walked for it."""
        ranked = type(item) in PLAIN or not self._ranks_sets
        return _rank(item) if ranked else _hash(_Walk(ranks_sets=False).all_from(item).encode())

    def _all(self, kind: str, values: Iterable[object]) -> Iterator[str]:
        yield kind
        for value in values:
            yield self.text(value)

    def _code(self, code: CodeType) -> Iterator[str]:
        shape = (code.co_argcount, code.co_posonlyargcount, code.co_kwonlyargcount, code.co_flags)
        names = (code.co_names, code.co_varnames, code.co_freevars, code.co_cellvars)
        yield f"code {code.co_code.hex()} {code.co_exceptiontable.hex()} {shape} {names}"
        for constant in code.co_consts:
            yield self.text(constant)

    def _function(self, function: FunctionType) -> Iterator[str]:
        # A decorator of an installed package still hides a function of one's own.
        cells = [cell.cell_contents for cell in function.__closure__ or () if _is_filled(cell)]
        compiled = vars(function).get("_torchdynamo_orig_callable")
        if compiled is not None:
            yield f"compiled {self.text(compiled)}"
            return
        if is_installed(function.__module__):
            yield from self._all(f"function {function.__module__}.{function.__qualname__}", cells)
            return
        yield from self._all("function", (function.__code__, *cells))
        yield from self._all("defaults", (function.__defaults__, function.__kwdefaults__))
        if vars(function):
            yield f"attributes {self.text(dict(vars(function)))}"
        known, words = function.__globals__, list(_words(function.__code__))
        # First, because a package has a submodule as an attribute once it is imported.
        modules = [_imported(name, known) for name in _imported_names(function.__code__)]
        for name in dict.fromkeys(_global_names(function.__code__)):
            if name in known:
                yield f"{name} {self.text(known[name])}"
                yield from self._inside(known[name], words, set())
        for module in modules:
            yield from self._inside(module, words, set())

    def _inside(self, module: object, words: list[str], seen: set[str]) -> Iterator[str]:
        """What code that has a module of one's own may use of it, by its name."""
        if not isinstance(module, ModuleType) or is_installed(module.__name__):
            return
        if module.__name__ in seen:
            return
        seen.add(module.__name__)
        for word in words:
            if word in vars(module):
                yield f"{word} {self.text(vars(module)[word])}"
                yield from self._inside(vars(module)[word], words, seen)

    def _class(self, cls: type) -> Iterator[str]:
        if is_installed(cls.__module__):
            yield f"class {cls.__module__}.{cls.__qualname__}"
            return
        yield from self._all("class", cls.__bases__)
        if not is_installed(type(cls).__module__):
            yield f"metaclass {self.text(type(cls))}"
        for name, member in vars(cls).items():
            if issubclass(cls, Enum) and name.startswith("_") and name.endswith("_"):
                continue
            # What Python and pydantic add to a class is made from the rest.
            if _is_code(member) or not (name.startswith("__") and name.endswith("__")):
                yield f"{name} {self.text(member)}"

    def _object(self, value: Any) -> Iterator[str]:
        import numpy as np
        import torch

        if isinstance(value, torch.Tensor):
            yield f"tensor {value.dtype} {value.layout}"
            if value.layout is torch.strided and value.device.type != "meta":
                plain = value.detach().cpu().resolve_conj().resolve_neg().contiguous()
                raw = plain.flatten().view(torch.uint8).numpy().tobytes()
                yield f"{tuple(value.shape)} {_hash(raw)}"
        elif isinstance(value, np.ndarray) and not value.dtype.hasobject:
            yield f"array {value.dtype} {value.shape} {_hash(value.tobytes())}"
        else:
            yield self.text(type(value))
            yield self.text(inspect.getattr_static(value, "__wrapped__", None))
            random = np.random.RandomState | np.random.BitGenerator | Random | torch.Generator
            momentary = isinstance(value, random | itertools.count | type(os.environ))
            # scipy's distributions hold numpy's generator.
            yield self.text(None if momentary else _state(value))


def _imported(name: str, known: Mapping[str, Any]) -> ModuleType | None:
    """The module that `import name` gives, unless it is installed or cannot be imported."""
    if not name.startswith(".") and is_installed(name):
        return None
    try:
        return importlib.import_module(name, known.get("__package__"))
    # The function will meet it, whatever it is.
    except (Exception, SystemExit):
        return None


def _wrapped(value: Any) -> tuple[object, ...]:
    """What a method, a static or class method, a property or a partial is made of."""
    if isinstance(value, MethodType):
        return (value.__func__, value.__self__)
    if isinstance(value, property):
        return (value.fget, value.fset, value.fdel)
    if isinstance(value, partial):
        return (value.func, value.args, value.keywords)
    return (value.__func__,)


def is_installed(module: str | None) -> bool:
    """Whether a module belongs to Python, to SynthBench or to an installed package."""
    if module is None or module == "__main__":
        # The file of a notebook's __main__ is an installed package's.
        return False
    top, file = module.partition(".")[0], getattr(sys.modules.get(module), "__file__", None)
    if top == "synthbench":
        return True
    if top in sys.stdlib_module_names and (file is None or _STANDARD in Path(file).parents):
        return True
    if file is not None and not PACKAGES.isdisjoint(Path(file).parts):
        return True
    return any(map(_is_finished, _distributions().get(top, ())))


@cache
def _distributions() -> Mapping[str, list[str]]:
    """Top-level modules and the distributions that they are of."""
    return packages_distributions()


@cache
def _is_finished(name: str) -> bool:
    """Whether a distribution was installed from a wheel, and not to be edited where it lies."""
    try:
        found = distribution(name)
    except PackageNotFoundError:
        return False
    origin = json.loads(found.read_text("direct_url.json") or "{}")
    return bool(found.read_text("RECORD")) and not origin.get("dir_info", {}).get("editable")


def _rank(item: Any) -> str:
    """What to sort the items of a set by: their values, or the names of what has no order."""
    if type(item) in PLAIN:
        return f"{type(item).__name__} {item!r}"
    if isinstance(item, tuple | frozenset):
        inside = [_rank(part) for part in item]
        return f"{type(item).__name__} {inside if isinstance(item, tuple) else sorted(inside)}"
    named = item if isinstance(item, FunctionType | type) else type(item)
    return f"{named.__module__}.{named.__qualname__}"


def _state(value: Any) -> object:
    """What pickle would keep of an object; None where it has no state to keep."""
    try:
        reduced = value.__reduce_ex__(4)
    # An object may do anything here; its type is in the fingerprint already.
    except Exception:
        return None
    if isinstance(reduced, str):
        return reduced
    arguments, state = reduced[1], reduced[2] if len(reduced) > 2 else None
    items = [list(part) for part in reduced[3:5] if part is not None]
    return (arguments, state, items)


def _is_code(member: object) -> bool:
    return isinstance(member, FunctionType | staticmethod | classmethod | property)


def _is_filled(cell: Any) -> bool:
    try:
        _ = cell.cell_contents
    except ValueError:
        return False
    return True


def _codes(code: CodeType) -> Iterator[CodeType]:
    """A code object and those inside it: lambdas, comprehensions, inner functions and classes."""
    yield code
    for constant in code.co_consts:
        if isinstance(constant, CodeType):
            yield from _codes(constant)


def _global_names(code: CodeType) -> Iterator[str]:
    """The names that are looked up outside of the function; attributes are not among them."""
    for part in _codes(code):
        for instruction in dis.get_instructions(part):
            name = instruction.opname
            if name.startswith("LOAD_") and ("GLOBAL" in name or name == "LOAD_NAME"):
                yield str(instruction.argval)


def _imported_names(code: CodeType) -> Iterator[str]:
    """What may be a module that a function imports when it runs: `pk.nets`, `.nets`."""
    for part_of_code in _codes(code):
        before: list[Any] = []
        for instruction in dis.get_instructions(part_of_code):
            if instruction.opname == "IMPORT_NAME":
                name = "." * int(before[-2]) + str(instruction.argval)
                yield name
                # `from pk import nets` imports pk.nets where that is a module.
                yield from (f"{name.removesuffix('.')}.{part}" for part in before[-1] or ())
            before.append(instruction.argval)


def _words(code: CodeType) -> Iterator[str]:
    for part in _codes(code):
        yield from part.co_names


def _hash(raw: bytes) -> str:
    return hashlib.sha256(raw).hexdigest()
