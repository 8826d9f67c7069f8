"""A recorded function does, on other tensors, what a call does; make_fx is a second opinion."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Sequence
from typing import Any

import pytest
import torch
from torch import Tensor
from torch.fx.experimental.proxy_tensor import make_fx
from torch.nn import functional as F
from torch.utils._pytree import tree_leaves, tree_map

from synthbench.engine.axis.recording import CannotRecord, Recording
from synthbench.engine.axis.tracing import Traces, replayed, traced


def several(x: Tensor, y: Tensor) -> Any:
    first, second = x.topk(2, dim=-1)
    a, b, c = x.split([1, 1, x.shape[1] - 2], dim=1)
    return {"top": first, "places": second, "rest": (a + b, c), "same": x, "sum": y.sum()}


def in_place(x: Tensor, y: Tensor) -> Any:
    z = torch.zeros_like(x)
    z[:, 0] = y[:, 0]
    z.view(-1)[1:3].add_(x.flatten()[:2])
    return z, z.add_(1).relu_()


def into_the_input(x: Tensor, y: Tensor) -> Any:
    x.mul_(2)
    y[:, 1].copy_(x[:, 0])
    return x.detach().sum()


def constants(x: Tensor, y: Tensor) -> Any:
    table = torch.tensor([1.0, 2.0, 3.0])
    table.add_(1)
    return x[:, :3] * table, torch.full((2,), float("inf")), CAPTURED + x[:, :3]


def dead(x: Tensor, y: Tensor) -> Any:
    torch.linalg.inv(x @ x.T + torch.eye(len(x)))
    return y.exp()


def differentiated(x: Tensor, y: Tensor) -> Any:
    def loss(w: Tensor) -> Tensor:
        h = F.layer_norm(F.gelu(x @ w), (4,))
        return F.cross_entropy(h, torch.arange(len(x)) % 4) + (h[:, 0] * y[:, 0]).mean()

    return torch.func.grad_and_value(loss)(torch.ones(x.shape[1], 4))


def vmapped(x: Tensor, y: Tensor) -> Any:
    return torch.vmap(lambda row, other: (row.outer(other).cumsum(0), row.sort().values))(x, y)


CAPTURED = torch.tensor([5.0, 6.0, 7.0])
FUNCTIONS = [several, in_place, into_the_input, constants, dead, differentiated, vmapped]


def pairs(seed: int) -> tuple[Tensor, Tensor]:
    generator = torch.Generator().manual_seed(seed)
    return torch.randn(5, 6, generator=generator), torch.randn(5, 6, generator=generator)


@pytest.mark.parametrize("function", FUNCTIONS, ids=lambda f: f.__name__)
def test_it_does_what_a_call_does(function: Callable[..., Any]) -> None:
    replayed = traced(function)
    replayed(*pairs(0))
    by_make_fx = make_fx(function)(*pairs(0))
    for seed in (1, 2, 1):
        given, own, other = pairs(seed), pairs(seed), pairs(seed)
        expected, found, second = function(*given), replayed(*own), by_make_fx(*other)
        for a, b, c in zip(*map(tree_leaves, (expected, found, second)), strict=True):
            assert torch.equal(torch.as_tensor(a), torch.as_tensor(b))
            assert torch.equal(torch.as_tensor(b), torch.as_tensor(c))
        assert tree_map(type, expected) == tree_map(type, found)
        for a, b in zip(given, own, strict=True):
            assert torch.equal(a, b), "it writes into its arguments as the function does"


def test_other_shapes_and_types_are_traced_anew() -> None:
    calls = []

    def function(x: Tensor) -> Tensor:
        calls.append(x.shape)
        return x * x.shape[0]

    replayed = traced(function)
    for x in (torch.ones(2), torch.ones(3), torch.ones(2), torch.ones(2, dtype=torch.float64)):
        assert torch.equal(replayed(x), x * len(x)) and replayed(x).dtype == x.dtype
    assert len(calls) == 3


def test_a_number_that_depends_on_nothing_may_be_read() -> None:
    replayed = traced(lambda x: x * torch.arange(3).sum().item())
    assert replayed(torch.ones(2)).tolist() == replayed(torch.ones(2)).tolist() == [3.0, 3.0]


@pytest.mark.parametrize(
    "function",
    [lambda x: x * x.sum().item(), lambda x: x.nonzero(), lambda x: x * int(torch.equal(x, x))],
)
def test_what_would_be_frozen_is_refused(function: Callable[[Tensor], Tensor]) -> None:
    with pytest.raises(CannotRecord, match="values of tensors"):
        traced(function)(torch.arange(3.0))


def test_a_result_that_is_no_tensor_is_not_recorded() -> None:
    """`promote_types` gives a type, which no compiler takes for an operation."""

    def function(x: Tensor) -> Tensor:
        torch.ops.aten.promote_types(torch.int64, x.dtype)
        return x + 1

    recordings: list[Recording] = []

    def watched(recording: Recording, leaves: Sequence[Tensor]) -> Callable[..., Any]:
        recordings.append(recording)
        return replayed(recording, leaves)

    assert traced(function, watched)(torch.ones(2)).tolist() == [2.0, 2.0]
    assert recordings[0].operations == len(recordings[0].program.lines) == 1


def test_integers_may_index_and_masks_may_not() -> None:
    def chosen(x: Tensor, places: Tensor) -> Tensor:
        return x[places] + x[:, places].sum(0)

    replay = traced(chosen)
    for seed in (0, 1, 2):
        x = torch.randn(4, 4, generator=torch.Generator().manual_seed(seed))
        places = torch.tensor([seed, 3, 0, 0])
        assert torch.equal(replay(x, places), chosen(x, places))
    mask = torch.tensor([True, False, True, True])
    for each in (mask, mask.to(torch.uint8)):
        with pytest.raises(CannotRecord, match="values of tensors"), warnings.catch_warnings():
            warnings.simplefilter("ignore")
            traced(lambda x, chosen: x[chosen])(torch.ones(4, 2), each)


def test_it_is_known_which_inputs_are_written_into() -> None:
    def function(read: Tensor, through_a_view: Tensor, out: Tensor) -> Tensor:
        through_a_view[:, 1].mul_(2)
        return torch.add(read, 1, out=out)

    written: list[tuple[bool, ...]] = []

    def watched(recording: Recording, leaves: Sequence[Tensor]) -> Callable[..., Any]:
        written.append(recording.written)
        return replayed(recording, leaves)

    traced(function, watched)(*(torch.ones(3, 3) for _ in range(3)))
    assert written == [(False, True, True)]


def test_views_that_change_nothing_or_undo_one_another_are_no_operations() -> None:
    def function(x: Tensor) -> Tensor:
        same = x.expand(3, 4).view(3, 4).transpose(0, 1).transpose(0, 1)
        return same + same.view(12).view(3, 4)

    seen: list[Recording] = []

    def watched(recording: Recording, leaves: Sequence[Tensor]) -> Callable[..., list[Any]]:
        seen.append(recording)
        return replayed(recording, leaves)

    x = torch.arange(12.0).reshape(3, 4)
    assert torch.equal(traced(function, watched)(x), 2 * x)
    assert seen[0].operations == 1


def test_what_is_written_into_such_a_view_is_written_into_the_input() -> None:
    def function(x: Tensor) -> Tensor:
        before = x.clone()
        x.view(12).view(3, 4).add_(1)
        return before

    recorded = traced(function)
    for _ in range(2):
        x = torch.zeros(3, 4)
        assert torch.equal(recorded(x), torch.zeros(3, 4)) and torch.equal(x, torch.ones(3, 4))


def test_the_first_arguments_can_be_bound() -> None:
    traces = Traces(lambda state, x: {"y": state["w"] * x})
    weights = {"w": torch.full((2, 1), 3.0)}
    bound = traces.bound(weights)
    for columns in (2, 5):
        x = torch.ones(2, columns)
        assert torch.equal(bound(x)["y"], 3 * x)
        assert torch.equal(traces.bound()(weights, x)["y"], 3 * x)
    weights["w"].mul_(2)
    assert torch.equal(bound(torch.ones(2, 2))["y"], torch.full((2, 2), 6.0))
