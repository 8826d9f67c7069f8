"""A stranger's plugins, installed beside the wheel: listed, shown, trained, submitted, checked."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

import synthbench as sb
from synthbench.scaffold import KINDS
from tests.distributions.conftest import ThirdParties
from tests.fresh_environment import Ended

SUBMISSION = Path("leaderboards", "multiplexer-v1", "submissions", "gated-linear-width-64")
QUICK = ["--device", "cpu", "--replicas-per-block", "8"]
COMMANDS = {
    "show": ["show", "multiplexer n=20 address=2"],
    "show clashing": ["show", "sparse-parity"],
    "eval": ["eval", "multiplexer-v1", *QUICK],
    "submit": ["leaderboard", "submit", "runs/multiplexer-v1", "--author", "Ada Lovelace"],
    "board": ["leaderboard", "show", "multiplexer-v1"],
    "quickstart": ["eval", "quickstart", "--seeds", "4", "--budget", "6400", *QUICK],
    "mixed": [
        "eval", "--task", "new-task n=8", "--model", "new-model optimizer=new-optimizer",
        "--probe", "new-probe", "--seeds", "2", "--budget", "3200", *QUICK,
    ],
    "build": ["leaderboard", "build", "quickstart", "multiplexer-v1"],
    "check": ["plugin", "check", "new-model", "total-influence"],
    "unknown": ["show", "multiplexerr"],
    "plugins": ["list", "plugins"],
}  # fmt: skip


@pytest.fixture(scope="module")
def ended(third_parties: ThirdParties) -> dict[str, Ended]:
    """What the commands did, all in one process: importing torch takes seconds."""
    found = third_parties.environment.run_commands(list(COMMANDS.values()), third_parties.work)
    return dict(zip(COMMANDS, found, strict=True))


def test_list_plugins_shows_what_is_there_and_what_failed(ended: dict[str, Ended]) -> None:
    done = ended["plugins"]
    assert done.code == 0 and done.err == ""
    assert max(len(line) for line in done.out.splitlines()) <= 80
    loaded, failed = done.out.split("set aside")
    lines = [" ".join(line.split()) for line in loaded.splitlines()]
    first = lines.index("example synthbench-example 0.3.0 task multiplexer")
    assert lines[first + 1 : first + 5] == [
        "model gated-linear", "probe total-influence", "suite multiplexer-v1", "study bit-by-bit",
    ]  # fmt: skip
    for kind in KINDS:
        # A long name and its version are on two lines.
        (row,) = [line for line in lines if line.startswith(f"new-{kind} ")]
        assert row.startswith(f"new-{kind} synthbench-new-{kind} ")
        assert row.endswith(f" {kind} new-{kind}")
    assert "bad" not in loaded and "clash" not in loaded
    words = " ".join(failed.split())
    for reason in (
        "bad synthbench-bad 1.2.3 ModuleNotFoundError: No module named "
        "'library_that_nobody_has' (synthbench_bad/__init__.py, line 4)",
        'clash synthbench-clash 1.2.3 PluginError: task "sparse-parity" is already provided by '
        'plugin "parity" of synthbench; choose another name',
        "future synthbench-future 1.2.3 PluginError: it is for plugin API 7, SynthBench 0.1.0 has "
        "1; upgrade synthbench",
    ):
        assert reason in words


def test_a_clean_run_without_plugins(third_parties: ThirdParties) -> None:
    done = third_parties.run("--no-plugins", "list", "plugins", SYNTHBENCH_PLUGINS="example")
    assert done.code == 0 and "set aside" not in done.out
    loaded, left_out = done.out.split("left out")
    assert "parity" in loaded and "example" not in loaded
    words = " ".join(left_out.split())
    for name in ("bad", "clash", "example", "future", "new-task"):
        assert f"{name} synthbench-{name} " in words
    assert words.count("SYNTHBENCH_PLUGINS=none") == 4 + len(KINDS)


def test_every_command_works(ended: dict[str, Ended]) -> None:
    codes = {name: done.code for name, done in ended.items()}
    assert codes == dict.fromkeys(COMMANDS, 0) | {"unknown": 2}, ended


def test_show(ended: dict[str, Ended]) -> None:
    shown = ended["show"].out
    assert "synthbench-example 0.3.0" in shown and "signs (n=20) -> margin" in shown
    assert "reads-0 0.625, reads-1 0.75, optimal 1" in shown
    assert "from  synthbench 0.1.0" in ended["show clashing"].out
    error = ended["unknown"].err.splitlines()
    assert error[0].endswith('did you mean "multiplexer"? (synthbench list)')
    assert [line.split('"')[1] for line in error[1:]] == ["bad", "clash", "future"]


def test_the_record_names_every_plugin_that_took_part(
    ended: dict[str, Ended], third_parties: ThirdParties
) -> None:
    def plugins(run: str) -> set[tuple[str, str, str]]:
        (record, *_) = sorted((third_parties.work / "runs" / run).glob("*/record.json"))
        found = json.loads(record.read_text())["environment"]["plugins"]
        return {(p["plugin"], p["distribution"], p["version"]) for p in found}

    def without_code(found: set[tuple[str, str, str]]) -> set[tuple[str, str, str]]:
        assert all(re.search(r"\+code\.[0-9a-f]{8}$", version) for *_, version in found)
        return {(*names, version.partition("+")[0]) for *names, version in found}

    assert ended["mixed"].code == 0
    found = without_code(plugins("multiplexer-v1"))
    assert found == {("example", "synthbench-example", "0.3.0")}
    found = without_code(plugins("new-task"))
    taken = [kind for kind in KINDS if kind != "study"]
    assert found == {(f"new-{k}", f"synthbench-new-{k}", "0.1.0") for k in taken}
    bundled = plugins("quickstart")
    assert {name for name, *_ in bundled} == {"mlp", "parity", "suites"}
    assert {version for *_, version in bundled} == {sb.__version__}


def test_the_submission_is_on_the_board(
    ended: dict[str, Ended], third_parties: ThirdParties
) -> None:
    assert (third_parties.work / SUBMISSION / "submission.json").exists()
    board = " ".join(ended["board"].out.split())
    assert "gated-linear width=64 fixed" in board and "2/2" in board
    assert "set aside" not in board
    assert "multiplexer-v1: 1 submission" in ended["build"].out
    site = third_parties.work / "site"
    assert "gated-linear" in (site / "multiplexer-v1" / "index.html").read_text()
    # The bundled submissions are those in the wheel.
    assert "mlp width=100" in (site / "quickstart" / "index.html").read_text()


def test_the_laws_are_checked(ended: dict[str, Ended]) -> None:
    checked = " ".join(ended["check"].out.split())
    assert "new-model" in checked and "total-influence" in checked
    assert checked.endswith("all laws hold for 2 of 2")


def test_every_distribution_passes_its_own_tests(third_parties: ThirdParties) -> None:
    folders = [third_parties.example, *third_parties.generated.values()]
    done = third_parties.environment.run(
        "python", "-m", "pytest", "-q", "-p", "no:cacheprovider", "-W", "error",
        "--import-mode=importlib", *(str(folder / "tests") for folder in folders),
        cwd=third_parties.work,
    )  # fmt: skip
    assert done.code == 0, done.out + done.err
    assert "passed" in done.out.splitlines()[-1]
