"""The transformers against plain formulas, and what their probes read.

`pytest -m slow` inspects cells of more of their fields.
"""

from __future__ import annotations

import math

import pytest
import torch
from pydantic import ValidationError
from torch import Tensor
from torch.func import functional_call

import synthbench as sb
from synthbench.engine.inspection.cell import inspect_cell
from synthbench.plan.cell import Cell
from synthbench.registry.registry import installed
from tests.plugins.probing import measure, view_of


def build(reference: str, interface: sb.Interface) -> torch.nn.Module:
    torch.manual_seed(0)
    return installed().model(reference).build(interface).eval()


def tokens(vocabulary: int, length: int) -> sb.Interface:
    return sb.Interface(sb.Tokens(vocabulary, length), sb.TokenLogits(vocabulary, length))


def norm(h: Tensor, p: dict[str, Tensor], name: str) -> Tensor:
    centred = h - h.mean(-1, keepdim=True)
    scaled = centred / (centred.square().mean(-1, keepdim=True) + 1e-5).sqrt()
    return scaled * p[f"{name}.weight"] + p[f"{name}.bias"]


def turn(vector: Tensor, place: int) -> Tensor:
    half = len(vector) // 2
    turned = vector.clone()
    for i in range(half):
        angle = place * 10_000.0 ** (-2 * i / len(vector))
        a, b = vector[i], vector[half + i]
        turned[i] = a * math.cos(angle) - b * math.sin(angle)
        turned[half + i] = a * math.sin(angle) + b * math.cos(angle)
    return turned


def score(query: Tensor, key: Tensor, i: int, j: int, kind: tuple[str, Tensor | None]) -> Tensor:
    positions, distance = kind
    if positions == "rotary":
        query, key = turn(query, i), turn(key, j)
    if distance is not None:
        key = key + distance[i - j]
    return query @ key / math.sqrt(len(query))


def by_hand(p: dict[str, Tensor], x: Tensor, positions: str, heads: int) -> Tensor:
    """A pre-norm transformer one query and one key at a time, in float64."""
    states = states_by_hand(p, p["trunk.embedding"][x], (positions, heads, True))
    return states @ p["readout.weight"].T


def states_by_hand(p: dict[str, Tensor], h: Tensor, kind: tuple[str, int, bool]) -> Tensor:
    """What the read-out sees; h: embedded, kind: positions, heads and whether it is masked."""
    positions, heads, masked = kind
    length = h.shape[1]
    if positions == "absolute":
        h = h + p["trunk.place"][:length]
    width = h.shape[-1]
    size = width // heads
    layer = 0
    while f"trunk.blocks.{layer}.attention.inputs.weight" in p:
        name = f"trunk.blocks.{layer}"
        q, k, v = (
            norm(h, p, f"{name}.attention_norm") @ p[f"{name}.attention.inputs.weight"].T
        ).split(width, -1)
        distance = p.get(f"{name}.attention.distance")
        if distance is not None and not masked:
            # Row i - j belongs to distance i - j, counted from the end where that is below 0.
            distance = distance.roll(-(len(distance) // 2), 0)
        mixed = torch.zeros_like(h)
        for b in range(h.shape[0]):
            for head in range(heads):
                part = slice(head * size, (head + 1) * size)
                for i in range(length):
                    seen = i + 1 if masked else length
                    keys = k[b, :seen, part]
                    scores = [
                        score(q[b, i, part], keys[j], i, j, (positions, distance))
                        for j in range(seen)
                    ]
                    weights = torch.softmax(torch.stack(scores), 0)
                    mixed[b, i, part] = weights @ v[b, :seen, part]
        h = h + mixed @ p[f"{name}.attention.output.weight"].T
        if f"{name}.mlp.0.weight" in p:
            inner = norm(h, p, f"{name}.mlp_norm") @ p[f"{name}.mlp.0.weight"].T
            inner = torch.nn.functional.gelu(inner + p[f"{name}.mlp.0.bias"])
            h = h + inner @ p[f"{name}.mlp.2.weight"].T + p[f"{name}.mlp.2.bias"]
        layer += 1
    return norm(h, p, "trunk.norm")


@pytest.mark.parametrize("positions", ["relative", "absolute", "rotary", "none"])
@pytest.mark.parametrize("fields", ["heads=1", "heads=2 mlp=2"])
def test_forward_is_the_formula(positions: str, fields: str) -> None:
    module = build(f"transformer width=8 {fields} positions={positions}", tokens(3, 6)).double()
    generator = torch.Generator().manual_seed(1)
    for parameter in module.parameters():
        # The small initial weights would hide a wrong term.
        parameter.data.normal_(0, 0.7, generator=generator)
    x = torch.randint(0, 3, (2, 6), generator=generator)
    heads = 2 if "heads=2" in fields else 1
    expected = by_hand(dict(module.named_parameters()), x, positions, heads)
    torch.testing.assert_close(module(x), expected, rtol=1e-4, atol=1e-4)


@pytest.mark.parametrize("fields", ["", " readout_bias=true"])
@pytest.mark.parametrize("tied", [False, True])
def test_a_tied_read_out_has_the_weights_of_the_embedding(tied: bool, fields: str) -> None:
    """Makkuva et al. 2024: logits E h + b, with the rows of E as embeddings."""
    written = " tied=true" if tied else ""
    module = stirred(f"transformer width=8 positions=absolute{written}{fields}", tokens(3, 6))
    x = torch.randint(0, 3, (2, 6), generator=torch.Generator().manual_seed(1))
    p = dict(module.named_parameters())
    weights = p["trunk.embedding"] if tied else p["readout.weight"]
    assert ("readout.weight" in p) != tied
    bias = p["bias" if tied else "readout.bias"] if fields else torch.zeros(3)
    states = states_by_hand(p, p["trunk.embedding"][x], ("absolute", 1, True))
    torch.testing.assert_close(module(x), states @ weights.T + bias, rtol=1e-4, atol=1e-4)


@pytest.mark.parametrize(
    "interface",
    [
        sb.Interface(sb.Tokens(2, 6), sb.TokenLogits(3, 6)),
        sb.Interface(sb.Tokens(2, 6), sb.ClassLogits(2)),
        sb.Interface(sb.Signs(6), sb.Margins(6, causal=True)),
    ],
    ids=repr,
)
def test_only_logits_of_the_tokens_that_are_read_can_be_tied(interface: sb.Interface) -> None:
    with pytest.raises(sb.InterfaceError, match="tied=true is for logits of the tokens"):
        installed().model("transformer tied=true").check_accepts(interface)
    installed().model("transformer").check_accepts(interface)


def test_the_default_plan_says_nothing_of_the_read_out() -> None:
    """Records and submissions were hashed before it could be tied or have a bias."""
    described = installed().model("transformer").describe()
    assert not {"tied", "readout_bias"} & set(described)
    assert installed().model("transformer tied=true").describe()["tied"] is True


def stirred(reference: str, interface: sb.Interface) -> torch.nn.Module:
    """A network in double precision whose weights are large enough to show a wrong term."""
    module = build(reference, interface).double()
    generator = torch.Generator().manual_seed(1)
    for parameter in module.parameters():
        parameter.data.normal_(0, 0.7, generator=generator)
    return module


POSITIONS = ["relative", "absolute", "rotary", "none"]


@pytest.mark.parametrize("positions", POSITIONS)
@pytest.mark.parametrize("length", [6, 3, 1])
def test_an_encoder_sees_the_whole_sequence_also_a_shorter_one(positions: str, length: int) -> None:
    interface = sb.Interface(sb.Tokens(3, 6), sb.TokenLogits(5, 6, causal=False))
    module = stirred(f"transformer width=8 heads=2 positions={positions}", interface)
    x = torch.randint(0, 3, (2, length), generator=torch.Generator().manual_seed(2))
    p = dict(module.named_parameters())
    states = states_by_hand(p, p["trunk.embedding"][x], (positions, 2, False))
    expected = states @ p["readout.weight"].T
    assert expected.shape == (2, length, 5)
    torch.testing.assert_close(module(x), expected, rtol=1e-4, atol=1e-4)


@pytest.mark.parametrize("positions", POSITIONS)
def test_the_first_of_a_sequence_alone_have_the_same_logits(positions: str) -> None:
    module = build(f"transformer heads=2 mlp=1 positions={positions}", tokens(4, 12))
    x = torch.randint(0, 4, (5, 12), generator=torch.Generator().manual_seed(0))
    torch.testing.assert_close(module(x[:, :7]), module(x)[:, :7])


@pytest.mark.parametrize("wanted", [sb.Value(5, 2, causal=True), sb.Margins(5, causal=True)])
@pytest.mark.parametrize("given", [sb.RealSequence(5, 3), sb.Signs(5)], ids=repr)
def test_vectors_and_signs_at_every_position(given: sb.Port, wanted: sb.Port) -> None:
    module = stirred("transformer width=8", sb.Interface(given, wanted))
    x = torch.randn(2, *given.shape, generator=torch.Generator().manual_seed(3)).double()
    p = dict(module.named_parameters())
    embedding = p["trunk.embedding"]
    real = isinstance(given, sb.RealSequence)
    h = x @ embedding[:-1] + embedding[-1] if real else embedding[(x > 0).long()]
    states = states_by_hand(p, h, ("relative", 1, True))
    expected = (states @ p["readout.weight"].T + p["readout.bias"]).reshape(2, *wanted.shape)
    torch.testing.assert_close(module(x), expected, rtol=1e-4, atol=1e-4)


@pytest.mark.parametrize(
    "wanted", [sb.Margin(), sb.Margins(3), sb.Value(2, 2), sb.ClassLogits(4)], ids=repr
)
@pytest.mark.parametrize("given", [sb.RealSequence(5, 3), sb.Tokens(3, 5)], ids=repr)
@pytest.mark.parametrize("length", [5, 2])
def test_a_read_out_token_gives_what_belongs_to_the_whole(
    given: sb.Port, wanted: sb.Port, length: int
) -> None:
    module = stirred("transformer width=8 positions=absolute", sb.Interface(given, wanted))
    generator = torch.Generator().manual_seed(3)
    x = torch.randn(2, length, 3, generator=generator).double()
    if isinstance(given, sb.Tokens):
        x = torch.randint(0, 3, (2, length), generator=generator)
    p = dict(module.named_parameters())
    embedding = p["trunk.embedding"]
    real = isinstance(given, sb.RealSequence)
    h = x @ embedding[:3] + embedding[3] if real else embedding[x]
    h = torch.cat([h, embedding[-1].expand(2, 1, -1)], dim=1)
    last = states_by_hand(p, h, ("absolute", 1, True))[:, -1]
    expected = (last @ p["readout.weight"].T + p["readout.bias"]).reshape(2, *wanted.shape)
    torch.testing.assert_close(module(x), expected, rtol=1e-4, atol=1e-4)


def test_outputs_of_another_length_are_refused() -> None:
    model = installed().model("transformer")
    model.check_accepts(sb.Interface(sb.Tokens(2, 6), sb.TokenLogits(9, 6)))
    with pytest.raises(sb.InterfaceError, match="one output for each of 6 positions"):
        model.check_accepts(sb.Interface(sb.Tokens(2, 6), sb.TokenLogits(2, 5)))
    with pytest.raises(sb.InterfaceError, match="of the symbols that it reads"):
        installed().model("simplified-transformer").check_accepts(
            sb.Interface(sb.Tokens(2, 6), sb.TokenLogits(3, 6))
        )


def test_no_position_sees_what_comes_later() -> None:
    module = build("transformer heads=2 mlp=2", tokens(4, 12))
    x = torch.randint(0, 4, (5, 12), generator=torch.Generator().manual_seed(0))
    changed = x.clone()
    changed[:, 7:] = (changed[:, 7:] + 1) % 4
    assert torch.equal(module(x)[:, :7], module(changed)[:, :7])
    assert not torch.allclose(module(x)[:, 7:], module(changed)[:, 7:])


def test_the_released_initialization() -> None:
    module = build("transformer width=64 layers=4", tokens(4, 100))
    for name, parameter in module.named_parameters():
        if "norm" in name:
            assert set(parameter.unique().tolist()) <= {0.0, 1.0}
        else:
            std = 0.01 if name.endswith(".output.weight") else 0.02
            assert parameter.std().item() == pytest.approx(std, rel=0.15), name


def test_signs_are_tokens_with_a_read_out_token() -> None:
    interface = sb.Interface(sb.Signs(5), sb.Margin())
    module = build("transformer positions=absolute mlp=2", interface)
    x = torch.tensor([[1.0, -1, 1, 1, -1], [-1.0, -1, 1, 1, -1]])
    margins = module(x)
    states = module.trunk(torch.tensor([[1, 0, 1, 1, 0, 2], [0, 0, 1, 1, 0, 2]]))[:, -1]
    torch.testing.assert_close(margins, module.readout(states).squeeze(1))
    assert margins.shape == (2,) and margins[0] != margins[1]


@pytest.mark.parametrize(
    ("fields", "message"),
    [("heads=3", "multiple of heads=3"), ("width=6 heads=2 positions=rotary", "even width")],
)
def test_heads_that_do_not_fit_are_refused(fields: str, message: str) -> None:
    with pytest.raises((ValidationError, ValueError), match=message):
        installed().model(f"transformer {fields}")


@pytest.mark.parametrize(
    ("task", "model"),
    [
        pytest.param("markov length=10", "transformer dropout=0.1", marks=pytest.mark.slow),
        ("markov length=10", "transformer layers=1 positions=rotary heads=2 mlp=2"),
        ("markov length=10", "transformer layers=1 tied=true readout_bias=true norm=false"),
        pytest.param(
            "markov length=10", "transformer positions=absolute norm=false", marks=pytest.mark.slow
        ),
        ("markov length=10 symbols=3", "simplified-transformer"),
        ("markov length=10", "simplified-transformer softmax=false"),
        ("induction-copying length=8", "transformer layers=1 positions=none"),
        pytest.param(
            "sparse-parity n=8 k=2", "transformer positions=absolute mlp=4", marks=pytest.mark.slow
        ),
        ("sparse-parity n=8 k=2", "polynet degree=2"),
        ("sparse-parity n=8 k=2", "polynet degree=2 disjoint=true"),
        ("sparse-parity n=8 k=2", "sine-neuron"),
        ("sparse-parity n=8 k=2", "mlp init=sparse"),
    ],
)
def test_the_vmapped_path_takes_all_of_them(task: str, model: str) -> None:
    registry = installed()
    cell = Cell(registry.task(task), registry.model(model), sb.Protocol(budget=640, seeds=2))
    assert inspect_cell(cell).ways.loop_reason is None


def simplified(key: Tensor, v: Tensor, x: Tensor) -> Tensor:
    module = build("simplified-transformer softmax=false v_rate=4", tokens(len(key), x.shape[1]))
    return functional_call(module, {"key": key, "profile.distance": v / 2}, (x,))


def test_the_bigram_solution_counts_bigrams() -> None:
    """W_k = I and v = e_2 (E. Edelman et al. 2024, section 4)."""
    x = torch.randint(0, 3, (4, 20), generator=torch.Generator().manual_seed(0))
    v = torch.zeros(20)
    v[1] = 1.0
    logits = simplified(torch.eye(3), v, x)
    for b in range(4):
        for t in range(20):
            counts = torch.zeros(3)
            for j in range(1, t + 1):
                counts[x[b, j]] += float(x[b, j - 1] == x[b, t])
            torch.testing.assert_close(logits[b, t] * (t + 1), counts)


def test_the_unigram_solution_counts_symbols() -> None:
    """W_k = 11^T and v = e_1."""
    x = torch.randint(0, 3, (4, 20), generator=torch.Generator().manual_seed(0))
    v = torch.zeros(20)
    v[0] = 1.0
    logits = simplified(torch.ones(3, 3), v, x)
    counts = torch.nn.functional.one_hot(x, 3).cumsum(1).float()
    torch.testing.assert_close(logits * torch.arange(1, 21)[:, None], counts)


def test_the_simplified_transformer_is_its_formula() -> None:
    generator = torch.Generator().manual_seed(2)
    key, v = torch.randn(3, 3, generator=generator), torch.randn(9, generator=generator)
    x = torch.randint(0, 3, (1, 9), generator=generator)
    e = torch.nn.functional.one_hot(x[0], 3).float()
    m = torch.tensor([[float(v[i - j]) if j <= i else 0.0 for j in range(9)] for i in range(9)])
    expected = (e @ key @ (m @ e).T).tril() @ e / torch.arange(1, 10)[:, None]
    torch.testing.assert_close(simplified(key, v, x)[0], expected, rtol=1e-4, atol=1e-5)


def test_its_probe_reads_the_diagonal_and_the_profile() -> None:
    key = torch.tensor([[2.0, 0.5], [0.1, 4.0]])
    distance = torch.zeros(10)
    distance[1] = 3.0 / 10**0.5
    view = view_of(
        "markov length=10", "simplified-transformer",
        {"key": key, "profile.distance": distance},
    )  # fmt: skip
    found = measure("simplified-weights", view)
    whole = math.exp(3) + 9
    assert found == pytest.approx(
        {"diagonal": 3.0, "off-diagonal": 0.3, "v1": 1 / whole, "v2": math.exp(3) / whole,
         "v3": 1 / whole}, rel=1e-5,
    )  # fmt: skip
    with pytest.raises(ValueError, match="simplified-transformer alone"):
        measure("simplified-weights", view_of("markov length=10", "transformer"))


def test_learning_the_simplified_transformer_has_two_phases(out, settings: sb.Settings) -> None:
    """W_k gains its diagonal first, then v_2 takes over; at the end bigrams are counted."""
    result = sb.evaluate(
        "markov symbols=3 length=16 target=0.6",
        "simplified-transformer lr=10",
        probes=["simplified-weights"],
        protocol=sb.Protocol(seeds=2, budget=12_800, until="budget", evaluation_samples=128),
        out=out,
        settings=settings,
    )
    frame = result.measured.trajectories.to_pandas()
    for _, replica in frame.groupby("replica"):
        value = {n: replica[f"simplified-weights/{n}"].to_numpy() for n in ("diagonal", "v1", "v2")}
        half = [int((v >= v[-1] / 4).argmax()) for v in (value["diagonal"], value["v2"])]
        # A quarter of its final diagonal is there before v_2 has left the uniform profile.
        assert value["v2"][half[0]] < 0.5
        assert value["v2"][-1] > 0.9 and value["v1"][-1] < 0.05
        assert replica["progress"].iloc[-1] > 0.6
    assert result.record.summary.solved == 2
