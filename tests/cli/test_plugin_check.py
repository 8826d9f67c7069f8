"""`synthbench plugin check`, as a plugin's author runs it."""

from __future__ import annotations

import re
import sys
from pathlib import Path

import pytest
from typer.testing import CliRunner

from synthbench.cli.main import app
from synthbench.registry.kinds import PROBE, TASK
from synthbench.registry.registry import Registry
from synthbench.testing.subjects import LAWS
from tests.registry.points import FakePoint, load, plugin, third_party
from tests.testing.optimizers.planted import Ascending
from tests.testing.probes.planted import SoundProbe
from tests.testing.tasks.planted.running_faults import Raises


def check(registry: Registry | None, monkeypatch: pytest.MonkeyPatch, *arguments: str):
    if registry is not None:
        monkeypatch.setattr("synthbench.registry.registry.installed", lambda: registry)
    monkeypatch.setenv("COLUMNS", "80")
    return CliRunner().invoke(app, ["plugin", "check", *arguments])


def test_it_prints_a_line_for_each_law_in_80_columns(monkeypatch: pytest.MonkeyPatch) -> None:
    done = check(None, monkeypatch, "weight-norm")
    assert done.exit_code == 0, done.output
    assert "probe weight-norm" in done.output and "all laws hold for 1 of 1" in done.output
    for law in LAWS[PROBE]:
        assert f" {law.name} " in done.output
    assert max(len(line) for line in done.output.splitlines()) <= 80


def test_a_broken_law_gives_advice_and_exit_code_1(monkeypatch: pytest.MonkeyPatch) -> None:
    registry = third_party(register_optimizers=[Ascending])
    done = check(registry, monkeypatch)
    assert done.exit_code == 1
    assert "descends" in done.output and "broken" in done.output
    assert "change: check the sign of the update" in done.output
    assert "1 law broken" in done.output and "Traceback" not in done.output


def test_a_plugin_that_was_set_aside_fails_the_check_of_all(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    registry = Registry(
        load(
            FakePoint("mine", plugin(register_probes=[SoundProbe])),
            FakePoint("other", ImportError("no such thing")),
        )
    )
    done = check(registry, monkeypatch)
    assert done.exit_code == 1 and "all laws hold" not in done.output
    assert 'not checked: plugin "other" of third-party 1.2.3 was set aside' in done.output
    assert check(registry, monkeypatch, "mine").exit_code == 0


def test_what_cannot_be_judged_is_counted_and_the_finding_says_where(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    done = check(third_party(register_tasks=[Raises]), monkeypatch)
    lines = [line for line in done.output.splitlines() if "not judged" in line]
    assert len(lines) == 1 and lines[0].rstrip().endswith("cannot be judged before runs holds")
    (count,) = re.findall(r"(\d+) laws +not judged", lines[0])
    judged = sum(f" {law.name} " in done.output for law in LAWS[TASK])
    assert int(count) + judged == len(LAWS[TASK])
    seen = " ".join(done.output.split())
    assert re.search(r"KeyError: 'optimal' \(running_faults.py, line \d+, in exact_scores\)", seen)


def test_a_world_may_be_declared_constant(monkeypatch: pytest.MonkeyPatch) -> None:
    reference = "sparse-parity n=6 k=6"
    done = check(None, monkeypatch, reference)
    assert done.exit_code == 1 and "world-varies" in done.output and "1 law broken" in done.output
    assert "--constant-world" in done.output
    assert check(None, monkeypatch, reference, "--constant-world").exit_code == 0


def test_a_bare_module_is_checked_on_a_task(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    path = tmp_path / "my_linear.py"
    path.write_text("from torch import nn\n\n\ndef my_linear():\n    return nn.Linear(10, 1)\n")
    monkeypatch.setattr(sys, "path", list(sys.path))
    done = check(None, monkeypatch, f"{path}:my_linear", "--task", "sparse-parity n=10 k=2")
    assert done.exit_code == 0, done.output
    assert "model my-linear code=" in done.output and "replicas: traced" in done.output
    assert "trains-plain" in done.output and "config-round-trips" not in done.output
    alone = check(None, monkeypatch, f"{path}:my_linear")
    assert alone.exit_code != 0 and "--task 'sparse-parity n=10 k=2'" in str(alone.exception)


def test_every_law_has_a_statement_and_advice(monkeypatch: pytest.MonkeyPatch) -> None:
    listed = check(None, monkeypatch, "--list").output
    for kind, laws in LAWS.items():
        assert len({law.name for law in laws}) == len(laws) >= 4, kind
        for law in laws:
            assert law.statement[0].isupper() or law.statement.split()[0].islower()
            assert len(law.advice) > 20 and law.name in listed
