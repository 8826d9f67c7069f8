"""Code as a hash that changes when the code does, for classes that no plugin vouches for."""

from __future__ import annotations

import hashlib
import importlib
import inspect
import sys
from collections.abc import Iterable, Iterator, Mapping
from enum import Enum
from functools import partial
from types import (
    CodeType,
    EllipsisType,
    FunctionType,
    MappingProxyType,
    MethodType,
    ModuleType,
)
from typing import Any

from synthbench.registry.fingerprints.bytecode import global_names, imported_names, words
from synthbench.registry.fingerprints.own_code import is_installed
from synthbench.registry.fingerprints.source import home_of, own_source

PLAIN = (bool, int, float, complex, str, bytes, type(None), EllipsisType)
MOST = 100_000
"""Objects that are walked; some make new ones wherever they are looked at."""


def code_fingerprint(root: object) -> str:
    """SHA-256 of a class or a function as it would run now.

    One that a file holds counts by its source: its module's, and that of every module of one's
    own that this imports. One that is in this process alone, in a notebook or a script or made by
    a function, counts by its bytecode, defaults, closures, the arguments of a
    `functools.partial`, class attributes and base classes, and by all of that for whatever it
    refers to by name. Code of installed packages counts by name alone. No comment or line number
    enters. Another Python version may make another fingerprint. What cannot be looked into counts
    by its type.
    """
    return _hash(_Walk().all_from(root).encode())


class _Walk:
    """One way through everything that a piece of code refers to, the near before the far."""

    def __init__(self, for_rank: bool = False) -> None:
        """for_rank: whether it only tells items of a set apart, which may refer to the set."""
        self._for_rank = for_rank
        # What was seen is kept, so that no other object can get its id.
        self._places: dict[int, int] = {}
        self._seen: list[object] = []
        self._sources: dict[str, str | None] = {}

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
            items = [item for item in value if not self._for_rank or type(item) in PLAIN]
            yield from self._all(kind, sorted(items, key=_rank))
        elif isinstance(value, dict | MappingProxyType):
            yield from self._all(kind, (x for pair in value.items() for x in pair))
        else:
            yield from self._object(value)

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
        elif is_installed(function.__module__):
            yield from self._all(f"function {function.__module__}.{function.__qualname__}", cells)
        elif source := self._source(function):
            yield source
        else:
            yield from self._all("function", (function.__code__, *cells))
            yield from self._all("defaults", (function.__defaults__, function.__kwdefaults__))
            if vars(function):
                yield f"attributes {self.text(dict(vars(function)))}"
            yield from self._referred(function)

    def _referred(self, function: FunctionType) -> Iterator[str]:
        """What a function looks up by name when it runs."""
        known, used = function.__globals__, list(words(function.__code__))
        # First, because a package has a submodule as an attribute once it is imported.
        modules = [_imported(name, known) for name in imported_names(function.__code__)]
        for name in dict.fromkeys(global_names(function.__code__)):
            if name in known:
                yield f"{name} {self.text(known[name])}"
                yield from self._inside(known[name], used, set())
        for module in modules:
            yield from self._inside(module, used, set())

    def _inside(self, module: object, used: list[str], seen: set[str]) -> Iterator[str]:
        """What code that has a module of one's own may use of it, by its name."""
        if not isinstance(module, ModuleType) or is_installed(module.__name__):
            return
        if module.__name__ in seen:
            return
        seen.add(module.__name__)
        for word in used:
            if word in vars(module):
                yield f"{word} {self.text(vars(module)[word])}"
                yield from self._inside(vars(module)[word], used, seen)

    def _class(self, cls: type) -> Iterator[str]:
        if is_installed(cls.__module__):
            yield f"class {cls.__module__}.{cls.__qualname__}"
        elif source := self._source(cls):
            yield source
        else:
            yield from self._all("class", cls.__bases__)
            if not is_installed(type(cls).__module__):
                yield f"metaclass {self.text(type(cls))}"
            for name, member in vars(cls).items():
                if issubclass(cls, Enum) and name.startswith("_") and name.endswith("_"):
                    continue
                # What Python and pydantic add to a class is made from the rest.
                if _is_code(member) or not (name.startswith("__") and name.endswith("__")):
                    yield f"{name} {self.text(member)}"

    def _source(self, value: FunctionType | type) -> str | None:
        """Its name and its module's source, where a file holds it."""
        home = home_of(value)
        if home is None:
            return None
        if home not in self._sources:
            self._sources[home] = own_source(home)
        source = self._sources[home]
        return f"source {home}.{value.__qualname__} {source}" if source is not None else None

    def _object(self, value: Any) -> Iterator[str]:
        import numpy as np

        # Where nothing has imported torch there are no tensors, and no need to wait for it.
        torch = sys.modules.get("torch")
        if torch is not None and isinstance(value, torch.Tensor):
            plain = value.detach().cpu().contiguous()
            raw = plain.flatten().view(torch.uint8).numpy().tobytes()
            yield f"tensor {value.dtype} {value.layout} {tuple(value.shape)} {_hash(raw)}"
        else:
            yield self.text(type(value))
            yield self.text(inspect.getattr_static(value, "__wrapped__", None))
            # The generator of numpy, which scipy's distributions hold, is as it is at the moment.
            yield self.text(None if isinstance(value, np.random.RandomState) else _state(value))


def _rank(item: Any) -> str:
    """What to sort the items of a set by: their order differs from process to process."""
    if type(item) in PLAIN:
        return f"{type(item).__name__} {item!r}"
    return _hash(_Walk(for_rank=True).all_from(item).encode())


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


def _hash(raw: bytes) -> str:
    return hashlib.sha256(raw).hexdigest()
