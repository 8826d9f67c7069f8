"""Recording the operations of a function on tensors, as a program that repeats them.

What `torch.fx.experimental.proxy_tensor.make_fx` does for the compiler, without what only a
compiler needs: a few microseconds for each operation instead of one millisecond, which is most of
what setting up a small network takes.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import torch
from torch import Tensor
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_leaves
from torch.utils.weak import WeakTensorKeyDictionary

from synthbench.engine.axis.steady import steady

aten: Any = torch.ops.aten
DEPENDENT = (torch.Tag.data_dependent_output, torch.Tag.dynamic_output_shape)
MASKS = (torch.bool, torch.uint8)
"""Types of indices that choose as many elements as are set; integers choose what they number."""


class CannotRecord(RuntimeError):
    """A result that would be frozen: a number or a shape that depends on the tensors' values."""


@dataclass
class Program:
    """Operations in their order; tensors go by names, everything else by constants."""

    lines: list[Line] = field(default_factory=list)
    scope: dict[str, Any] = field(default_factory=dict)

    def constant(self, value: Any) -> str:
        """The name of a value that is the same at every run."""
        name = f"c{len(self.scope)}"
        self.scope[name] = value
        return name

    def function(
        self, inputs: Sequence[str], outputs: Sequence[str], scope: Mapping[str, Any]
    ) -> Callable[..., Any]:
        """A function of the inputs, in their order, that returns the outputs as a list.

        scope: what the constants' names stand for, the operations' among them.
        """
        needed = _needed(self.lines, outputs)
        kept = _freed([line.source for line in needed], [line.names for line in needed], outputs)
        source = "\n    ".join([f"def program({', '.join(inputs)}):", *kept])
        source += f"\n    return [{', '.join(outputs)}]"
        filled = dict(scope)
        exec(compile(source, "<recorded operations>", "exec"), filled)
        program: Callable[..., Any] = filled["program"]
        return program

    def read(self, outputs: Sequence[str]) -> set[str]:
        """Names of the tensors that lead to an output or are written into."""
        return {name for line in _needed(self.lines, outputs) for name in line.names}


@dataclass(frozen=True)
class Line:
    """One operation. names: of tensors that are read; made: of those that it makes."""

    source: str
    names: tuple[str, ...]
    made: tuple[str, ...]
    writes: bool


@dataclass(frozen=True)
class Recording:
    """A program with the names of its inputs and outputs.

    written: of every input, whether the program writes into it.
    """

    program: Program
    inputs: tuple[str, ...]
    outputs: tuple[str, ...]
    written: tuple[bool, ...]

    @property
    def operations(self) -> int:
        """How many it does."""
        return len(_needed(self.program.lines, self.outputs))


class Recorder(TorchDispatchMode):  # type: ignore[no-untyped-call]
    """Writes down every operation while it is active, below vmap and autograd."""

    def __init__(self, inputs: Sequence[Tensor]) -> None:
        """inputs: the tensors that will be others when the program runs."""
        super().__init__()  # type: ignore[no-untyped-call]
        self.program = Program()
        self._names = WeakTensorKeyDictionary()
        # View -> that of which it is one.
        self._viewed = WeakTensorKeyDictionary()
        # Names of what depends on the inputs; the rest is the same at every run.
        self._dependent: set[str] = set()
        self._count = 0
        self._written: set[int] = set()
        self._storages = [_storage(tensor) for tensor in inputs]
        self._inputs = [self._new(tensor, dependent=True) for tensor in inputs]

    def __torch_dispatch__(
        self, func: Any, types: Any, args: tuple[Any, ...] = (), kwargs: Any = None
    ) -> Any:
        """Run the operation, and write it down."""
        named = kwargs or {}
        if func is aten.lift_fresh.default:
            # The program must not write into its own constants.
            func = aten.lift_fresh_copy.default
        read = tuple(dict.fromkeys(self._named(tree_leaves((args, named)))))
        dependent = any(name in self._dependent for name in read)
        if dependent and _is_dependent(func, args):
            raise CannotRecord(f"{func} depends on the values of tensors, as .item() does")
        called = steady(func, args)
        # Named before it runs: it may write into what it reads.
        call = self._call(called, args, named)
        writes = bool(func._schema.is_mutable)
        if writes:
            self._written.update(map(_storage, _written(func, args, named)))
        result = called(*args, **named)
        if writes or not self._is_seen_already(result, args):
            self._write(call, read, result, dependent, writes)
        return result

    def _is_seen_already(self, result: Any, args: tuple[Any, ...]) -> bool:
        """Whether this is a view of the very numbers that have a name, which it then shares.

        Under vmap every product is wrapped in views that change nothing, or undo one another.
        """
        source = args[0] if args else None
        if not (isinstance(result, Tensor) and isinstance(source, Tensor)):
            return False
        if _storage(result) != _storage(source):
            return False
        self._viewed[result] = source
        while source is not None:
            if _lies_as(result, source):
                self._names[result] = self.name(source)
                return True
            source = self._viewed.get(source)  # type: ignore[no-untyped-call]
        return False

    def recording(self, results: Sequence[Any]) -> Recording:
        """What was recorded, as a program that gives these results."""
        outputs = tuple(self._output(result) for result in results)
        written = tuple(storage in self._written for storage in self._storages)
        return Recording(self.program, tuple(self._inputs), outputs, written)

    def _output(self, result: Any) -> str:
        return self.name(result) if isinstance(result, Tensor) else self.program.constant(result)

    def name(self, tensor: Tensor) -> str:
        """That of a tensor; one that was not seen before is a constant."""
        if tensor not in self._names:
            self._names[tensor] = self.program.constant(tensor)
        found: str = self._names[tensor]
        return found

    def _named(self, leaves: Sequence[Any]) -> Iterator[str]:
        return (self.name(leaf) for leaf in leaves if isinstance(leaf, Tensor))

    def _call(self, func: Any, args: tuple[Any, ...], named: dict[str, Any]) -> str:
        parts = [self._source(value) for value in args]
        parts += [f"{key}={self._source(value)}" for key, value in named.items()]
        return f"{self.program.constant(func)}({', '.join(parts)})"

    def _source(self, value: Any) -> str:
        if isinstance(value, Tensor):
            return self.name(value)
        if isinstance(value, list | tuple):
            return f"[{', '.join(self._source(part) for part in value)}]"
        if value is None or isinstance(value, bool | int):
            return repr(value)
        return self.program.constant(value)

    def _write(
        self, call: str, read: tuple[str, ...], result: Any, dependent: bool, writes: bool
    ) -> None:
        parts = list(result) if isinstance(result, list | tuple) else [result]
        if result is not None and not any(isinstance(part, Tensor) for part in parts):
            return  # A type or a number, the same at every run.
        fresh = [(i, p) for i, p in enumerate(parts) if isinstance(p, Tensor) and self._is_new(p)]
        made = tuple(self._new(part, dependent) for _, part in fresh)
        if dependent and writes:
            self._dependent |= set(read)
        if not made:
            source = call
        elif result is parts[0]:
            source = f"{made[0]} = {call}"
        else:
            whole = f"r{self._count}"
            picked = [f"{name} = {whole}[{i}]" for (i, _), name in zip(fresh, made, strict=True)]
            source = "; ".join([f"{whole} = {call}", *picked, f"{whole} = None"])
        self.program.lines.append(Line(source, read, made, writes or not made))

    def _is_new(self, tensor: Tensor) -> bool:
        return tensor not in self._names

    def _new(self, tensor: Tensor, dependent: bool) -> str:
        name = f"t{self._count}"
        self._count += 1
        self._names[tensor] = name
        if dependent:
            self._dependent.add(name)
        return name


def _is_dependent(func: Any, args: tuple[Any, ...]) -> bool:
    """Whether a number or a shape that it gives back depends on the tensors' values."""
    if func is aten.index.Tensor:
        return any(index is not None and index.dtype in MASKS for index in args[1])
    return any(tag in func.tags for tag in DEPENDENT)


def _written(func: Any, args: tuple[Any, ...], named: dict[str, Any]) -> list[Tensor]:
    """The tensors that it writes into."""
    found = []
    for index, argument in enumerate(func._schema.arguments):
        if argument.alias_info is not None and argument.alias_info.is_write:
            given = args[index] if index < len(args) else named.get(argument.name)
            found += [leaf for leaf in tree_leaves(given) if isinstance(leaf, Tensor)]
    return found


def _storage(tensor: Tensor) -> int:
    return int(tensor.untyped_storage()._cdata)


def _lies_as(one: Tensor, other: Tensor) -> bool:
    """Whether two tensors of one storage hold the same numbers in the same places."""
    return (
        one.dtype == other.dtype
        and one.shape == other.shape
        and one.stride() == other.stride()
        and one.storage_offset() == other.storage_offset()
    )


def _needed(lines: Sequence[Line], outputs: Sequence[str]) -> list[Line]:
    """Those that lead to an output, or write into a tensor."""
    wanted, kept = set(outputs), []
    for line in reversed(lines):
        if line.writes or wanted.intersection(line.made):
            wanted.update(line.names)
            kept.append(line)
    return kept[::-1]


def _freed(
    sources: Sequence[str], names: Sequence[tuple[str, ...]], outputs: Sequence[str]
) -> list[str]:
    """The same lines, letting go of every tensor after its last use."""
    last = {name: index for index, read in enumerate(names) for name in read}
    for name in outputs:
        last.pop(name, None)
    dying: dict[int, list[str]] = {}
    for name, index in last.items():
        if name.startswith("t"):
            dying.setdefault(index, []).append(name)
    return [
        "; ".join([source, *(f"{name} = None" for name in dying.get(index, ()))])
        for index, source in enumerate(sources)
    ]
