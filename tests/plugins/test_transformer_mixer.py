"""The mixer of another family in the trunk of the transformer: nothing else differs."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest
import torch
from torch import Tensor, nn

import synthbench as sb
from synthbench.registry.fingerprints.code import code_fingerprint
from synthbench.registry.kinds import MODEL
from synthbench.registry.participants import code_versions, participants, uninstalled
from synthbench.registry.registry import Registry, installed
from synthbench.testing import check_model
from tests.registry.points import FakePoint, load, plugin

SEQUENCES = sb.Interface(sb.Tokens(3, 7), sb.TokenLogits(3, 7))
LABELS = sb.Interface(sb.Tokens(3, 7), sb.ClassLogits(2))
FAMILIES = list(installed().subclasses(sb.SequenceModel))


class RunningMean(nn.Module):
    """The mean of a linear map of all earlier positions."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.map = nn.Linear(width, width)

    def forward(self, x: Tensor) -> Tensor:
        steps = torch.arange(1, x.shape[1] + 1, device=x.device, dtype=x.dtype)
        return self.map(x).cumsum(1) / steps[:, None]


class RunningMeanModel(sb.SequenceModel):
    """A third party's family."""

    name = "running-mean"
    scale: int = 1

    def mixer(self, length: int) -> nn.Module:
        return RunningMean(self.width)

    def mixer_state(self, length: int) -> int:
        return self.width * self.scale


def build(reference: str | sb.Model, interface: sb.Interface = SEQUENCES) -> nn.Module:
    torch.manual_seed(0)
    return installed().model(reference).build(interface).eval()


def test_the_default_plan_knows_no_mixer() -> None:
    """Records and submissions were hashed before there was one."""
    assert "mixer" not in installed().model("transformer").describe()


@pytest.mark.parametrize("family", FAMILIES)
@pytest.mark.parametrize("interface", [SEQUENCES, LABELS], ids=["everywhere", "last"])
def test_all_but_what_mixes_is_the_transformer(family: str, interface: sb.Interface) -> None:
    """Put attention's place into the plain transformer by hand, and the networks agree."""
    shape = "width=8 mlp=2 layers=3"
    mixed = build(f"transformer {shape} mixer={family}", interface)
    plain = build(f"transformer {shape} positions=none", interface)
    own = installed().model(f"{family} width=8 layers=3" + (" heads=1" if heads(family) else ""))
    for one, other in zip(plain.trunk.blocks, mixed.trunk.blocks, strict=True):
        assert type(other.attention) is type(own.mixer(7))
        one.attention = other.attention
    plain.load_state_dict(mixed.state_dict())
    x = torch.randint(0, 3, (4, 7), generator=torch.Generator().manual_seed(1))
    assert torch.equal(plain(x), mixed(x))


def heads(family: str) -> bool:
    return issubclass(installed().find(MODEL, family), sb.MultiHeadModel)


def test_the_trunk_begins_with_the_transformers_own_weights() -> None:
    plain, mixed = build("transformer mlp=2"), build("transformer mlp=2 mixer=gla")
    assert torch.equal(plain.trunk.embedding, mixed.trunk.embedding)
    assert mixed.trunk.blocks[0].mlp[2].weight.std().item() == pytest.approx(0.01, rel=0.2)


def test_it_is_made_in_the_trunks_size_with_its_heads() -> None:
    mixed = build("transformer width=12 heads=3 mixer=deltanet mixer.convolution=2")
    assert mixed.trunk.blocks[0].attention.heads == 3
    assert mixed.trunk.blocks[0].attention.kernel == 2
    assert mixed.trunk.blocks[0].attention.output.in_features == 12


@pytest.mark.parametrize("family", FAMILIES)
def test_its_state_is_that_of_its_family(family: str) -> None:
    same = f"layers=3 width=8{' heads=1' if heads(family) else ''}"
    for interface in (SEQUENCES, LABELS):
        found = installed().model(f"transformer layers=3 width=8 mixer={family}")
        assert found.state_size(interface) == (
            installed().model(f"{family} {same}").state_size(interface)
        )


@pytest.mark.slow  # half a minute for one that families and the transformer keep each alone
def test_it_keeps_every_law() -> None:
    check_model(
        installed().model("transformer layers=1 width=4 mixer=short-convolution"),
        [SEQUENCES, LABELS],
    )


@pytest.mark.parametrize(
    "reference",
    [
        "transformer layers=2 mixer=lstm",
        "transformer layers=2 heads=2 mixer=deltanet mixer.gated=true",
        "transformer layers=2 positions=absolute mixer=gla mixer.rank=4 lr=0.002",
    ],
)
def test_it_is_part_of_the_reference_and_of_the_record(reference: str) -> None:
    model = installed().model(reference)
    assert model.label() == reference
    stored = json.loads(json.dumps(model.describe()))
    assert set(stored["mixer"]) == {"name", "version", *model.mixer.fields_as_part()}
    assert installed().rebuild(MODEL, stored) == model
    stored["mixer"]["version"] = 99
    with pytest.raises(sb.SynthbenchError, match="of version 1 here, 99 in the record"):
        installed().rebuild(MODEL, stored)


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ("mixer=mlp", 'unknown mixer "mlp" (one of: attention, '),
        ("mixer=deltanett", 'unknown mixer "deltanett"; did you mean "deltanet"?'),
        ("mixer.kernel=3", '"mixer.kernel" needs mixer=NAME beside it'),
        ("mixer=gla mixer.width=8", '"gla" has no field "width" (fields: rank)'),
        ("mixer=gla mixer.rnk=8", '"gla" has no field "rnk"; did you mean "rank"?'),
        ("mixer=gla mixer.rank=0", '"gla" rank = 0: input should be greater'),
        ("mixer=lstm heads=2", "the mixer of lstm has no heads, got heads = 2"),
        ("mixer=retnet width=6 heads=2", "retnet: rotary needs an even width for each head"),
        ("mixer=gla positions=rotary", "mixer=gla has positions of its own"),
        ("mixer=3", "mixer = 3: input should be an instance of SequenceModel"),
    ],
)
def test_what_does_not_fit_is_said(fields: str, message: str) -> None:
    with pytest.raises(sb.SynthbenchError) as caught:
        installed().model(f"transformer {fields}")
    assert message in str(caught.value) and "\n" not in str(caught.value)


def test_an_encoder_takes_no_mixer() -> None:
    whole = sb.Interface(sb.Tokens(3, 7), sb.TokenLogits(3, 7, causal=False))
    with pytest.raises(sb.InterfaceError, match="mixer=gla sees earlier positions alone"):
        installed().model("transformer mixer=gla").check_accepts(whole)
    installed().model("transformer").check_accepts(whole)


def with_mixer(mixer: sb.SequenceModel) -> sb.Model:
    return installed().model("transformer width=8").__class__(width=8, mixer=mixer)


def test_in_python_a_family_is_there_for_its_mixer_alone() -> None:
    assert with_mixer(RunningMeanModel(scale=2)).label() == (
        "transformer layers=2 width=8 mixer=running-mean mixer.scale=2"
    )
    with pytest.raises(ValueError, match="running-mean is there for its mixer alone, and layers"):
        with_mixer(RunningMeanModel(layers=3))


def cell_with(mixer: sb.SequenceModel) -> sb.Cell:
    return sb.Cell(installed().task("markov length=12"), with_mixer(mixer), sb.Protocol())


def test_an_installed_third_partys_mixer_goes_by_name_and_takes_part(monkeypatch) -> None:
    own = load(FakePoint("means", plugin(register_models=[RunningMeanModel])))
    registry = Registry(installed().host)
    monkeypatch.setattr(registry.host, "plugins", [*registry.host.plugins, *own.plugins])
    assert registry.model("transformer width=8 mixer=running-mean") == with_mixer(
        RunningMeanModel()
    )
    cell = cell_with(RunningMeanModel())
    assert [found.plugin for found in participants(cell, (), None)] == [
        "markov", "transformer", "means",
    ]  # fmt: skip
    # Its code decides the numbers as that of a model does.
    assert list(code_versions(cell)) == ["means"]


def test_a_notebooks_mixer_is_fingerprinted_and_not_rebuilt(out, settings: sb.Settings) -> None:
    result = sb.evaluate(
        "markov symbols=2 length=12",
        with_mixer(RunningMeanModel()),
        protocol=sb.Protocol(seeds=2, budget=640, evaluation_samples=128),
        out=out,
        settings=replace(settings, keep_weights=True),
    )
    assert uninstalled(MODEL, result.record.model_plan) == "running-mean"
    assert result.record.compute.looped is None
    with pytest.raises(sb.SynthbenchError, match='"running-mean" is not from an installed plugin'):
        sb.read_results(out)[0].network(0)
    # An edited class takes a folder of its own.
    assert result.folder.name.endswith(code_fingerprint((RunningMeanModel,))[:8])
