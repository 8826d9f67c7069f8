"""The record names every plugin that took part."""

from __future__ import annotations

from dataclasses import replace

import pytest

import synthbench as sb
from synthbench import participants as module
from synthbench.participants import participants, parts_of, provider_of
from synthbench.plugins import CONTRACTS, Plugin, PluginHost
from synthbench.registry import Registry, installed
from tests.engine.authored import Plain


def names(cell: sb.Cell, trackers=(), suite: sb.SuiteReference | None = None) -> list[str]:
    return [found.plugin for found in participants(cell, trackers, suite)]


@pytest.fixture
def cell() -> sb.Cell:
    registry = installed()
    probes = tuple(map(registry.probe, ("weight-movement", "weight-norm", "support-mass")))
    model = registry.model("mlp optimizer=muon")
    return sb.Cell(registry.task("sparse-parity"), model, sb.Protocol(), probes)


def test_every_provider_is_named_once(cell: sb.Cell) -> None:
    assert sorted(names(cell)) == ["dynamics", "mlp", "muon", "parity"]
    suite = installed().suite("quickstart")
    reference = sb.SuiteReference(name=suite.name, version=1, hash=suite.hash())
    tracker = installed().tracker("wandb project=acme/parity")
    assert sorted(names(cell, [tracker], reference)) == [
        "dynamics", "mlp", "muon", "parity", "suites", "wandb",
    ]  # fmt: skip
    found = participants(cell, (), None)[0]
    assert (found.distribution, found.version) == ("synthbench", installed().host.plugins[0]
                                                   .distribution_version)  # fmt: skip


def test_third_party_listeners_take_part(cell: sb.Cell, monkeypatch) -> None:
    def plugin(name: str, distribution: str, listens: tuple[str, ...]) -> Plugin:
        return Plugin(name, distribution, "1.2", {kind: {} for kind in CONTRACTS}, {}, listens)

    host = installed().host
    others = [
        plugin("ear", "third-party", ("cell_finished",)),
        plugin("deaf", "third-party", ()),
        plugin("own-ear", "synthbench", ("cell_finished",)),
    ]
    registry = Registry(PluginHost(host.manager, [*host.plugins, *others]))
    monkeypatch.setattr(module, "installed", lambda: registry)
    added = set(names(cell)) - {"dynamics", "mlp", "muon", "parity"}
    assert added == {"ear"}
    (ear,) = [p for p in participants(cell, (), None) if p.plugin == "ear"]
    assert (ear.distribution, ear.version) == ("third-party", "1.2")


def test_a_class_that_no_plugin_provides_is_nobodys(cell: sb.Cell) -> None:
    own = replace(cell, model=Plain(), probes=())
    assert names(own) == ["parity"]
    assert [kind for kind, part in parts_of(own) if provider_of(kind, part) is None] == ["models"]
