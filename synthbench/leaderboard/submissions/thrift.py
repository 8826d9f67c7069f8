"""Thrift's compact protocol, as far as parquet files use it.

The metadata of a parquet file and the header of each of its pages are structs in this form.
Source: https://github.com/apache/thrift/blob/master/doc/specs/thrift-compact-protocol.md.
"""

from __future__ import annotations

from collections.abc import Callable
from enum import IntEnum
from typing import Any

DEEPEST = 12
"""Structs and lists within one another."""


class Kind(IntEnum):
    """Types of fields, by their number in the protocol."""

    TRUE = 1
    FALSE = 2
    BYTE = 3
    SHORT = 4
    INT = 5
    LONG = 6
    DOUBLE = 7
    BINARY = 8
    LIST = 9
    STRUCT = 12


Struct = dict[int, tuple[Kind, Any]]
"""Number of a field -> its type and value."""


def field(struct: Struct, number: int, kind: Kind) -> Any:
    """A field's value, None where it is absent; ValueError where it is of another type.

    Readers skip a field of an unexpected type, and would see another struct than we do.
    """
    if not isinstance(struct, dict):
        raise ValueError("a value where a struct should be")
    found, value = struct.get(number, (kind, None))
    if found != kind:
        raise ValueError("a field of an unexpected type")
    return value


def required(struct: Struct, number: int, kind: Kind) -> Any:
    """A field's value; ValueError where it is absent or of another type."""
    value = field(struct, number, kind)
    if value is None:
        raise ValueError("a field that is missing")
    return value


def read_struct(data: memoryview, position: int = 0) -> tuple[Struct, int]:
    """The struct at a position, and where it ends; ValueError where there is none."""
    try:
        return _struct(data, position, DEEPEST)
    except IndexError:
        raise ValueError("a struct that is cut off") from None


def _struct(data: memoryview, position: int, depth: int) -> tuple[Struct, int]:
    fields: Struct = {}
    number = 0
    while (head := data[position]) != 0:
        step, kind, position = head >> 4, Kind(head & 0x0F), position + 1
        if step:
            number += step
        else:
            number, position = _integer(data, position)
        if number in fields:
            raise ValueError("a field that is given twice")
        if kind in (Kind.TRUE, Kind.FALSE):
            fields[number] = kind, kind is Kind.TRUE
            continue
        value, position = _value(data, position, kind, depth)
        fields[number] = kind, value
    return fields, position + 1


def _value(data: memoryview, position: int, kind: Kind, depth: int) -> tuple[Any, int]:
    if kind in (Kind.LIST, Kind.STRUCT):
        if not depth:
            raise ValueError("structs too deep in one another")
        nested: Callable[..., tuple[Any, int]] = _struct if kind is Kind.STRUCT else _list
        return nested(data, position, depth - 1)
    if kind in (Kind.SHORT, Kind.INT, Kind.LONG):
        value, position = _integer(data, position)
        bits = {Kind.SHORT: 16, Kind.INT: 32, Kind.LONG: 64}[kind]
        if not -(2 ** (bits - 1)) <= value < 2 ** (bits - 1):
            raise ValueError("a number of too many bits")
        return value, position
    length = {Kind.DOUBLE: 8}.get(kind, 1)
    if kind is Kind.BINARY:
        length, position = _varint(data, position)
    if position + length > len(data):
        raise ValueError("a value that is cut off")
    return bytes(data[position : position + length]), position + length


def _list(data: memoryview, position: int, depth: int) -> tuple[list[Any], int]:
    head = data[position]
    size, kind, position = head >> 4, Kind(head & 0x0F), position + 1
    if size == 15:
        size, position = _varint(data, position)
    if size > len(data) - position:
        raise ValueError("a list that is cut off")
    values = []
    for _ in range(size):
        value, position = _value(data, position, kind, depth)
        values.append(value)
    return values, position


def _integer(data: memoryview, position: int) -> tuple[int, int]:
    """A signed number in zigzag form."""
    raw, position = _varint(data, position)
    return (raw >> 1) ^ -(raw & 1), position


def _varint(data: memoryview, position: int) -> tuple[int, int]:
    """Seven bits a byte, the lowest first, at most ten bytes."""
    value = 0
    for shift in range(0, 70, 7):
        byte = data[position]
        position += 1
        value |= (byte & 0x7F) << shift
        if byte < 0x80:
            return value, position
    raise ValueError("a number of too many bytes")
