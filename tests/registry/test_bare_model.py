"""Bare modules and functions as models: no plugin, the same numbers, and errors that advise."""

from __future__ import annotations

import weakref
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor, nn

import synthbench as sb
from synthbench.cli.main import main
from synthbench.errors import ConfigurationError, ModelError, RecordError
from synthbench.evaluation.planning import plan_suite
from synthbench.registry.kinds import MODEL
from synthbench.registry.registry import installed
from tests.registry.fingerprints.test_code import defined

TASK = "sparse-parity n=10 k=2"
SETTINGS = sb.Settings(
    sb.TrainerOptions(accelerator="cpu"), replicas_per_block=4, keep_weights=True
)
SHORT = sb.Protocol(seeds=4, budget=1_600, evaluation_samples=256)
SHORTEST = sb.Protocol(seeds=2, budget=640, evaluation_samples=128)
EDITED = """
import torch
from torch import nn

class Edited(nn.Module):
    def __init__(self):
        super().__init__()
        self.layer = nn.Linear(10, 1)

    def forward(self, x):
        return self.layer(x).squeeze(-1) * 1.0
"""


class TwoLayers(nn.Module):
    """The network of the bundled MLP, written out."""

    def __init__(self, interface: sb.Interface, width: int = 16) -> None:
        super().__init__()
        self.hidden = nn.Linear(interface.input.shape[0], width)
        self.readout = nn.Linear(width, 1)

    def forward(self, x: Tensor) -> Tensor:
        return self.readout(torch.relu(self.hidden(x))).squeeze(-1)


class NoArguments(TwoLayers):
    """Knows its sizes."""

    def __init__(self) -> None:
        super().__init__(sb.Interface(sb.Signs(10), sb.Margin()))


@pytest.fixture(scope="module")
def out(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("runs")


@pytest.fixture(scope="module")
def bare(out: Path) -> sb.CellResult:
    return sb.evaluate(TASK, TwoLayers, protocol=SHORT, out=out, settings=SETTINGS)


def test_it_learns_the_same_bits_as_the_plugin_of_that_network(
    bare: sb.CellResult, out: Path
) -> None:
    plugin = sb.evaluate(TASK, "mlp width=16 loss=none", protocol=SHORT, out=out, settings=SETTINGS)
    assert plugin.measured.trajectories.table.equals(bare.measured.trajectories.table)
    assert bare.record.environment.plugins and not any(
        p.plugin == "mlp" for p in bare.record.environment.plugins
    )


@pytest.mark.parametrize(
    "builder",
    [NoArguments, lambda: NoArguments(), partial(TwoLayers, width=8), lambda i: TwoLayers(i, 8)],
    ids=["class without arguments", "function without arguments", "partial", "function"],
)
def test_what_may_be_a_model(builder: Any) -> None:
    cell = sb.Cell(installed().task(TASK), sb.as_model(builder), SHORT)
    assert isinstance(cell.model.build(cell.task.interface), TwoLayers)


def test_an_optional_interface_is_given() -> None:
    seen = []

    def build(interface: sb.Interface | None = None, width: int = 4) -> nn.Module:
        seen.append(interface)
        return nn.Linear(2, width)

    def other(width: int = 4) -> nn.Module:
        seen.append(width)
        return nn.Linear(2, width)

    interface = sb.Interface(sb.Signs(2), sb.Margin())
    sb.as_model(build).build(interface)
    sb.as_model(partial(build, interface=None)).build(interface)
    sb.as_model(other).build(interface)
    assert seen == [interface, None, 4]


@pytest.mark.parametrize(
    ("name", "slug"),
    [
        ("MyModule", "my-module"), ("MLP", "mlp"), ("TwoLayerMLP2", "two-layer-mlp2"),
        ("my_net", "my-net"), ("<lambda>", "lambda"), ("_Net", "net"), ("Été", "t"), ("é", "model"),
        ("ResNet50", "res-net50"), ("_2x", "x"),
    ],
)  # fmt: skip
def test_names(name: str, slug: str) -> None:
    def builder() -> nn.Module:
        return nn.Linear(1, 1)

    builder.__name__ = name
    assert sb.as_model(builder).name == slug


def test_labels_say_what_was_chosen_and_tell_versions_apart() -> None:
    model = sb.as_model(
        partial(TwoLayers, width=8), sb.Recipe(optimizer="adam", lr=0.01), name="mine"
    )
    code = model.describe()["code"]
    assert model.label() == f"mine width=8 optimizer=adam lr=0.01 code={code[:8]}"
    wider = sb.as_model(partial(TwoLayers, width=9))
    assert wider.describe()["code"] == code, "what the plan says already is not in it"
    assert wider.describe()["arguments"] == {"width": 9}
    other = sb.as_model(partial(TwoLayers, width=torch.tensor(9)))
    assert other.describe()["arguments"] == {} and other.describe()["code"] != code


def test_an_edited_class_leaves_the_earlier_result_alone(out: Path) -> None:
    results = [
        sb.evaluate(TASK, model, protocol=SHORTEST, out=out, settings=SETTINGS)
        for model in (
            defined(EDITED, "Edited"),
            defined(EDITED.replace("1.0", "0.5"), "Edited"),
            defined(EDITED, "Edited"),
        )
    ]
    first, edited, again = results
    assert first.record.model != edited.record.model and first.folder != edited.folder
    assert again.folder == first.folder and not again.reused, "its code is not vouched for"
    tables = [result.measured.trajectories.table for result in results]
    assert tables[0].equals(tables[2]) and not tables[0].equals(tables[1])
    assert len(sb.Results([first, edited]).compare()) == 1


def test_an_edited_task_or_probe_leaves_the_earlier_result_alone(out: Path) -> None:
    source = """
import synthbench as sb
from synthbench_parity.task import SparseParity

class Own(SparseParity):
    name = "own"

    def world(self, rng):
        return rng.choice(self.n, self.k) * 1

class Size(sb.Probe):
    name = "size"

    def measure(self, view):
        return {"value": view.parameters["readout.weight"].norm() * 1}
"""
    found = []
    for old, new in (("", ""), ("self.k) * 1", "self.k) * 1 + 0"), ("norm() * 1", "norm() * 2")):
        names: dict[str, Any] = {"__name__": "__main__"}
        exec(source.replace(old, new) if old else source, names)
        result = sb.evaluate(
            names["Own"](n=10, k=2), "mlp width=4", probes=[names["Size"]()],
            protocol=SHORTEST, out=out, settings=SETTINGS,
        )  # fmt: skip
        found.append(result)
    assert len({result.folder for result in found}) == 3
    assert len({result.record.plan_hash for result in found}) == 1
    columns = [result.measured.trajectories.column("size/value") for result in found]
    assert (columns[0] == columns[1]).all() and (2 * columns[0] == columns[2]).all()


def test_its_network_in_the_session_that_trained_it(bare: sb.CellResult) -> None:
    network = bare.network(2)
    assert isinstance(network, TwoLayers) and not network.training
    assert not torch.equal(network.hidden.weight, bare.network(1).hidden.weight)
    (read,) = sb.read_results(bare.folder)
    assert read == bare or read.record == bare.record
    with pytest.raises(RecordError, match=r'"two-layers" is not from an installed plugin'):
        read.network(2)


def test_a_class_called_like_an_installed_model_is_not_taken_for_it(out: Path) -> None:
    model = sb.as_model(TwoLayers, name="mlp")
    result = sb.evaluate(TASK, model, protocol=SHORTEST, out=out, settings=SETTINGS)
    with pytest.raises(RecordError, match=r'"mlp" is not from an installed plugin'):
        replace(result, cell=None).network(0)


def test_it_cannot_be_submitted(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Nobody else could run it again."""
    suite = installed().suite("quickstart")
    small = sb.Protocol(seeds=1, evaluation_samples=128)
    # Its name is that of an installed model, for which it must not pass.
    model = sb.as_model(partial(TwoLayers, width=100), name="mlp")
    (result,) = sb.evaluate_cells(plan_suite(suite, [model], small), tmp_path, SETTINGS, suite)
    capsys.readouterr()
    for extra in ([], ["--model", result.record.model]):
        command = ["synthbench", "leaderboard", "submit", str(tmp_path), "--author", "A", *extra]
        monkeypatch.setattr("sys.argv", [*command, "--boards", str(tmp_path / "boards")])
        with pytest.raises(SystemExit) as caught:
            main()
        assert caught.value.code == 2
        said = capsys.readouterr().err
        assert "is not from an installed plugin" in said and "plugin new model" in said
        assert len(said.strip().splitlines()) == 1
    assert not (tmp_path / "boards").exists()


def test_plans_take_bare_modules() -> None:
    cells = plan_suite(installed().suite("quickstart"), [TwoLayers, "mlp"])
    assert [cell.model.name for cell in cells] == ["two-layers", "mlp"]


def two_arguments(n: int, width: int) -> nn.Module:
    return nn.Linear(n, width)


def by_name(*, width: int) -> nn.Module:
    return nn.Linear(1, width)


@pytest.mark.parametrize(
    ("given", "message"),
    [
        (nn.Linear(10, 1), "got a module of class Linear; pass the class, or a function"),
        (two_arguments, r"requires n, width; .* functools.partial\(two_arguments, width=...\)"),
        (by_name, r"requires width; .* functools.partial\(by_name, width=...\)"),
        (7, "an nn.Module class or a function that builds one; got 7"),
        (dict, "dict is not a subclass of torch.nn.Module"),
        (installed().find(MODEL, "mlp"), r"got the class MLP; pass an object of it.* MLP\(\)"),
    ],
    ids=["module", "two arguments", "keyword", "number", "other class", "model class"],
)
def test_what_is_no_model_is_refused_with_advice(given: Any, message: str, tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match=message):
        sb.evaluate(TASK, given, out=tmp_path)


def shared_layer() -> Any:
    layer = nn.Linear(10, 1)
    return lambda: nn.Sequential(layer, nn.Flatten(0))


class TakesAWidth(nn.Module):
    """Its author forgot what the argument is."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.layer = nn.Linear(10, width)


@pytest.mark.parametrize(
    ("task", "builder", "message"),
    [
        (TASK, lambda: nn.Linear(10, 2), r"must return shape \(32,\).* got \(32, 2\)$"),
        (
            TASK,
            lambda: nn.Linear(9, 1),
            r"its input x is float32 of shape \(B, 10\): signs \(n=10\)",
        ),
        ("markov", lambda: nn.Linear(100, 2), r"int64 of shape \(B, 100\).* nn.Embedding"),
        (TASK, TakesAWidth, r"sizes are in width.input.*, pass lambda: TakesAWidth\(width=...\)"),
        (TASK, shared_layer(), "two replicas share the parameter '0.weight'"),
        (TASK, lambda: TwoLayers, "must return a torch.nn.Module"),
    ],
    ids=["logits", "size", "tokens", "argument", "shared", "class"],
)
def test_a_network_that_does_not_fit_is_refused_with_advice(
    task: str, builder: Any, message: str, tmp_path: Path
) -> None:
    with pytest.raises(ModelError, match=message) as caught:
        sb.evaluate(task, builder, seeds=2, budget=3200, out=tmp_path)
    assert "\n" not in str(caught.value)


def test_a_frozen_part_may_be_shared() -> None:
    frozen = nn.Linear(10, 4).requires_grad_(False)
    model = sb.as_model(lambda: nn.Sequential(frozen, nn.Linear(4, 1)))
    interface = sb.Interface(sb.Signs(10), sb.Margin())
    built = [model.build(interface) for _ in range(2)]
    assert built[0][0] is built[1][0]


def test_built_networks_are_not_kept() -> None:
    model = sb.as_model(NoArguments)
    network = model.build(sb.Interface(sb.Signs(10), sb.Margin()))
    gone = weakref.ref(network)
    del network
    assert gone() is None
