"""Compiling recorded operations: torch's inductor fuses them into kernels for their shapes.

A replica's bits are then the same in any company and at any width, as when they are replayed,
but they are other bits: kernels round elsewhere. See `SETTINGS` for what that takes.
"""

from __future__ import annotations

import hashlib
import logging
import time
import warnings
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, redirect_stderr, redirect_stdout
from dataclasses import dataclass, field
from io import StringIO
from typing import Any

import torch
from torch import Tensor, fx, nn

from synthbench.engine.axis.recording import Recording
from synthbench.engine.axis.steady import Steadied
from synthbench.engine.axis.tracing import Execute, replayed
from synthbench.engine.axis.way import Executor
from synthbench.errors import SynthbenchError

SETTINGS: dict[str, Any] = {
    # Short loops over replicas would not be vectorized: their exp and tanh round otherwise.
    "cpp.enable_tiling_heuristics": False,
    # Reductions would be cut among threads where replicas are few. Matrix products are torch's
    # own, and keep theirs.
    "cpp.threads": 1,
    # Worker processes would outlive the evaluation.
    "compile_threads": 1,
}
"""Inductor's settings: without them the bits of a replica depend on how many there are."""
LONGEST_REASON = 200


class CannotCompile(SynthbenchError, RuntimeError):
    """There is no compiler, or it fails; the message is one line."""


@dataclass(frozen=True)
class Program:
    """What a recording is to the compiler.

    kind: hash of its operations; digest: with the shapes of its inputs, on this version of
    torch. numbers: elements of its inputs.
    """

    kind: str
    digest: str
    operations: int
    numbers: int


@dataclass
class Compiler:
    """An `Execute` that compiles. seconds: what it took so far."""

    seconds: float = field(default=0.0, init=False)

    def __call__(self, recording: Recording, leaves: Sequence[Tensor]) -> Callable[..., list[Any]]:
        """Raises CannotCompile."""
        start = time.perf_counter()
        program = _compile(graph_of(recording), leaves)
        self.seconds += time.perf_counter() - start
        return _fitting(recording, program, [leaf.stride() for leaf in leaves])


def executing(executor: Executor) -> Execute:
    """What becomes of recordings under an executor."""
    return Compiler() if executor is Executor.COMPILED else replayed


def program_of(recording: Recording, leaves: Sequence[Tensor]) -> Program:
    """What is known of it before it is compiled."""
    graph = graph_of(recording).graph
    inputs = [(tuple(leaf.shape), leaf.dtype, leaf.stride(), leaf.device.type) for leaf in leaves]
    return Program(
        kind=_hash([node.target for node in graph.nodes]),
        digest=_hash([str(graph), inputs, torch.__version__, sorted(SETTINGS.items())]),
        operations=recording.operations,
        numbers=sum(leaf.numel() for leaf in leaves),
    )


def graph_of(recording: Recording) -> fx.GraphModule:
    """The recorded operations as a graph, of the outputs that are not constants."""
    graph, root = fx.Graph(), nn.Module()
    tracer = fx.proxy.GraphAppendingTracer(graph)
    inputs = {name: tracer.create_proxy("placeholder", name, (), {}) for name in recording.inputs}
    outputs = _made(recording)
    read = recording.program.read(outputs)

    def symbolic(name: str, value: Any) -> Any:
        if isinstance(value, Tensor) and name in read:
            root.register_buffer(name, value.detach())
            return tracer.create_proxy("get_attr", name, (), {})
        # A compiler rounds alike wherever a number lies.
        value = value.operation if isinstance(value, Steadied) else value
        if isinstance(value, torch._ops.OpOverload):
            return lambda *args, **named: tracer.create_proxy("call_function", value, args, named)
        return value

    scope = {name: symbolic(name, value) for name, value in recording.program.scope.items()}
    results = recording.program.function(recording.inputs, outputs, scope)(*inputs.values())
    graph.output([result.node for result in results])
    return fx.GraphModule(root, graph)


def _made(recording: Recording) -> list[str]:
    return [name for name in recording.outputs if name not in recording.program.scope]


def _compile(graph: fx.GraphModule, leaves: Sequence[Tensor]) -> Callable[..., Any]:
    try:
        with _quiet():
            # Here, so that what is not compiled does not wait for the import.
            import torch._inductor.config
            from torch._inductor import standalone_compile

            with torch._inductor.config.patch(SETTINGS):
                return standalone_compile(graph, list(leaves), dynamic_shapes="from_example_inputs")
    # Whatever a compiler, a linker or a graph may raise.
    except Exception as error:
        reason = next((line for line in str(error).splitlines() if line.strip()), "")
        raise CannotCompile(f"{type(error).__name__}: {reason}"[:LONGEST_REASON]) from error


@contextmanager
def _quiet() -> Iterator[None]:
    """Nothing of what compilers say, nor of what torch logs: its handlers know stderr already."""
    before = logging.root.manager.disable
    logging.disable()
    try:
        with warnings.catch_warnings(), redirect_stdout(StringIO()), redirect_stderr(StringIO()):
            warnings.simplefilter("ignore")
            yield
    finally:
        logging.disable(before)


def _fitting(
    recording: Recording, program: Callable[..., Any], strides: Sequence[tuple[int, ...]]
) -> Callable[..., list[Any]]:
    """The program, for inputs of other strides too than those that it was compiled for."""
    places = {name: index for index, name in enumerate(_made(recording))}
    scope = recording.program.scope

    def run(*leaves: Tensor) -> list[Any]:
        own = [_strided(leaf, stride) for leaf, stride in zip(leaves, strides, strict=True)]
        made = program(*own)
        for leaf, copy, written in zip(leaves, own, recording.written, strict=True):
            if written and copy is not leaf:
                leaf.copy_(copy)
        return [made[places[n]] if n in places else scope[n] for n in recording.outputs]

    return run


def _strided(tensor: Tensor, stride: tuple[int, ...]) -> Tensor:
    if tensor.stride() == stride:
        return tensor
    empty = torch.empty_strided(tensor.shape, stride, dtype=tensor.dtype, device=tensor.device)
    return empty.copy_(tensor)


def _hash(content: list[Any]) -> str:
    return hashlib.sha256(repr(content).encode()).hexdigest()
