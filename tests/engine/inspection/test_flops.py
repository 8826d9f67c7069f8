"""FLOPs of a training step: of bundled models by hand, and what they cannot depend on.

`pytest -m slow` has larger batches of those that are counted by hand, too, and stacks of larger
models.
"""

from __future__ import annotations

from functools import cache

import pytest
import torch
from torch import Tensor, nn

import synthbench as sb
from synthbench.engine.axis.objective import recipe_loss
from synthbench.engine.inspection.flops import count_flops
from synthbench.isolation import isolated
from synthbench.plan.cell import Cell
from synthbench.registry.kinds import MODEL
from synthbench.registry.registry import installed
from tests.engine.foreign import DETERMINISTIC, model_of
from tests.engine.inspection.replicas_tried import ReplicasTried

PARITY, MARKOV = "sparse-parity n=12 k=2", "markov symbols=3 length=20"
OF_PARITY = ("kan", "mlp", "moe-mlp", "polynet", "residual-mlp", "sine-neuron")
BUNDLED = installed().bundled(MODEL)
BY_HAND = {
    "mlp", "transformer", "attention", "lstm", "gru", "short-convolution", "mamba2", "deltanet",
}  # fmt: skip
"""Below, in numbers of which the batch is a factor."""
LARGER = ("mlp depth=3", "attention window=4", "deltanet gated=true", "transformer mlp=2 heads=2")


def cell_of(model: str | sb.Model, task: str = "", batch_size: int = 4) -> Cell:
    registry = installed()
    found = registry.model(model)
    found = found.model_copy(
        update={"recipe": found.recipe.model_copy(update={"batch_size": batch_size})}
    )
    wanted = task or (PARITY if found.name in OF_PARITY else MARKOV)
    protocol = sb.Protocol(budget=640, seeds=2, evaluation_samples=256, evaluation_batch=256)
    return Cell(registry.task(wanted), found, protocol)


def tried(model: str | sb.Model, task: str = "", batch_size: int = 4, count: int = 1):
    with isolated():
        return ReplicasTried.of(cell_of(model, task, batch_size), count)


@cache
def counted(model: str) -> tuple[int, int]:
    """FLOPs of the forward pass, and of a step."""
    found = tried(model)
    return found.forward_flops(), found.step_flops()


@pytest.mark.parametrize(
    "model", [*BUNDLED, *(pytest.param(model, marks=pytest.mark.slow) for model in LARGER)]
)
def test_a_stack_counts_as_often_as_it_has_replicas(model: str) -> None:
    (_, one), three = counted(model), tried(model, count=3)
    assert one == three.step_flops() > 0
    assert three.stacked_step_flops() == 3 * one


@pytest.mark.parametrize("model", [*BUNDLED, *LARGER])
def test_the_backward_pass_is_between_one_and_two_forward_passes(model: str) -> None:
    """One without gradients of the input, as in a single layer; two with them."""
    forward, step = counted(model)
    assert 2 * forward <= step <= 3 * forward


@pytest.mark.parametrize(
    "model",
    [
        pytest.param(model, marks=pytest.mark.slow if model.split()[0] in BY_HAND else ())
        for model in [*BUNDLED, *LARGER]
    ],
)
def test_flops_grow_with_the_batch(model: str) -> None:
    assert tried(model, batch_size=12).step_flops() == 3 * counted(model)[1]


def of_parts(batch: int, n: int, sizes: list[int]) -> int:
    """Linear layers; the first needs no gradient of its input."""
    first, *others = zip([n, *sizes], [*sizes, 1], strict=True)
    return 2 * (2 * batch * first[0] * first[1]) + sum(3 * (2 * batch * a * b) for a, b in others)


@pytest.mark.parametrize("depth", [1, 2, 3])
def test_mlp(depth: int) -> None:
    found = tried(f"mlp width=7 depth={depth}", batch_size=5).step_flops()
    assert found == of_parts(5, 12, depth * [7])


B, T, V = 4, 20, 3
ELEMENTS = B * T


def trunk(width: int, mlp: int, layers: int) -> int:
    """Embedding (of one-hot rows, which need no gradient), MLPs and read-out."""
    embedding, readout = 2 * ELEMENTS * V * width, 2 * ELEMENTS * width * V
    return 2 * embedding + layers * 3 * (2 * ELEMENTS * 2 * mlp * width**2) + 3 * readout


@pytest.mark.parametrize("heads", [1, 2])
@pytest.mark.parametrize("positions", ["relative", "absolute"])
def test_transformer(heads: int, positions: str) -> None:
    w, layers = 8, 2
    projections = 2 * ELEMENTS * 4 * w**2
    pairs = 2 * (2 * B * T * T * w)
    # Queries and the vectors of all distances, with a row more: see `scores_by_distance`.
    distances = 2 * ELEMENTS * (T + 1) * w if positions == "relative" else 0
    found = tried(f"transformer width={w} heads={heads} mlp=2 positions={positions}")
    expected = trunk(w, 2, layers) + layers * 3 * (projections + pairs + distances)
    assert found.step_flops() == expected


@pytest.mark.parametrize("model", ["attention", "attention rotary=false", "attention window=3"])
def test_attention_of_a_window_forms_all_pairs(model: str) -> None:
    w = 8
    mixer = 2 * ELEMENTS * 4 * w**2 + 2 * (2 * B * T * T * w)
    assert tried(f"{model} width={w}").step_flops() == trunk(w, 2, 2) + 2 * 3 * mixer


@pytest.mark.parametrize(("model", "gates"), [("lstm", 4), ("gru", 3)])
def test_recurrent(model: str, gates: int) -> None:
    w = 8
    mixer = 2 * ELEMENTS * (gates * w) * (w + w)
    assert tried(f"{model} width={w}").step_flops() == trunk(w, 2, 2) + 2 * 3 * mixer


def test_short_convolution_counts_its_projections() -> None:
    """Two in, one out; its filter is summed tap by tap, which is elementwise work."""
    w = 8
    mixer = 2 * ELEMENTS * 3 * w**2
    for kernel in (2, 5):
        found = tried(f"short-convolution width={w} kernel={kernel}").step_flops()
        assert found == trunk(w, 2, 2) + 2 * 3 * mixer


def test_mamba2() -> None:
    w, heads, states = 8, 2, 5
    inner = 2 * w
    inputs = 2 * ELEMENTS * w * (inner + (inner + 2 * states))
    steps, output = 2 * ELEMENTS * w * heads, 2 * ELEMENTS * inner * w
    # c . b of all pairs, shared by the heads; then weights of every head times x.
    dual = 2 * B * T * T * states + 2 * B * T * T * inner
    found = tried(f"mamba2 width={w} heads={heads} state={states}").step_flops()
    assert found == trunk(w, 2, 2) + 2 * 3 * (inputs + steps + output + dual)


@pytest.mark.parametrize("length", [20, 64, 100])
def test_deltanet(length: int) -> None:
    """Chunks of 64 positions; the first begins with zeros, what the last leaves is not read."""
    w, heads = 8, 2
    elements, size = B * length, w // heads
    projections = 2 * elements * (3 * w * w + w * heads + w * w)
    mixer = 3 * projections
    lengths = [length] if length <= 64 else [64, length - 64]
    for index, part in enumerate(lengths):
        first, last = index == 0, index == len(lengths) - 1
        pairs = 2 * B * part * part * w
        # Keys by keys, queries by keys, scores by what is written.
        mixer += 3 * 3 * pairs
        # T^2 for each column of values, forward and backward, and the gradient of the matrix.
        mixer += B * part * part * w + B * part * part * w + pairs
        memory = 2 * B * part * w * size
        # Keys and queries read the memory, whose gradient is wanted but for zeros.
        mixer += 2 * (2 if first else 3) * memory
        mixer += (1 if last else 3) * memory
    embedding = 2 * elements * V * w
    around = 2 * embedding + 2 * 3 * (2 * elements * 2 * 2 * w**2) + 3 * embedding
    found = tried(f"deltanet width={w} heads={heads}", f"markov symbols=3 length={length}")
    assert found.step_flops() == around + 2 * mixer


N, HIDDEN = 12, 16
FIRST, SECOND = 2 * B * N * HIDDEN, 2 * B * HIDDEN
"""Products of the network of which the foreign ones are variants."""
SMALL = 2 * FIRST + 3 * SECOND
GRAM = 2 * B * HIDDEN**2
SYSTEM = 2 * HIDDEN**3 // 3 + 2 * HIDDEN**2
FOREIGN = {
    # Their first layer reads something that needs a gradient.
    "old-style function": SMALL + FIRST,
    "input made a leaf": SMALL + FIRST,
    "cumulative norm": SMALL + FIRST,
    # One weight in two layers, and a read-out.
    "tied": (2 + 3) * 2 * B * N**2 + 3 * 2 * B * N,
    # The energy, its gradient, the output; of each the two gradients of every product.
    "inner gradient": (3 + 2 * 3) * (FIRST + SECOND),
    # Backward, the factors solve for the vector; an outer product is the gradient of the matrix.
    "closed form": 2 * FIRST + 3 * GRAM + SYSTEM + 2 * (2 * HIDDEN**2) + 3 * SECOND,
    # Two products of the power iteration, one for the norm and its gradient, and dot products.
    "spectral norm": SMALL + 4 * 2 * HIDDEN * N + 2 * 2 * HIDDEN,
}


@pytest.mark.filterwarnings("ignore:.*is deprecated")
@pytest.mark.parametrize("kind", DETERMINISTIC)
def test_ways_to_write_a_network_do_not_change_its_flops(kind: str) -> None:
    found = tried(model_of(DETERMINISTIC[kind]), PARITY)
    assert found.step_flops() == FOREIGN.get(kind, SMALL)


class DepthwiseNet(nn.Module):
    """A causal filter of four taps for each of eight channels."""

    def __init__(self) -> None:
        super().__init__()
        self.embedding, self.readout = nn.Embedding(V, 8), nn.Linear(8, V)
        self.convolution = nn.Conv1d(8, 8, 4, groups=8, padding=3)

    def forward(self, x: Tensor) -> Tensor:
        filtered = self.convolution(self.embedding(x).mT)[..., : x.shape[1]]
        return self.readout(filtered.mT)


def test_a_depthwise_convolution_alone_and_in_a_stack() -> None:
    model = sb.as_model(DepthwiseNet, sb.Recipe(batch_size=B))
    flops = 3 * (2 * B * (T + 3) * 4 * 8 + 2 * ELEMENTS * 8 * V)
    assert tried(model).step_flops() == flops
    assert tried(model, count=3).stacked_step_flops() == 3 * flops


class Raising(nn.Module):
    """Raises when something watches its operations."""

    def __init__(self) -> None:
        super().__init__()
        self.layer = nn.Linear(12, 1)

    def forward(self, x: Tensor) -> Tensor:
        output = self.layer(x).squeeze(-1)
        if torch.utils._python_dispatch._get_current_dispatch_mode() is not None:
            raise RuntimeError("watched")
        return output


def test_what_cannot_be_counted_is_zero_and_not_a_part() -> None:
    found = tried(sb.as_model(Raising, sb.Recipe(batch_size=4)), PARITY)
    # It has worked before, so that a replica that raises would only be set aside.
    found.plain.gradients(recipe_loss(found.cell.task, found.cell.model), found.batch, found.noise)
    assert found.step_flops() == 0


def test_formulas_of_others_count() -> None:
    @torch.library.custom_op("synthbench_tests::twice", mutates_args=())
    def twice(x: Tensor) -> Tensor:
        return 2 * x

    @torch.utils.flop_counter.register_flop_formula(torch.ops.synthbench_tests.twice)
    def flops(shape: torch.Size, *, out_shape: torch.Size) -> int:
        return shape.numel()

    assert count_flops(lambda: twice(torch.randn(3, 4))) == 12


def test_the_settings_are_as_before() -> None:
    with pytest.raises(ZeroDivisionError):
        count_flops(lambda: 1 / 0)
    assert torch.backends.mha.get_fastpath_enabled()
    torch.backends.mha.set_fastpath_enabled(False)
    try:
        count_flops(lambda: None)
        assert not torch.backends.mha.get_fastpath_enabled()
    finally:
        torch.backends.mha.set_fastpath_enabled(True)
