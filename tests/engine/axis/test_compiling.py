"""Compiled recordings give what replayed ones give, up to rounding, and the same in any company.

`pytest -m slow` adds more functions, every width from 2 to 17, sequence models, and a process that
has no compiler from the start.
"""

from __future__ import annotations

import logging
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor
from torch._dynamo.utils import counters
from torch._inductor import cpp_builder, cpu_vec_isa
from torch.nn import functional as F
from torch.utils._pytree import tree_leaves, tree_map

import synthbench as sb
from synthbench.engine.axis.compiling import CannotCompile, Compiler, _quiet
from synthbench.engine.axis.replicas import stacked_replicas
from synthbench.engine.axis.tracing import replayed, traced
from synthbench.engine.axis.way import Way
from synthbench.engine.data.sampling import batch_at, draw_worlds
from synthbench.engine.data.training_data import training_data
from synthbench.engine.training.cell_functions import stacked_functions
from synthbench.plan.cell import Cell
from synthbench.registry.registry import installed
from synthbench.streams import keys_of, noise_keys
from tests.engine.axis.test_tracing import FUNCTIONS, constants, into_the_input, several


def inputs(width: int) -> tuple[Tensor, ...]:
    """Of replicas with a number each, a few, and so many that vectors do not divide them."""
    generator = torch.Generator().manual_seed(0)
    shapes = [(17,), (17, 3), (17, 11, 37)]
    return tuple(torch.randn(shape, generator=generator)[:width].clone() for shape in shapes)


def rounded_in_vectors(*tensors: Tensor) -> list[Tensor]:
    """What has one rounding in a vector of numbers and another outside, and long sums."""
    found = []
    for x in tensors:
        positive = x.abs() + 0.1
        found += [x.exp(), positive.log(), x.tanh(), x.sigmoid(), F.gelu(x), positive**1.7, x.sin()]
    for x in tensors[1:]:
        found += [x.softmax(-1), x.logsumexp(-1), x.flatten(1).var(-1), x.cumsum(-1)]
        found += [x.flatten(1).exp().mean(-1), x.flatten(1).double().sum(-1)]
    last = tensors[-1]
    return [*found, last.softmax(1), last.sum(1), (last @ last.mT).exp().sum((1, 2))]


def few_rounded_in_vectors(*tensors: Tensor) -> list[Tensor]:
    """A few of them: each is a kernel for g++."""
    last = tensors[-1]
    found = [f(x) for x, f in ((tensors[0], torch.exp), (last, torch.tanh))]
    return [*found, last.softmax(-1), last.flatten(1).double().sum(-1)]


@pytest.mark.parametrize(
    ("widths", "function"),
    [
        ((2, 17), few_rounded_in_vectors),
        pytest.param(tuple(range(2, 18)), rounded_in_vectors, marks=pytest.mark.slow),
    ],
)
def test_a_replica_has_the_same_bits_at_any_width_and_place(
    widths: tuple[int, ...], function: Callable[..., list[Tensor]]
) -> None:
    compiled, first = traced(function, Compiler()), None
    for width in widths:
        found = compiled(*inputs(width))
        reversed_ = compiled(*(x.flip(0) for x in inputs(width)))
        first = first or found
        for expected, own, other in zip(first, found, reversed_, strict=True):
            assert torch.equal(expected, own[:2])
            assert torch.equal(expected, other.flip(0)[:2])
    for expected, own in zip(function(*inputs(2)), first, strict=True):
        torch.testing.assert_close(own, expected, rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize(
    "functions",
    [
        # What they return, constants among it, and what they write.
        (several, into_the_input, constants),
        pytest.param(tuple(FUNCTIONS), marks=pytest.mark.slow),
    ],
    ids=["few", "all"],
)
def test_it_does_what_a_replay_does_and_writes_into_its_inputs(
    functions: tuple[Callable[..., Any], ...],
) -> None:
    def everything(x: Tensor, y: Tensor) -> Any:
        return [function(x.clone(), y.clone()) for function in functions], into_the_input(x, y)

    def pairs(seed: int) -> tuple[Tensor, Tensor]:
        generator = torch.Generator().manual_seed(seed)
        return torch.randn(5, 6, generator=generator), torch.randn(5, 6, generator=generator)

    compiled, replay = traced(everything, Compiler()), traced(everything)
    for seed in (1, 2, 1):
        given, own = pairs(seed), pairs(seed)
        if seed == 2:
            # Of other strides than those that it was compiled for.
            own = tuple(x.T.clone().T for x in own)
        expected, found = replay(*given), compiled(*own)
        assert tree_map(type, expected) == tree_map(type, found)
        for a, b in zip(tree_leaves((expected, given)), tree_leaves((found, own)), strict=True):
            torch.testing.assert_close(torch.as_tensor(b), torch.as_tensor(a))
    assert not torch.equal(own[0], pairs(1)[0]), "it was written into"


def test_what_was_compiled_once_is_found_again() -> None:
    def function(x: Tensor) -> Tensor:
        return (x.exp() * 3.0).sum(-1)

    hits = counters["aot_autograd"]["autograd_cache_hit"]
    for again in (0, 1):
        compiler = Compiler()
        traced(function, compiler)(torch.ones(3, 7))
        assert counters["aot_autograd"]["autograd_cache_hit"] >= hits + again
        assert compiler.seconds > 0


WITHOUT_COMPILER = """
import torch
from synthbench.engine.axis.compiling import CannotCompile, Compiler, _quiet
from synthbench.engine.axis.tracing import traced

try:
    traced(lambda x: x.exp() * 1.25 + x.sum(), Compiler())(torch.ones(5, 3))
except CannotCompile as error:
    print(error)
"""


@pytest.fixture
def no_compiler(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """torch finds none, and nothing that was compiled before."""
    # What its compiler can do torch remembers for good: asked while there is one.
    assert cpu_vec_isa.pick_vec_isa()
    monkeypatch.setenv("TORCHINDUCTOR_CACHE_DIR", str(tmp_path))
    cpp_builder.cpp_compiler_search.cache_clear()
    with torch._inductor.config.patch({"cpp.cxx": ("no-such-compiler",)}):
        yield
    cpp_builder.cpp_compiler_search.cache_clear()


@pytest.mark.usefixtures("no_compiler")
def test_a_compiler_that_is_gone_is_one_line(capfd: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(CannotCompile, match=r"No working C\+\+ compiler") as caught:
        traced(lambda x: x.exp() * 1.25 + x.sum(), Compiler())(torch.ones(5, 3))
    assert len(str(caught.value).splitlines()) == 1
    assert capfd.readouterr() == ("", "")


def test_nothing_of_what_torch_logs_while_it_compiles_is_shown() -> None:
    """Its handlers write to the stderr that there was when torch was imported."""
    seen, log = StringIO(), logging.getLogger("torch._inductor")
    handler = logging.StreamHandler(seen)
    log.addHandler(handler)
    try:
        with _quiet():
            logging.getLogger("torch._inductor.scheduler").critical("error in a kernel")
        assert seen.getvalue() == ""
        logging.getLogger("torch._inductor.scheduler").critical("later")
        assert seen.getvalue() == "later\n"
    finally:
        log.removeHandler(handler)


@pytest.mark.slow
def test_without_a_compiler_there_is_one_line(tmp_path: Path) -> None:
    """In a process of its own: torch remembers for good what its compiler can do."""
    own = {**os.environ, "CXX": "no-such-compiler", "TORCHINDUCTOR_CACHE_DIR": str(tmp_path)}
    command = [sys.executable, "-c", WITHOUT_COMPILER]
    found = subprocess.run(command, env=own, capture_output=True, text=True, check=True)
    assert found.stderr == "" and len(found.stdout.splitlines()) == 1
    assert "No working C++ compiler" in found.stdout


def gradients(task: str, model: str, build: Callable[[], Any]) -> list[Tensor]:
    """Losses, gradients and buffers of three replicas after a step on their own data."""
    registry = installed()
    cell = Cell(registry.task(task), registry.model(model), sb.Protocol(seeds=3))
    seeds = cell.replica_seeds()
    replicas = stacked_replicas(cell.model, cell.interface, [each.init for each in seeds])
    worlds = draw_worlds(cell.task, keys_of([each.world for each in seeds]))
    keys = keys_of([each.train for each in seeds])
    batch = batch_at(training_data(cell, worlds, keys).batches(range(1), 4), 0)
    found = stacked_functions(cell, Way.TRACED, build()).gradients
    noise = noise_keys(keys, range(1))[0]
    return tree_leaves(
        (found(replicas.parameters, replicas.buffers, batch, noise), replicas.buffers)
    )


@pytest.mark.parametrize(
    ("task", "model"),
    [
        ("sparse-parity n=10 k=2", "mlp width=16"),
        *(
            pytest.param("markov length=8 last=4", model, marks=pytest.mark.slow)
            for model in ("transformer layers=1 width=16", "gru width=8")
        ),
    ],
)
def test_bundled_models_have_the_gradients_of_a_replay(task: str, model: str) -> None:
    expected = gradients(task, model, lambda: replayed)
    found = gradients(task, model, Compiler)
    for one, other in zip(expected, found, strict=True):
        torch.testing.assert_close(other, one, rtol=1e-4, atol=1e-6)
