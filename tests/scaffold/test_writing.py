"""What `synthbench plugin new` writes; that it works is seen in tests/distributions.

`pytest -m slow` runs the tests of new models in a process of their own, and checks types.
"""

from __future__ import annotations

import ast
import importlib
import os
import runpy
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

import synthbench as sb
from synthbench.cli.main import main
from synthbench.errors import OutputError
from synthbench.plan.paper_study import read_paper_study
from synthbench.plan.suite import read_suite
from synthbench.registry.registry import installed
from synthbench.scaffold import INPUTS, KINDS, PluginNames, write_plugin
from synthbench.scaffold.naming import IN_TEMPLATES
from synthbench.scaffold.writing import TEMPLATES, render_plugin
from synthbench.testing import check_study
from tests.papers.stand_in import stand_in_claims

__all__ = ["stand_in_claims"]

ROOT = Path(__file__).parent.parent.parent
SHORT, LONG = PluginNames("b"), PluginNames("doubly-stochastic-markov-chain")
EVERY = [*((kind, INPUTS[0]) for kind in KINDS), *(("model", reads) for reads in INPUTS[1:])]
"""Kinds of plugins, and what a model reads."""


@pytest.mark.parametrize(("kind", "reads"), EVERY)
def test_files_and_entry_point(kind: str, reads: str, tmp_path: Path) -> None:
    written = write_plugin(kind, PluginNames("coin-flips"), tmp_path, reads)
    assert written.folder == tmp_path / "synthbench-coin-flips"
    found = {str(p.relative_to(written.folder)) for p in written.folder.rglob("*") if p.is_file()}
    package = "synthbench_coin_flips"
    wanted = {"pyproject.toml", "README.md", ".gitignore", f"{package}/__init__.py"}
    edited = "study.toml" if kind == "study" else f"{kind}.py"
    wanted |= {f"{package}/{edited}", f"tests/test_{kind}.py"}
    wanted |= {f"{package}/suite.toml"} if kind == "task" else set()
    assert found == wanted == set(written.lines)
    for name, lines in written.lines.items():
        assert len((written.folder / name).read_text().splitlines()) == lines
    project = tomllib.loads((written.folder / "pyproject.toml").read_text())["project"]
    assert project["name"] == "synthbench-coin-flips"
    assert project["entry-points"] == {"synthbench": {"coin-flips": package}}
    major, minor, *_ = sb.__version__.split(".")
    assert f"synthbench>={major}.{minor},<{int(major) + 1}" in project["dependencies"]
    root = (written.folder / package / "__init__.py").read_text()
    assert f"synthbench_plugin_api = {sb.PLUGIN_API}\n" in root and "import torch" not in root
    # What is to be edited is marked, three times.
    module = (written.folder / package / edited).read_text()
    assert [f"EDIT {i} of 3" in module for i in (1, 2, 3)] == [True] * 3
    assert module.count("EDIT") == 3


def test_the_suite_of_a_task_is_one(tmp_path: Path) -> None:
    folder = write_plugin("task", LONG, tmp_path).folder
    suite = read_suite(folder / LONG.package / "suite.toml")
    assert suite.name == LONG.suite
    assert {cell.task.split()[0] for cell in suite.cells} == {LONG.name}


@pytest.mark.usefixtures("stand_in_claims")
def test_a_study_keeps_every_law(tmp_path: Path) -> None:
    folder = write_plugin("study", LONG, tmp_path).folder
    study = read_paper_study(folder / LONG.package / "study.toml")
    assert study.name == LONG.name
    assert check_study(study).facts["cells"] == "2, with the paper's sizes 4"


@pytest.mark.parametrize(("kind", "reads"), EVERY)
def test_only_public_names_are_imported(kind: str, reads: str) -> None:
    imported = []
    for path, text in render_plugin(kind, SHORT, reads).items():
        for node in ast.walk(ast.parse(text)) if path.endswith(".py") else ():
            if isinstance(node, ast.ImportFrom) and node.module == "synthbench":
                imported += [alias.name for alias in node.names]
            elif isinstance(node, ast.ImportFrom) and node.module.startswith("synthbench."):
                assert node.module == "synthbench.testing"
                assert [alias.name for alias in node.names] == [f"check_{kind}"]
            elif isinstance(node, ast.Import):
                assert not any(alias.name.startswith("synthbench") for alias in node.names)
    assert imported and set(imported) <= set(sb.__all__)


@pytest.mark.parametrize(("kind", "reads"), EVERY)
def test_what_the_templates_name_is_no_name_for_a_class(kind: str, reads: str) -> None:
    for path, text in render_plugin(kind, SHORT, reads).items():
        for node in ast.walk(ast.parse(text)) if path.endswith(".py") else ():
            names = [alias.name for alias in node.names] if isinstance(node, ast.ImportFrom) else []
            names += [node.name] if isinstance(node, ast.ClassDef) else []
            own = {SHORT.class_name, f"{SHORT.class_name}Mixer"}
            taken = {n for n in names if n[:1].isupper()} - {*own, *sb.__all__}
            assert taken <= IN_TEMPLATES


def test_every_template_is_used() -> None:
    files = {str(p.relative_to(TEMPLATES)) for p in TEMPLATES.rglob("*.j2")}
    assert {p.name.removesuffix(".j2") for p in TEMPLATES.rglob("*.j2")} == {
        Path(name).name for kind in KINDS for name in render_plugin(kind, SHORT)
    }
    folders = [*KINDS, "sequence_model"]
    kinds = ["model" if folder == "sequence_model" else folder for folder in folders]
    assert {Path(name).parts[0] for name in files} == {*folders, "common"}
    assert len(files) == 3 + sum(len(render_plugin(kind, SHORT)) - 3 for kind in kinds)


def test_they_pass_the_houses_linter_and_formatter(tmp_path: Path) -> None:
    for kind, reads in EVERY:
        for names in (SHORT, LONG):
            write_plugin(kind, names, tmp_path / kind / reads, reads)
    rules = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["ruff"]["lint"]
    ruff = [sys.executable, "-m", "ruff"]
    for command in (
        [*ruff, "check", "--no-cache", "--select", ",".join(rules["select"]),
         "--ignore", ",".join(rules["ignore"]), "--per-file-ignores", "test_*.py:D"],
        [*ruff, "format", "--no-cache", "--check"],
    ):  # fmt: skip
        done = subprocess.run([*command, str(tmp_path)], capture_output=True, text=True)
        assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.slow  # mypy, which the extra `dev` brings, reads torch anew
def test_they_are_typed(tmp_path: Path) -> None:
    for kind, reads in EVERY:
        folder = write_plugin(kind, SHORT, tmp_path / kind / reads, reads).folder
        mypy = [sys.executable, "-m", "mypy", "--cache-dir", str(tmp_path / "cache"), "."]
        done = subprocess.run(mypy, cwd=folder, capture_output=True, text=True)
        assert done.returncode == 0, done.stdout + done.stderr


PORTS = {
    "signs": "Signs(",
    "reals": "Reals(",
    "tokens": "Tokens(",
    "real-sequence": "RealSequence(",
}


def pytest_in(folder: Path) -> str:
    """What pytest prints of a new distribution's own tests, which must pass; not installed."""
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-n", "0", "-p", "no:cacheprovider"],
        cwd=folder,
        env={**os.environ, "PYTHONPATH": os.pathsep.join([str(folder), *sys.path])},
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def test_a_new_mixer_is_its_formula(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """By its own test, called here: another process would read torch anew."""
    names = PluginNames("new-formula")
    folder = write_plugin("model", names, tmp_path, "tokens").folder
    monkeypatch.syspath_prepend(str(folder))
    by_hand = runpy.run_path(str(folder / "tests" / "test_model.py"))["test_the_mixer_by_hand"]
    by_hand()
    model = importlib.import_module(f"{names.package}.model")
    monkeypatch.setattr(
        getattr(model, f"{names.class_name}Mixer"), "forward", lambda self, x: x.cumsum(1)
    )
    with pytest.raises(AssertionError):
        by_hand()


@pytest.mark.slow  # That of signs is tested where it is installed, in tests/distributions.
@pytest.mark.parametrize("reads", INPUTS[1:])
def test_a_new_model_passes_its_own_tests(reads: str, tmp_path: Path) -> None:
    folder = write_plugin("model", SHORT, tmp_path, reads).folder
    assert pytest_in(folder).startswith("..")


def test_what_a_new_model_reads_is_what_was_asked_for(tmp_path: Path) -> None:
    for reads, port in PORTS.items():
        files = render_plugin("model", SHORT, reads)
        found = {
            name
            for name, other in PORTS.items()
            if f"Interface({other}" in files["tests/test_model.py"]
        }
        assert found == {reads}, port


@pytest.mark.slow
def test_a_new_sequence_model_learns_alone_and_as_a_mixer(
    tmp_path: Path, monkeypatch, settings: sb.Settings
) -> None:
    folder = write_plugin("model", PluginNames("new-mean"), tmp_path, "tokens").folder
    monkeypatch.syspath_prepend(str(folder))
    model = importlib.import_module("synthbench_new_mean.model").NewMean
    for alone in (True, False):
        short = {"layers": 1, "recipe": sb.Recipe(optimizer="adamw", lr=0.01, batch_size=32)}
        transformer = type(installed().model("transformer"))
        result = sb.evaluate(
            "markov symbols=2 length=12",
            model(width=16, **short) if alone else transformer(mixer=model(), **short),
            protocol=sb.Protocol(seeds=2, budget=1_600, until="budget", evaluation_samples=256),
            out=tmp_path / "runs",
            settings=settings,
        )
        frame = result.measured.trajectories.to_pandas()
        assert (frame[frame["step"] == 50]["progress"] > 0.1).all()
        assert result.record.compute.looped is None


def test_nothing_is_overwritten(tmp_path: Path) -> None:
    home = tmp_path / SHORT.distribution
    home.mkdir()
    (home / "precious").write_text("mine")
    with pytest.raises(OutputError, match=r"synthbench-b is there already; choose another name"):
        write_plugin("task", SHORT, tmp_path)
    assert [p.name for p in tmp_path.rglob("*")] == [SHORT.distribution, "precious"]


def test_a_failure_leaves_nothing(tmp_path: Path, monkeypatch) -> None:
    written = []

    def full(self: Path, text: str, **options: object) -> None:
        written.append(self)
        if len(written) == 3:
            raise OSError(28, "No space left on device")

    monkeypatch.setattr(Path, "write_text", full)
    with pytest.raises(OutputError, match=r"cannot write .*synthbench-b: No space left on device"):
        write_plugin("task", SHORT, tmp_path)
    assert len(written) == 3 and not list(tmp_path.iterdir())


def run(capsys, monkeypatch, *arguments: str) -> tuple[int, str, str]:
    monkeypatch.setattr(sys, "argv", ["synthbench", "plugin", "new", *arguments])
    with pytest.raises(SystemExit) as ended:
        main()
    return ended.value.code, *capsys.readouterr()


def test_the_command_says_what_it_wrote_and_what_to_do(capsys, monkeypatch, tmp_path) -> None:
    monkeypatch.chdir(tmp_path)
    code, out, err = run(capsys, monkeypatch, "task", "coin-flips")
    assert code == 0 and err == ""
    total = sum(render.count("\n") for render in render_plugin("task", PluginNames("coin-flips"))
                .values())  # fmt: skip
    assert out.startswith(f"synthbench-coin-flips: 7 files, {total} lines\n")
    assert out.splitlines()[-3:] == [
        "  cd synthbench-coin-flips",
        "  pip install -e '.[test]' && pytest",
        "  synthbench eval coin-flips-v1",
    ]


@pytest.mark.parametrize(
    ("reads", "command"),
    [
        ("signs", "eval quickstart --model new-net"),
        ("tokens", "eval in-context-quick --model new-net"),
        ("real-sequence", "eval in-context-quick --model new-net"),
        ("reals", "eval --task 'a task of yours' --model new-net"),
    ],
)
def test_a_model_is_first_measured_on_what_it_reads(
    reads: str, command: str, capsys, monkeypatch, tmp_path
) -> None:
    monkeypatch.chdir(tmp_path)
    code, out, _ = run(capsys, monkeypatch, "model", "new-net", "--input", reads)
    assert code == 0 and out.splitlines()[-1] == f"  synthbench {command}"
    readme = (tmp_path / "synthbench-new-net" / "README.md").read_text()
    assert f"synthbench {command}" in readme


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("task", "Coin_Flips"), 'did you mean "coin-flips"?'),
        (("model", "mlp"), "synthbench has a model of that name"),
        (("probe", "fine", "--input", "tokens"), "--input says what a model reads"),
        (("task", "fine", "--folder", "file/below"), "cannot write to file/below"),
        (("task", "coins", "--folder", "here"), "synthbench-coins is there already"),
    ],
)
def test_mistakes(arguments, message: str, capsys, monkeypatch, tmp_path: Path) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "file").write_text("")
    (tmp_path / "here" / "synthbench-coins").mkdir(parents=True)
    code, out, err = run(capsys, monkeypatch, *arguments)
    assert code == 2 and message in err and out == ""
    assert len(err.splitlines()) == 1 and "Traceback" not in err
    assert not list(tmp_path.rglob("pyproject.toml"))
