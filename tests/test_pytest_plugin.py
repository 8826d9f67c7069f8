"""`pytest --synthbench`, as a plugin's author runs it."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from synthbench.registry.kinds import PROBE
from synthbench.testing.subjects import LAWS
from tests.testing.probes.planted import Writing


def pytest_run(folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "pytest", "-p", "no:cacheprovider", "-q", *arguments]
    return subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)


def test_pytest_runs_the_laws_as_tests(tmp_path: Path) -> None:
    """One that holds and one that is broken: its advice is all that is shown."""
    (tmp_path / "conftest.py").write_text(
        "import synthbench.registry.registry as r\n"
        "from synthbench.registry.host import PluginHost\n"
        "from tests.registry.points import FakePoint, load, plugin\n"
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
    root = str(Path(__file__).parents[1])
    done = pytest_run(tmp_path, "--synthbench", "mine", "-o", f"pythonpath={root}")
    laws = len(LAWS[PROBE])
    assert f"1 failed, {laws - 1} passed" in done.stdout, done.stdout + done.stderr
    assert "synthbench::probe sound-probe: read-only - read-only" in done.stdout, done.stdout
    assert "seen: it wrote into the parameters of the view" in done.stdout
    assert "Traceback" not in done.stdout and "laws.py" not in done.stdout


def test_pytest_refuses_a_name_of_nothing_and_costs_nothing_otherwise(tmp_path: Path) -> None:
    done = pytest_run(tmp_path, "--synthbench", "sparse-party")
    assert done.returncode == 4 and 'did you mean "sparse-parity"' in done.stderr
    (tmp_path / "test_light.py").write_text(
        "import sys\ndef test_light():\n    assert 'torch' not in sys.modules\n"
    )
    assert "1 passed" in pytest_run(tmp_path).stdout
