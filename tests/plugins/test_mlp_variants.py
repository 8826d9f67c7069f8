"""The residual MLP and the mixture of experts, written out."""

from __future__ import annotations

import pytest
import torch
from pydantic import ValidationError
from torch import Tensor

import synthbench as sb
from synthbench.engine.inspection.cell import inspect_cell
from synthbench.plan.cell import Cell
from synthbench.registry.registry import installed

PORTS = [(sb.Signs(6), sb.Margin()), (sb.Reals(2, 3), sb.Value(2, 2))]


def build(reference: str, interface: sb.Interface) -> torch.nn.Module:
    torch.manual_seed(0)
    return installed().model(reference).build(interface).double()


def normed(h: Tensor) -> Tensor:
    centred = h - h.mean(-1, keepdim=True)
    return centred / (centred.square().mean(-1, keepdim=True) + 1e-5).sqrt()


@pytest.mark.parametrize(("given", "wanted"), PORTS, ids=repr)
def test_the_residual_stream_is_its_formula(given: sb.Port, wanted: sb.Port) -> None:
    module = build("residual-mlp width=5 depth=2 expand=3", sb.Interface(given, wanted))
    w = dict(module.named_parameters())
    x = torch.randn(7, *given.shape, dtype=torch.float64)
    h = x.flatten(1) @ w["hidden.0.weight"].T + w["hidden.0.bias"]
    for block in ("hidden.1.branch", "hidden.2.branch"):
        assert w[f"{block}.1.weight"].shape == (15, 5)
        inner = (normed(h) @ w[f"{block}.1.weight"].T + w[f"{block}.1.bias"]).relu()
        h = h + inner @ w[f"{block}.3.weight"].T + w[f"{block}.3.bias"]
    expected = normed(h) @ w["readout.weight"].T + w["readout.bias"]
    torch.testing.assert_close(module(x), expected.reshape(7, *wanted.shape))


@pytest.mark.parametrize("top", [None, 2])
@pytest.mark.parametrize(("given", "wanted"), PORTS, ids=repr)
def test_experts_answer_in_the_routers_shares(
    given: sb.Port, wanted: sb.Port, top: int | None
) -> None:
    fields = "" if top is None else f"top={top}"
    module = build(f"moe-mlp experts=3 width=4 {fields}", sb.Interface(given, wanted))
    w = dict(module.named_parameters())
    x = torch.randn(7, *given.shape, dtype=torch.float64)
    expected = []
    for row in x.flatten(1):
        scores = w["router.scores.weight"] @ row + w["router.scores.bias"]
        order = sorted(range(3), key=lambda e: -scores[e].item())[: top or 3]
        shares = torch.softmax(scores[order], dim=0)
        answer = 0
        for share, e in zip(shares, order, strict=True):
            own = slice(4 * e, 4 * e + 4)
            fields_of = w["experts.hidden.0.weight"][own] @ row + w["experts.hidden.0.bias"][own]
            answer += share * (fields_of.relu() @ w["experts.readout"][e] + w["experts.bias"][e])
        expected.append(answer.reshape(wanted.shape))
    torch.testing.assert_close(module(x), torch.stack(expected))


def test_equal_scores_still_choose_that_many_experts() -> None:
    module = build("moe-mlp experts=4 top=2", sb.Interface(sb.Signs(6), sb.Margin()))
    torch.nn.init.zeros_(module.router.scores.weight)
    torch.nn.init.zeros_(module.router.scores.bias)
    shares = module.router(torch.randn(3, 6).double())
    assert (shares == 0.5).sum(-1).tolist() == [2, 2, 2]
    assert (shares == 0).sum(-1).tolist() == [2, 2, 2]


@pytest.mark.parametrize(
    ("top", "message"), [(5, "at most experts=4, got 5"), (1, "greater than or equal to 2")]
)
def test_too_many_experts_or_one_cannot_answer(top: int, message: str) -> None:
    with pytest.raises((ValidationError, ValueError), match=message):
        installed().model(f"moe-mlp top={top}")


@pytest.mark.parametrize("reference", ["residual-mlp", "moe-mlp top=2"])
def test_causal_outputs_are_refused(reference: str) -> None:
    with pytest.raises(sb.InterfaceError, match="may not see later"):
        installed().model(reference).check_accepts(
            sb.Interface(sb.Signs(4), sb.Margins(4, causal=True))
        )


@pytest.mark.parametrize("reference", ["residual-mlp", "moe-mlp", "moe-mlp top=2", "kan"])
def test_the_vmapped_path_takes_all_of_them(reference: str) -> None:
    registry = installed()
    task, model = registry.task("sparse-parity n=8 k=2"), registry.model(reference)
    assert (
        inspect_cell(Cell(task, model, sb.Protocol(budget=640, seeds=2))).ways.loop_reason is None
    )


@pytest.mark.parametrize("reference", ["residual-mlp width=32", "moe-mlp top=2"])
def test_they_learn_a_parity(reference: str, out, settings: sb.Settings) -> None:
    result = sb.evaluate(
        "sparse-parity n=6 k=2", f"{reference} lr=0.01",
        protocol=sb.Protocol(seeds=2, budget=32_000), out=out, settings=settings,
    )  # fmt: skip
    assert result.record.summary.solved == 2
