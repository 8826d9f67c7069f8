"""`synthbench plugin check` and `pytest --synthbench`, as a plugin's author runs them."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest
from typer.testing import CliRunner

from synthbench.cli.main import app
from synthbench.errors import ConfigurationError, UnknownNameError
from synthbench.registry.kinds import PROBE, TASK
from synthbench.registry.registry import Registry, installed
from synthbench.testing.subjects import LAWS, find_subjects
from tests.docs.pages import ROOT
from tests.registry.test_host import FakePoint, load, plugin
from tests.testing.optimizers.planted import Ascending
from tests.testing.probes.planted import SoundProbe, Writing
from tests.testing.tasks.planted.running_faults import Raises


def third_party(*classes: type, **hooks: object) -> Registry:
    found = hooks or {"register_probes": [c for c in classes if c.__name__ != "Ascending"]}
    if any(c.__name__ == "Ascending" for c in classes):
        found["register_optimizers"] = [Ascending]
    return Registry(load(FakePoint("mine", plugin(**found))))


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
    registry = third_party(Ascending)
    done = check(registry, monkeypatch)
    assert done.exit_code == 1
    assert "descends" in done.output and "broken" in done.output
    assert "change: check the sign of the update" in done.output
    assert "1 law broken" in done.output and "Traceback" not in done.output


@pytest.mark.parametrize("name", ["mine", "third-party", "sound-probe", "sound-probe scale=2"])
def test_a_plugin_a_distribution_or_a_reference_may_be_named(name: str) -> None:
    (subject,) = find_subjects(third_party(SoundProbe), [name])
    assert subject.title == ("probe sound-probe" + (" scale=2" if "scale" in name else ""))
    assert subject.examination().subject.startswith("sound-probe")


def test_no_name_means_third_party_plugins(monkeypatch: pytest.MonkeyPatch) -> None:
    assert [s.title for s in find_subjects(third_party(SoundProbe), [])] == ["probe sound-probe"]
    with pytest.raises(Exception, match="no third-party plugin with a task, model"):
        find_subjects(Registry(load()), [])


def test_a_name_of_nothing_is_a_mistake_with_a_suggestion() -> None:
    with pytest.raises(Exception, match='did you mean "sparse-parity"'):
        find_subjects(installed(), ["sparse-party"])
    failed = load(FakePoint("mine", ImportError("no such library")))
    with pytest.raises(Exception, match=r'plugin "mine" of third-party .* was set aside'):
        find_subjects(Registry(failed), ["mine"])


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


def test_a_name_that_is_there_or_left_out_is_no_misspelling() -> None:
    suite = ROOT / "leaderboards" / "quickstart" / "suite.toml"
    registry = Registry(
        load(
            FakePoint("boards", plugin(register_suites=[suite])),
            FakePoint("mine", plugin(register_probes=[SoundProbe]), "another"),
            wanted="boards",
        )
    )
    with pytest.raises(ConfigurationError, match=r'"boards" .* no task, .* provides: suites$'):
        find_subjects(registry, ["boards"])
    with pytest.raises(UnknownNameError, match=r"left out by SYNTHBENCH_PLUGINS=boards: mine"):
        find_subjects(registry, ["sound-probe"])


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
    reference = "sparse-parity n=3 k=3"
    done = check(None, monkeypatch, reference)
    assert done.exit_code == 1 and "world-varies" in done.output and "1 law broken" in done.output
    assert "--constant-world" in done.output
    assert check(None, monkeypatch, reference, "--constant-world").exit_code == 0


def test_every_law_has_a_statement_and_advice(monkeypatch: pytest.MonkeyPatch) -> None:
    listed = check(None, monkeypatch, "--list").output
    for kind, laws in LAWS.items():
        assert len({law.name for law in laws}) == len(laws) >= 10, kind
        for law in laws:
            assert law.statement[0].isupper() or law.statement.split()[0].islower()
            assert len(law.advice) > 20 and law.name in listed


def pytest_run(folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "pytest", "-p", "no:cacheprovider", "-q", *arguments]
    return subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)


def test_pytest_runs_the_laws_as_tests(tmp_path: Path) -> None:
    """One that holds and one that is broken: its advice is all that is shown."""
    (tmp_path / "conftest.py").write_text(
        "import synthbench.registry.registry as r\n"
        "from synthbench.registry.host import PluginHost\n"
        "from tests.registry.test_host import FakePoint, load, plugin\n"
        "from tests.testing.probes.planted import Writing\n"
        "host = PluginHost.from_entry_points()\n"
        "point = FakePoint('mine', plugin(register_probes=[Writing]))\n"
        "mine = load(point)\n"
        "host.plugins += mine.plugins\n"
        "found = r.Registry(host)\n"
        "r.installed = lambda: found\n"
        "import synthbench.testing.probes.check as p\n"
        "p.installed = r.installed\n"
        f"assert Writing.name == {Writing.name!r}\n"
    )
    root = str(Path(__file__).parents[2])
    done = pytest_run(tmp_path, "--synthbench", "mine", "-o", f"pythonpath={root}")
    laws = len(LAWS[PROBE])
    assert f"1 failed, {laws - 1} passed" in done.stdout, done.stdout + done.stderr
    assert "FAILED synthbench::probe sound-probe: read-only" in done.stdout, done.stdout
    assert "seen: it wrote into the parameters of the view" in done.stdout
    assert "Traceback" not in done.stdout and "laws.py" not in done.stdout


def test_pytest_refuses_a_name_of_nothing_and_costs_nothing_otherwise(tmp_path: Path) -> None:
    done = pytest_run(tmp_path, "--synthbench", "sparse-party")
    assert done.returncode == 4 and 'did you mean "sparse-parity"' in done.stderr
    (tmp_path / "test_light.py").write_text(
        "import sys\ndef test_light():\n    assert 'torch' not in sys.modules\n"
    )
    assert "1 passed" in pytest_run(tmp_path).stdout
