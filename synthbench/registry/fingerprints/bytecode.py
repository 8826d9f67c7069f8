"""What a piece of bytecode refers to by name."""

from __future__ import annotations

import dis
from collections.abc import Iterator
from types import CodeType
from typing import Any


def global_names(code: CodeType) -> Iterator[str]:
    """The names that are looked up outside of the function; attributes are not among them."""
    for part in _codes(code):
        for instruction in dis.get_instructions(part):
            name = instruction.opname
            if name.startswith("LOAD_") and ("GLOBAL" in name or name == "LOAD_NAME"):
                yield str(instruction.argval)


def imported_names(code: CodeType) -> Iterator[str]:
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


def words(code: CodeType) -> Iterator[str]:
    """Every name but those of variables: globals, attributes, modules."""
    for part in _codes(code):
        yield from part.co_names


def _codes(code: CodeType) -> Iterator[CodeType]:
    """A code object and those inside it: lambdas, comprehensions, inner functions and classes."""
    yield code
    for constant in code.co_consts:
        if isinstance(constant, CodeType):
            yield from _codes(constant)
