"""torch's own modules are the oracle, in double precision."""

from __future__ import annotations

import warnings

import pytest
import torch
from torch import nn
from torch.func import functional_call, grad, stack_module_state
from torch.utils.flop_counter import FlopCounterMode

from synthbench.engine.axis.stacked_forms import STACKED_FORMS, recurrent_ops
from synthbench.errors import ModelError
from tests.engine.axis.stacked_forms.intercepting import check_module, forms, weighed

R, B, T, INPUTS, UNITS = 2, 2, 3, 3, 5
OPTIONS = [
    {},
    {"batch_first": True},
    {"bias": False},
    {"num_layers": 2, "batch_first": True},
    {"bidirectional": True},
    {"num_layers": 2, "bidirectional": True, "batch_first": True, "bias": False},
]
NETWORKS = [
    *((cls, options) for cls in (nn.LSTM, nn.GRU, nn.RNN) for options in OPTIONS),
    *((nn.RNN, {"nonlinearity": "relu", **options}) for options in OPTIONS[:1] + OPTIONS[-1:]),
    *((nn.LSTM, {"proj_size": 2, **options}) for options in OPTIONS),
]


@pytest.fixture(autouse=True)
def double():
    torch.set_default_dtype(torch.float64)
    torch.manual_seed(0)
    yield
    torch.set_default_dtype(torch.float32)


def states(cls: type[nn.Module], options: dict, replicas: int = R) -> list[torch.Tensor]:
    count = options.get("num_layers", 1) * (2 if options.get("bidirectional") else 1)
    widths = (options.get("proj_size", UNITS), UNITS)[: 2 if cls is nn.LSTM else 1]
    return [torch.randn(replicas, count, B, width) for width in widths]


class FromStates(nn.Module):
    """A network that gets its first states one by one."""

    def __init__(self, network: nn.Module) -> None:
        super().__init__()
        self.network = network

    def forward(self, x, *states):
        return self.network(x, states if len(states) > 1 else states[0])


@pytest.mark.parametrize(("cls", "options"), NETWORKS)
def test_networks_equal_torchs_own(cls, options) -> None:
    x = torch.randn(R, *((B, T) if options.get("batch_first") else (T, B)), INPUTS)
    check_module(lambda: FromStates(cls(INPUTS, UNITS, **options)), x, *states(cls, options))


@pytest.mark.parametrize("cls", [nn.LSTM, nn.GRU, nn.RNN])
def test_sequences_without_a_batch_and_without_states(cls) -> None:
    check_module(lambda: cls(INPUTS, UNITS, 2), torch.randn(R, T, INPUTS))


@pytest.mark.parametrize(
    ("cls", "options"),
    [(nn.LSTM, {}), (nn.LSTM, {"proj_size": 2}), (nn.GRU, {}), (nn.RNN, {})],
)
def test_second_derivatives(cls, options) -> None:
    # torch cannot differentiate oneDNN's LSTM twice, but its own.
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        with torch.backends.mkldnn.flags(enabled=False):
            check_module(
                lambda: cls(INPUTS, UNITS, **options), torch.randn(1, 2, B, INPUTS), twice=True
            )


@pytest.mark.parametrize(
    ("build", "states"),
    [
        (lambda: nn.GRUCell(INPUTS, UNITS), 1),
        (lambda: nn.RNNCell(INPUTS, UNITS), 1),
        (lambda: nn.RNNCell(INPUTS, UNITS, bias=False, nonlinearity="relu"), 1),
        (lambda: nn.LSTMCell(INPUTS, UNITS), 2),
    ],
)
def test_cells_equal_torchs_own(build, states) -> None:
    before = [torch.randn(R, B, UNITS) for _ in range(states)]
    check_module(lambda: FromStates(build()), torch.randn(R, B, INPUTS), *before)


def test_replicas_are_stepped_in_groups_that_fit_the_cache(monkeypatch) -> None:
    monkeypatch.setattr(recurrent_ops, "CACHE_BYTES", 1)
    check_module(lambda: nn.LSTM(INPUTS, UNITS), torch.randn(R, T, B, INPUTS))


def test_weights_and_input_may_be_the_same_for_all() -> None:
    module = nn.LSTM(INPUTS, UNITS)
    x = torch.randn(R, T, B, INPUTS)

    def run(x):
        with forms():
            return module(x)[0]

    torch.testing.assert_close(torch.vmap(run)(x)[1], module(x[1])[0])
    parameters = stack_module_state([nn.LSTM(INPUTS, UNITS) for _ in range(R)])[0]

    def other(parameters):
        with forms():
            return functional_call(module, parameters, (x[0],))[0]

    first = {name: p[0] for name, p in parameters.items()}
    wanted = functional_call(module, first, (x[0],))[0]
    torch.testing.assert_close(torch.vmap(other)(parameters)[0], wanted)


def test_dropout_between_layers_is_left_to_functional_dropout(monkeypatch) -> None:
    calls = []

    def drop(x, p, training):
        calls.append((p, training))
        return x * 0

    monkeypatch.setattr("synthbench.engine.axis.stacked_forms.recurrent_networks.drop", drop)
    module, x = nn.GRU(INPUTS, UNITS, 3, dropout=0.3), torch.randn(T, B, INPUTS)
    with forms():
        dropped = module(x)[0]
        assert calls == [(0.3, True), (0.3, True)]
        module.eval()(x)
        module.train()
    assert len(calls) == 2
    zeroed = functional_call(module, {"weight_ih_l2": torch.zeros(3 * UNITS, UNITS)}, (x,))[0]
    assert not torch.equal(dropped, module.eval()(x)[0])
    torch.testing.assert_close(dropped, zeroed)


def test_packed_sequences_are_refused_with_the_way_out() -> None:
    packed = nn.utils.rnn.pack_sequence([torch.randn(3, INPUTS), torch.randn(2, INPUTS)])
    for cls in (nn.LSTM, nn.GRU, nn.RNN):
        with forms(), pytest.raises(ModelError, match="padded tensor"):
            cls(INPUTS, UNITS)(packed)


@pytest.mark.parametrize("cls", [nn.LSTM, nn.GRU, nn.RNN])
def test_autocast_gives_torchs_results_to_its_precision(cls) -> None:
    torch.set_default_dtype(torch.float32)
    module, x = cls(INPUTS, UNITS), torch.randn(T, B, INPUTS)

    def gradients(seen: bool):
        def loss(parameters):
            with torch.autocast("cpu", torch.bfloat16):
                if not seen:
                    return weighed(functional_call(module, parameters, (x,))[0].float())
                with forms():
                    output = functional_call(module, parameters, (x,))[0]
                assert output.dtype == torch.bfloat16
                return weighed(output.float())

        return grad(loss)(dict(module.named_parameters()))

    found, wanted = gradients(seen=True), gradients(seen=False)
    for name, gradient in wanted.items():
        assert found[name].dtype == torch.float32
        scale = gradient.abs().max().item()
        torch.testing.assert_close(found[name], gradient, rtol=0, atol=0.03 * scale)


@pytest.mark.parametrize(
    ("cls", "options"), [(nn.LSTM, {"proj_size": 2}), (nn.GRU, {}), (nn.RNN, {})]
)
def test_flops_are_those_of_torchs_own_steps(cls, options) -> None:
    module, x = cls(INPUTS, UNITS, **options), torch.randn(T, B, INPUTS).requires_grad_()
    given = states(cls, options, 1)
    first = [state[0].requires_grad_() for state in given]

    def count() -> int:
        with FlopCounterMode(display=False) as counter:
            weighed(FromStates(module)(x, *first)).backward()
        return counter.get_total_flops()

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        with torch.backends.mkldnn.flags(enabled=False):
            wanted = count()
    with forms():
        assert count() == wanted


def test_wrapped_tensors_have_no_address() -> None:
    pointer = STACKED_FORMS[torch.Tensor.data_ptr]
    x = torch.zeros(2, 3)
    assert pointer(x) == x.data_ptr()
    torch.vmap(lambda row: row + pointer(row))(x)
    assert torch.equal(torch.vmap(lambda row: row + pointer(row))(x), x)


@pytest.mark.parametrize("cls", [nn.LSTM, nn.GRU, nn.RNN])
def test_a_replica_does_not_depend_on_the_others_by_one_bit(cls) -> None:
    torch.set_default_dtype(torch.float32)
    modules = [cls(16, 33) for _ in range(5)]
    parameters, x = stack_module_state(modules)[0], torch.randn(5, T, 17, 16)

    def gradients(parameters, x):
        def loss(parameters):
            with forms():
                return weighed(functional_call(modules[0], parameters, (x,)))

        return grad(loss)(parameters)

    run = torch.vmap(gradients)
    together = run(parameters, x)
    for some in (slice(0, 1), slice(2, 5)):
        apart = run({name: p[some] for name, p in parameters.items()}, x[some])
        for name, gradient in apart.items():
            assert torch.equal(gradient, together[name][some])
