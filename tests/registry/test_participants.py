"""The record names every plugin that took part."""

from __future__ import annotations

import importlib
import json
import re
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
import pytorch_lightning as pl
import torch

import synthbench as sb
from synthbench.evaluation.partial_run import PartialIdentity, find_partial
from synthbench.evaluation.record_writing import describe_environment
from synthbench.hashing import checked_content
from synthbench.listeners.listener import Silent
from synthbench.registry import participants as module
from synthbench.registry.host import PluginHost
from synthbench.registry.kinds import KINDS, MODEL
from synthbench.registry.participants import (
    changed_plugins,
    code_versions,
    participants,
    parts_of,
    provider_of,
)
from synthbench.registry.plugin import Plugin
from synthbench.registry.registry import Registry, installed
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
        return Plugin(name, distribution, "1.2", {kind: {} for kind in KINDS}, listens)

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
    assert [kind for kind, part in parts_of(own) if provider_of(kind, part) is None] == [MODEL]


EDITED = """
import torch
from tests.engine.authored import Plain

class Edited(Plain):
    name = "edited"

    def build(self, interface):
        net = super().build(interface)
        with torch.no_grad():
            net.second.weight.mul_(FACTOR)
        return net
"""


@pytest.fixture
def edit(tmp_path: Path, monkeypatch) -> Callable[[float], type[Plain]]:
    """Writes an installed plugin's model anew, as its next process finds it."""
    monkeypatch.syspath_prepend(str(tmp_path))
    monkeypatch.setattr(sys, "dont_write_bytecode", True)
    host = installed().host
    bundled = [plugin for plugin in host.plugins if plugin.is_bundled]

    def edited(factor: float) -> type[Plain]:
        (tmp_path / "edited_plugin.py").write_text(EDITED.replace("FACTOR", str(factor)))
        monkeypatch.delitem(sys.modules, "edited_plugin", raising=False)
        importlib.invalidate_caches()
        model = importlib.import_module("edited_plugin").Edited
        provided = {kind: {} for kind in KINDS} | {MODEL: {"edited": model}}
        plugin = Plugin("third", "third-party", "1.2", provided)
        monkeypatch.setattr(host, "plugins", [*bundled, plugin])
        return model

    return edited


def test_a_third_partys_version_carries_its_code(small_cell: sb.Cell, edit) -> None:
    cell = replace(small_cell, model=edit(1.0)())
    before = code_versions(cell)
    assert before == code_versions(cell)
    assert re.fullmatch(r"1\.2\+code\.[0-9a-f]{8}", before["third"]) and len(before) == 1
    versions = {p.plugin: p.version for p in participants(cell, (), None)}
    assert versions == {"parity": sb.__version__, **before}
    cell = replace(small_cell, model=edit(2.0)())
    assert code_versions(cell).keys() == {"third"} and code_versions(cell) != before
    assert code_versions(replace(small_cell, model=edit(1.0)())) == before


@pytest.fixture
def brief_cell(small_cell: sb.Cell) -> sb.Cell:
    """A tenth of the small one's steps: what it learns is not looked at."""
    protocol = small_cell.protocol.model_copy(update={"budget": 1_280, "seeds": 2})
    return replace(small_cell, protocol=protocol)


def test_edited_code_is_trained_anew_and_the_same_code_is_not(
    brief_cell: sb.Cell, edit, out: Path, settings: sb.Settings
) -> None:
    heard: list[str] = []

    class Notes(Silent):
        def note(self, text: str) -> None:
            heard.append(text)

    def evaluate(factor: float) -> sb.CellResult:
        cell = replace(brief_cell, model=edit(factor)())
        return sb.evaluate_cells([cell], out, replace(settings, listener=Notes()))[0]

    first, again = evaluate(1.0), evaluate(1.0)
    assert not first.reused and again.reused and not heard
    edited = evaluate(3.0)
    assert not edited.reused and edited.folder == first.folder
    assert len(heard) == 1 and heard[0].startswith("the code of third has changed since ")
    assert edited.record.environment.plugins != first.record.environment.plugins
    assert evaluate(3.0).reused


def test_an_unfinished_run_of_other_code_is_started_again(
    brief_cell: sb.Cell, edit, out: Path, settings: sb.Settings
) -> None:
    cell = replace(brief_cell, model=edit(1.0)())

    class Killed(pl.Callback):
        def on_validation_end(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
            if trainer.global_step:
                raise KeyboardInterrupt

    trainer = sb.TrainerOptions("cpu", (Killed(),), checkpoint_seconds=0)
    with pytest.raises(BaseException):  # noqa: B017  # Lightning turns it into an exit
        sb.evaluate_cells([cell], out, replace(settings, trainer=trainer))
    (state,) = out.rglob("state.json")
    before = json.loads(checked_content(state.read_bytes()))["plugins"]
    assert before == [f"third {code_versions(cell)['third']}"]
    cell = replace(brief_cell, model=edit(3.0)())
    saved = json.loads(checked_content(state.read_bytes()))
    identity = PartialIdentity(**{k: v for k, v in saved.items() if k != "choice"})
    assert find_partial(state.parent.parent, identity) is not None
    now = [f"third {code_versions(cell)['third']}"]
    assert find_partial(state.parent.parent, replace(identity, plugins=now)) is None
    result = sb.evaluate_cells([cell], out, settings)[0]
    fresh = sb.evaluate_cells([cell], out.parent / "fresh", settings)[0]
    assert result.measured.trajectories.table.equals(fresh.measured.trajectories.table)


def test_another_python_cannot_tell(small_cell: sb.Cell, edit) -> None:
    cell = replace(small_cell, model=edit(1.0)())
    recorded = describe_environment(torch.device("cpu"), participants(cell, (), None))
    cell = replace(small_cell, model=edit(2.0)())
    assert changed_plugins(cell, recorded) == ["third"]
    assert changed_plugins(cell, recorded.model_copy(update={"python": "3.1.4"})) == []
