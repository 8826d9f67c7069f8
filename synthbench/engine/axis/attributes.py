"""What a module keeps in plain attributes: counters, flags, cached tensors."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import torch
from torch import Tensor, nn

OWN = frozenset(vars(nn.Module()))
"""Attributes that every module has."""
DEEPEST = 4
PLAIN = (bool, int, float, str, type(None))

Attributes = dict[str, Any]
"""Path, such as `blocks.0:calls` -> a number, a string, None, or a tensor."""


def attributes_of(module: nn.Module) -> Attributes:
    """Everything plain that can be reached from the module, except parameters and buffers."""
    found: Attributes = {}
    own = {id(tensor) for tensor in (*module.parameters(), *module.buffers())}
    for name, child in module.named_modules():
        for key, value in vars(child).items():
            if key not in OWN:
                found |= dict(_leaves(value, f"{name}:{key}", DEEPEST, own))
    return found


def changed(before: Attributes, after: Attributes) -> list[str]:
    """Paths of what has changed, appeared or gone."""
    names = dict.fromkeys((*before, *after))
    return [n for n in names if n not in before or n not in after or _differ(before[n], after[n])]


def set_attributes(module: nn.Module, saved: Attributes) -> None:
    """Give back what `attributes_of` found, where the place is still there.

    What stands there already is left alone: it may lie where nothing can be assigned.
    """
    children, now = dict(module.named_modules()), attributes_of(module)
    for path, value in saved.items():
        if path in now and not _differ(now[path], value):
            continue
        name, _, rest = path.partition(":")
        keys = rest.split("/")
        holder: Any = vars(children[name]) if name in children else None
        for key in keys[:-1]:
            holder = _inside(holder, key)
        _put(holder, keys[-1], value)


def _leaves(value: Any, path: str, depth: int, own: set[int]) -> Iterator[tuple[str, Any]]:
    if isinstance(value, Tensor):
        # A copy: one that is written into would seem unchanged.
        if id(value) not in own:
            yield path, value.detach().clone()
    elif isinstance(value, PLAIN):
        yield path, value
    elif depth and not isinstance(value, nn.Module | type):
        for key, part in _parts(value).items():
            yield from _leaves(part, f"{path}/{key}", depth - 1, own)


def _parts(value: Any) -> dict[Any, Any]:
    if isinstance(value, dict):
        return value
    if isinstance(value, list | tuple):
        return dict(enumerate(value))
    return vars(value) if type(value).__module__ != "builtins" and _has_dict(value) else {}


def _has_dict(value: Any) -> bool:
    try:
        return isinstance(vars(value), dict)
    except TypeError:
        return False


def _inside(holder: Any, key: str) -> Any:
    parts = _parts(holder) if holder is not None else {}
    return next((part for own, part in parts.items() if str(own) == key), None)


def _put(holder: Any, key: str, value: Any) -> None:
    if isinstance(holder, list):
        if int(key) < len(holder):
            holder[int(key)] = value
        else:
            holder.append(value)
    elif isinstance(holder, dict):
        holder[next((own for own in holder if str(own) == key), key)] = value
    elif holder is not None and _has_dict(holder):
        setattr(holder, key, value)


def _differ(one: Any, other: Any) -> bool:
    if isinstance(one, Tensor) and isinstance(other, Tensor):
        return one.shape != other.shape or not torch.equal(one, other.to(one.dtype))
    return type(one) is not type(other) or bool(one != other)
