"""`pytest --synthbench`, as a plugin's author runs it."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from synthbench.registry.kinds import PROBE
from synthbench.testing.subjects import LAWS
from tests.testing.probes.planted import Writing

ROOT = Path(__file__).parents[1]
RUNS = """
import contextlib, io, json, os, sys
import pytest
ended = []
for folder, *arguments in json.load(sys.stdin):
    os.chdir(folder)
    out, err = io.StringIO(), io.StringIO()
    with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
        code = pytest.main(["-p", "no:cacheprovider", "-q", *arguments])
    ended.append([int(code), out.getvalue(), err.getvalue()])
json.dump(ended, sys.stdout)
"""
"""Runs pytest several times in one process, the lightest first: importing torch takes seconds."""
LIGHT = "import sys\ndef test_light():\n    assert 'torch' not in sys.modules\n"
WITH_A_PLUGIN = f"""
import synthbench.registry.registry as r
from synthbench.registry.host import PluginHost
from tests.registry.points import FakePoint, load, plugin
from tests.testing.probes.planted import Writing
host = PluginHost.from_entry_points()
point = FakePoint('mine', plugin(register_probes=[Writing]))
mine = load(point)
host.plugins += mine.plugins
found = r.Registry(host)
r.installed = lambda: found
import synthbench.testing.probes.check as p
p.installed = r.installed
assert Writing.name == {Writing.name!r}
"""


@pytest.fixture(scope="module")
def ended(tmp_path_factory: pytest.TempPathFactory) -> dict[str, tuple[int, str, str]]:
    """Exit code, output and errors: without the flag, of a name of nothing, of a faulty probe."""
    light, nothing, mine = (tmp_path_factory.mktemp(name) for name in ("light", "nothing", "mine"))
    (light / "test_light.py").write_text(LIGHT)
    (mine / "conftest.py").write_text(WITH_A_PLUGIN)
    runs = [
        [str(light)],
        [str(nothing), "--synthbench", "sparse-party"],
        [str(mine), "--synthbench", "mine", "-o", f"pythonpath={ROOT}"],
    ]
    done = subprocess.run(
        [sys.executable, "-c", RUNS],
        cwd=light,
        input=json.dumps(runs),
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return dict(zip(("light", "nothing", "mine"), json.loads(done.stdout), strict=True))


def test_pytest_runs_the_laws_as_tests(ended: dict[str, tuple[int, str, str]]) -> None:
    """One that holds and one that is broken: its advice is all that is shown."""
    _, out, err = ended["mine"]
    laws = len(LAWS[PROBE])
    assert f"1 failed, {laws - 1} passed" in out, out + err
    assert "synthbench::probe sound-probe: read-only - read-only" in out, out
    assert "seen: it wrote into the parameters of the view" in out
    assert "Traceback" not in out and "laws.py" not in out


def test_pytest_refuses_a_name_of_nothing(ended: dict[str, tuple[int, str, str]]) -> None:
    code, _, err = ended["nothing"]
    assert code == 4 and 'did you mean "sparse-parity"' in err


def test_it_costs_nothing_otherwise(ended: dict[str, tuple[int, str, str]]) -> None:
    assert "1 passed" in ended["light"][1]
