"""A plugin's optimizer on stacked parameters is each replica's own optimizer."""

from __future__ import annotations

import io
import re
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor, nn

import synthbench as sb
from synthbench.engine.inspection.cell import inspect_cell
from synthbench.engine.optimizers.build import build_optimizer, learning_rate_factor
from synthbench.engine.optimizers.replica_optimizer import ReplicaOptimizer
from synthbench.engine.optimizers.trial import optimizer_loop_reason
from synthbench.engine.training.block import Block, TrainerOptions, train_block
from synthbench.errors import ModelError
from synthbench.plan.cell import Cell, ReplicaSeeds
from synthbench.registry.kinds import MODEL
from synthbench.registry.registry import installed
from tests.engine.optimizing import (
    AnchoredStep,
    LateStep,
    LookaheadStep,
    Normalized,
    NormalizedStep,
    Reading,
    ReplacingStep,
    StepCountingStep,
    StumblingStep,
    WhiteningStep,
    optimizer,
    step_one,
    torch_optimizer,
)

SHAPES = {"first.weight": (7, 5), "first.bias": (7,), "second.weight": (1, 7)}
REPLICAS, STEPS = 6, 7
RECIPE = sb.Recipe(lr=0.05, weight_decay=0.1)
MUON = installed().optimizer("muon")

Named = dict[str, Tensor]


def draws(seed: int = 0) -> tuple[Named, list[Named]]:
    generator = torch.Generator().manual_seed(seed)

    def draw() -> Named:
        return {n: torch.randn(REPLICAS, *s, generator=generator) for n, s in SHAPES.items()}

    return draw(), [draw() for _ in range(STEPS)]


def stepped(
    chosen: sb.Optimizer, start: Named, gradients: list[Named], looped: bool, rates: Any = None
) -> Named:
    stacked = {name: tensor.clone() for name, tensor in start.items()}
    stepper = ReplicaOptimizer(chosen, RECIPE, stacked, looped)
    for index, step in enumerate(gradients):
        for name, tensor in stacked.items():
            tensor.grad = step[name].clone()
        if rates is not None:
            stepper.param_groups[0]["lr"] = RECIPE.lr * rates(index)
        stepper.step()
    return stacked


def part(tensors: Named, rows: slice) -> Named:
    return {name: tensor[rows] for name, tensor in tensors.items()}


def test_muon_is_torchs_muon_and_adamw_of_each_replica() -> None:
    """To the bit, with a schedule: written without the plugin."""
    start, gradients = draws()
    rates = learning_rate_factor(sb.Recipe(schedule="linear"), STEPS)
    found = stepped(MUON, start, gradients, looped=True, rates=rates)
    for r in range(REPLICAS):
        own = {name: nn.Parameter(tensor[r].clone()) for name, tensor in start.items()}
        steppers = [
            torch.optim.Muon(
                [own["first.weight"], own["second.weight"]],
                lr=0.05, momentum=0.95, nesterov=True, weight_decay=0.1,
            ),
            torch.optim.AdamW([own["first.bias"]], lr=0.05, weight_decay=0.1),
        ]  # fmt: skip
        for index, step in enumerate(gradients):
            for stepper in steppers:
                stepper.param_groups[0]["lr"] = 0.05 * rates(index)
            step_one(steppers, {name: g[r] for name, g in step.items()}, own)
        for name, parameter in own.items():
            assert torch.equal(found[name][r], parameter.detach()), name


def test_muon_moves_a_matrix_alike_along_all_singular_directions() -> None:
    """The first update of a matrix is nearly orthogonal, whatever its gradient's spectrum."""
    gradient = torch.diag(torch.tensor([100.0, 1.0, 0.01]))[None].repeat(2, 1, 1)
    stacked = {"weight": torch.zeros(2, 3, 3)}
    stepper = ReplicaOptimizer(MUON, sb.Recipe(lr=1.0), stacked, looped=True)
    stacked["weight"].grad = gradient
    stepper.step()
    values = torch.linalg.svdvals(stacked["weight"][0])
    assert values[0] < 1.3 and values[1] > 0.5, "SGD's would be 100 and 1"


def test_layers_named_for_adamw_are_left_to_adamw() -> None:
    start, gradients = draws()
    chosen = installed().optimizer("muon adamw=second,first.bias adamw_lr_ratio=0.5")
    found = stepped(chosen, start, gradients, looped=True)
    adamw = torch_optimizer(torch.optim.AdamW, weight_decay=0.1, foreach=False)
    half = {n: t for n, t in start.items() if n != "first.weight"}
    stacked = {name: tensor.clone() for name, tensor in half.items()}
    stepper = ReplicaOptimizer(adamw, RECIPE.model_copy(update={"lr": 0.025}), stacked, True)
    for step in gradients:
        for name, tensor in stacked.items():
            tensor.grad = step[name].clone()
        stepper.step()
    for name, tensor in stacked.items():
        assert torch.equal(found[name], tensor), name
    assert not torch.equal(
        found["first.weight"], stepped(adamw, start, gradients, True)["first.weight"]
    )


@pytest.mark.parametrize(
    "chosen",
    [
        Normalized(),
        torch_optimizer(torch.optim.RMSprop),
        torch_optimizer(torch.optim.Adam),
        torch_optimizer(torch.optim.Adagrad),
        torch_optimizer(StepCountingStep),
        torch_optimizer(WhiteningStep),
        torch_optimizer(LookaheadStep),
    ],
    ids=["normalized", "rmsprop", "adam", "adagrad", "counting", "whitening", "lookahead"],
)
def test_a_vmapped_step_is_the_looped_one_in_any_company(chosen: sb.Optimizer) -> None:
    shapes = tuple(SHAPES.items())
    assert optimizer_loop_reason(chosen, RECIPE, shapes, "cpu") is None
    start, gradients = draws(1)
    together = stepped(chosen, start, gradients, looped=False)
    alone = stepped(chosen, start, gradients, looped=True)
    for name, tensor in together.items():
        torch.testing.assert_close(tensor, alone[name], rtol=1e-4, atol=1e-5)
        assert not torch.equal(tensor, start[name])
    few = slice(2, 4)
    some = stepped(chosen, part(start, few), [part(g, few) for g in gradients], looped=False)
    for name, tensor in some.items():
        assert torch.equal(tensor, together[name][few]), name


@pytest.mark.parametrize(
    ("chosen", "reason"),
    [
        (Reading(), "item"),
        (torch_optimizer(ReplacingStep), "."),
        (MUON, "rounds differently"),
        (torch_optimizer(AnchoredStep, place="attribute"), "tensors in its attributes"),
        (torch_optimizer(AnchoredStep, place="group"), "tensors in its param_groups"),
        (torch_optimizer(AnchoredStep, place="number"), "groups differ from replica to replica"),
    ],
    ids=["reading", "replacing", "muon", "attribute", "group", "number"],
)
def test_what_vmap_cannot_take_is_looped_with_a_reason(chosen: sb.Optimizer, reason: str) -> None:
    found = optimizer_loop_reason(chosen, RECIPE, tuple(SHAPES.items()), "cpu")
    assert found is not None and re.search(reason, found)


def test_on_a_gpu_equal_within_rounding_is_enough() -> None:
    assert optimizer_loop_reason(MUON, RECIPE, tuple(SHAPES.items()), "cuda") is None
    assert optimizer_loop_reason(Reading(), RECIPE, tuple(SHAPES.items()), "cuda") is not None


def test_a_step_that_forgets_the_replicas_when_vmapped_is_looped() -> None:
    """A number kept outside `state` is that of the last call, whoever made it."""

    class Forgetful(NormalizedStep):
        def step(self, closure: None = None) -> None:  # type: ignore[override]
            for p in self.param_groups[0]["params"]:
                p.add_(p.grad, alpha=-self.param_groups[0]["lr"] * p.dim() * len(p.shape))
            self.calls = getattr(self, "calls", 0) + 1
            if "Batched" in repr(self.param_groups[0]["params"][0]):
                self.param_groups[0]["params"][0].zero_()

    chosen = optimizer(lambda p, recipe: Forgetful(list(p.values()), recipe.lr, 0.9))
    assert "something else" in str(
        optimizer_loop_reason(chosen, RECIPE, tuple(SHAPES.items()), "cpu")
    )


def test_a_vmapped_step_that_fails_after_the_trial_says_how_to_loop_it() -> None:
    chosen = torch_optimizer(LateStep)
    assert optimizer_loop_reason(chosen, RECIPE, tuple(SHAPES.items()), "cpu") is None
    start, gradients = draws()
    with pytest.raises(ModelError, match=r"made.* fails at step 20: .*say `looped: ClassVar"):
        stepped(chosen, start, gradients * 4, looped=False)
    kind = type(chosen)
    kind.looped = True
    assert "class says so" in str(
        optimizer_loop_reason(kind(), RECIPE, (("first.weight", (7, 4)),), "cpu")
    )


@pytest.mark.parametrize("company", [[0, 1], [1, 0], [1]])
def test_a_replica_whose_step_raises_ends_alone_in_any_company(company: list[int]) -> None:
    start, gradients = draws()
    start["first.bias"][1, 0] = 2000.0
    with pytest.warns(UserWarning, match="a replica ends, as diverged: .* ArithmeticError: too"):
        found = stepped(
            torch_optimizer(StumblingStep),
            {name: tensor[company] for name, tensor in start.items()},
            [{name: g[company] for name, g in step.items()} for step in gradients],
            looped=True,
        )
    for name, tensor in found.items():
        for place, r in enumerate(company):
            expected = start[name][r] - RECIPE.lr * sum(step[name][r] for step in gradients)
            if r == 1:
                expected = torch.full_like(expected, torch.nan)
            torch.testing.assert_close(tensor[place], expected, equal_nan=True)


def test_scalars_are_parameters_too() -> None:
    start = {"temperature": torch.tensor([1.0, 2.0]), "weight": torch.ones(2, 3)}
    gradients = [{"temperature": torch.tensor([0.5, 0.25]), "weight": torch.ones(2, 3)}]
    shapes = (("temperature", ()), ("weight", (3,)))
    assert optimizer_loop_reason(Normalized(), RECIPE, shapes, "cpu") is not None
    looped = stepped(Normalized(), start, gradients, looped=True)
    assert looped["temperature"].tolist() == pytest.approx([0.95, 1.95])


def test_an_optimizer_may_put_new_tensors_in_the_parameters_places() -> None:
    start, gradients = draws(2)
    found = stepped(torch_optimizer(ReplacingStep), start, gradients, looped=True)
    for name, tensor in found.items():
        total = sum(step[name] for step in gradients)
        torch.testing.assert_close(tensor, start[name] - RECIPE.lr * total, rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("looped", [True, False], ids=["looped", "vmapped"])
@pytest.mark.parametrize("bad", [float("nan"), float("inf")])
def test_a_diverged_replica_turns_to_nan_and_its_neighbours_keep_every_bit(
    looped: bool, bad: float
) -> None:
    """The decomposition raises for a whole batch when one matrix of it has a NaN."""
    start, gradients = draws(3)
    chosen = torch_optimizer(WhiteningStep)
    healthy = stepped(chosen, start, gradients, looped)
    gradients[2]["first.weight"][4, 0, 0] = bad
    found = stepped(chosen, start, gradients, looped)
    others = [r for r in range(REPLICAS) if r != 4]
    for name, tensor in found.items():
        assert tensor[4].isnan().all()
        assert torch.equal(tensor[others], healthy[name][others])


@pytest.mark.parametrize("looped", [True, False], ids=["looped", "vmapped"])
@pytest.mark.parametrize(
    "chosen",
    [MUON, Normalized(), torch_optimizer(torch.optim.Adam), torch_optimizer(StepCountingStep)],
    ids=["muon", "normalized", "adam", "counting"],
)
def test_a_checkpoint_continues_to_the_same_bits(chosen: sb.Optimizer, looped: bool) -> None:
    start, gradients = draws(4)
    through = stepped(chosen, start, gradients, looped)

    def advance(stepper: ReplicaOptimizer, stacked: Named, steps: list[Named]) -> None:
        for step in steps:
            for name, tensor in stacked.items():
                tensor.grad = step[name].clone()
            stepper.step()

    stacked = {name: tensor.clone() for name, tensor in start.items()}
    first = ReplicaOptimizer(chosen, RECIPE, stacked, looped)
    advance(first, stacked, gradients[:3])
    file = io.BytesIO()
    torch.save({"weights": stacked, "optimizer": first.state_dict()}, file)
    file.seek(0)
    saved = torch.load(file, weights_only=True)
    second = ReplicaOptimizer(chosen, RECIPE, saved["weights"], looped)
    second.load_state_dict(saved["optimizer"])
    advance(second, saved["weights"], gradients[3:])
    for name, tensor in through.items():
        assert torch.equal(saved["weights"][name], tensor), name
    fresh = ReplicaOptimizer(chosen, RECIPE, part(stacked, slice(None)), looped)
    advance(fresh, stacked, gradients[3:])
    assert not torch.equal(stacked["first.weight"], through["first.weight"]), "state matters"


def boom(*_: object) -> None:
    raise RuntimeError("no such layer")


class Failing(NormalizedStep):
    """Raises in its step."""

    def step(self, closure: None = None) -> None:  # type: ignore[override]
        raise ValueError("cannot step")


@pytest.mark.parametrize(
    ("build", "message"),
    [
        (boom, 'optimizer "made" cannot be built: RuntimeError: no such layer'),
        (lambda p, r: "sgd", "must return torch.optim.Optimizer objects, got 'sgd'"),
        (lambda p, r: torch.optim.SGD(list(p.values())[:1]), '"first.bias" is in none'),
        (lambda p, r: [torch.optim.SGD(p.values()), torch.optim.SGD(p.values())], "there twice"),
        (lambda p, r: torch.optim.SGD([*p.values(), nn.Parameter(torch.ones(1))]), "no parameter"),
        (lambda p, r: Failing(list(p.values()), 0.1, 0.9), "fails in step: ValueError: cannot"),
    ],
    ids=["raises", "a word", "left out", "twice", "stranger", "step"],
)
def test_what_an_optimizer_may_not_do(build: Any, message: str, small_cell: Cell) -> None:
    cell = with_optimizer(small_cell, optimizer(build))
    with pytest.raises(ModelError) as caught:
        inspect_cell(cell)
    assert message in str(caught.value).replace("hidden.0.bias", "first.bias")
    assert "\n" not in str(caught.value)


def with_optimizer(cell: Cell, chosen: sb.Optimizer, **fields: object) -> Cell:
    recipe = cell.model.recipe.model_copy(update={"optimizer": chosen, **fields})
    return replace(cell, model=cell.model.model_copy(update={"recipe": recipe}))


@pytest.mark.parametrize("chosen", [MUON, Normalized()], ids=["looped muon", "vmapped"])
def test_trajectories_are_equal_to_the_bit_in_any_company(
    chosen: sb.Optimizer, small_cell: Cell, tmp_path: Path
) -> None:
    cell = with_optimizer(small_cell, chosen, lr=0.02, schedule="cosine", warmup=5, clip=1.0)
    cell = replace(
        cell, protocol=cell.protocol.model_copy(update={"budget": 1_600, "until": "budget"})
    )

    def weights(seeds: list[int], width: int) -> Named:
        block = Block(0, tuple(ReplicaSeeds.same(seed) for seed in seeds), width)
        options = TrainerOptions("cpu")
        return train_block(cell, block, options, False, tmp_path / "checkpoint").weights

    everyone, some = weights([0, 1, 2, 3, 4], 5), weights([3, 1], 2)
    for name, tensor in everyone.items():
        assert torch.equal(tensor[3], some[name][0]) and torch.equal(tensor[1], some[name][1])
        assert tensor.isfinite().all()


def test_a_plain_loop_with_the_same_optimizer_ends_at_the_same_weights(
    small_cell: Cell, tmp_path: Path
) -> None:
    """In double precision; everything but data and initial weights is plain PyTorch."""
    from tests.engine.test_against_plain_loop import BATCH, STEPS, train_by_hand

    cell = with_optimizer(small_cell, Normalized(decay=0.5), lr=0.01)
    protocol = sb.Protocol(budget=STEPS * BATCH, seeds=4, until="budget", precision="64-true")
    cell = replace(cell, protocol=protocol)
    block = Block(0, tuple(cell.replica_seeds()), 4)
    result = train_block(cell, block, TrainerOptions("cpu"), False, tmp_path / "checkpoint")
    for seed in range(4):
        expected = train_by_hand(
            cell.model, cell.task, seed, lambda p: NormalizedStep(list(p), 0.01, 0.5)
        )
        for name, tensor in expected.items():
            torch.testing.assert_close(result.weights[name][seed], tensor, rtol=1e-9, atol=1e-11)


def test_an_evaluation_names_the_optimizer_and_says_that_it_is_looped(
    small_cell: Cell, out: Path, settings: sb.Settings
) -> None:
    cell = replace(small_cell, model=installed().model("mlp width=16 optimizer=muon lr=0.02"))
    from synthbench.listeners.listener import Silent

    class Notes(Silent):
        def __init__(self) -> None:
            self.heard: list[str] = []

        def note(self, text: str) -> None:
            self.heard.append(text)

    notes = Notes()
    result = sb.evaluate_cells([cell], out, replace(settings, listener=notes))[0]
    assert result.record.summary.solved == 6
    assert result.record.model == "mlp width=16 optimizer=muon lr=0.02"
    assert installed().rebuild(MODEL, result.record.plan["model"]) == cell.model
    assert [note for note in notes.heard if "one replica at a time" in note]
    assert "muon" in {plugin.plugin for plugin in result.record.environment.plugins}


def test_build_optimizer_loops_what_must_be_looped() -> None:
    recipe = sb.Recipe(optimizer=Reading())
    stacked = {name: torch.zeros(3, *shape) for name, shape in SHAPES.items()}
    assert "Looped" in repr(build_optimizer(recipe, stacked)._replicas)
    vmapped = build_optimizer(sb.Recipe(optimizer=Normalized()), stacked)
    assert "Vmapped" in repr(vmapped._replicas)
