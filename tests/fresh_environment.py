"""The project's wheel, and virtual environments outside the checkout to install it into."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import sysconfig
import venv
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parent.parent
COMMANDS = """
import contextlib, io, json, sys, time
from synthbench.cli.main import main
ended = []
for arguments in json.load(sys.stdin):
    out, err, began = io.StringIO(), io.StringIO(), time.perf_counter()
    sys.argv = ["synthbench", *arguments]
    with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
        try:
            main()
            code = 0
        except SystemExit as ending:
            code = ending.code
    seconds = time.perf_counter() - began
    ended.append([code, out.getvalue(), err.getvalue(), seconds])
json.dump(ended, sys.stdout)
"""
"""Runs commands one after the other in one process, which has to import torch only once."""


def build_wheel(folder: Path) -> Path:
    """The project's wheel, in the folder."""
    command = [sys.executable, "-m", "build", "--wheel", "--no-isolation", "--outdir", str(folder)]
    done = subprocess.run([*command, str(ROOT)], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    (wheel,) = folder.glob("*.whl")
    return wheel


@dataclass(frozen=True)
class Ended:
    """A command that has ended: its exit code, what it printed, the time it took."""

    code: int
    out: str
    err: str
    seconds: float = 0.0


@dataclass(frozen=True)
class FreshEnvironment:
    """A virtual environment that holds nothing of the checkout."""

    folder: Path

    @classmethod
    def create(cls, folder: Path) -> FreshEnvironment:
        """An environment without SynthBench that borrows the libraries of this one.

        Installing torch takes minutes, so its site-packages has, by way of a .pth file, a folder
        of links to everything installed here but SynthBench and plugins, editable or not.
        """
        venv.create(folder / "venv", symlinks=True)
        borrowed = folder / "borrowed" / "site-packages"
        borrowed.mkdir(parents=True)
        for site in {sysconfig.get_path("purelib"), sysconfig.get_path("platlib")}:
            for entry in Path(site).iterdir():
                if _is_library(entry):
                    (borrowed / entry.name).symlink_to(entry)
        made = cls(folder)
        (made.site_packages / "borrowed.pth").write_text(f"{borrowed}\n")
        return made

    @property
    def python(self) -> Path:
        """Its interpreter."""
        name = "python.exe" if sys.platform == "win32" else "python"
        return self._place("scripts") / name

    @property
    def site_packages(self) -> Path:
        """Where pip installs."""
        return self._place("purelib")

    def _place(self, kind: str) -> Path:
        """Where its system lays things: `bin` and `lib`, or `Scripts` and `Lib`."""
        home = str(self.folder / "venv")
        return Path(sysconfig.get_path(kind, "venv", {"base": home, "platbase": home}))

    def install(self, *sources: Path) -> None:
        """Install wheels and source folders, and nothing that they depend on."""
        done = subprocess.run(
            [sys.executable, "-m", "pip", "--python", str(self.python), "install", "--quiet",
             "--no-deps", "--no-index", "--no-build-isolation", "--no-compile", *map(str, sources)],
            env=clean(), cwd=self.folder, capture_output=True, text=True, check=False,
        )  # fmt: skip
        assert done.returncode == 0, done.stdout + done.stderr

    def run(self, *command: str, cwd: Path, **variables: str) -> Ended:
        """Run one of its programs, such as `synthbench`, in a folder."""
        program = self.python.with_name(command[0])
        done = subprocess.run(
            [str(program), *command[1:]], cwd=cwd, env=clean(variables), capture_output=True,
            text=True, check=False, timeout=900,
        )  # fmt: skip
        return Ended(done.returncode, done.stdout, done.stderr)

    def run_commands(self, commands: Sequence[Sequence[str]], cwd: Path) -> list[Ended]:
        """Run `synthbench` commands in one process."""
        done = subprocess.run(
            [str(self.python), "-c", COMMANDS], cwd=cwd, env=clean(), check=False,
            input=json.dumps(list(commands)), capture_output=True, text=True, timeout=900,
        )  # fmt: skip
        assert done.returncode == 0, done.stdout + done.stderr
        return [Ended(*ended) for ended in json.loads(done.stdout)]


def clean(variables: Mapping[str, str] | None = None) -> dict[str, str]:
    """This process's variables without those by which it could lend its own packages."""
    hidden = {"PYTHONPATH", "PYTHONHOME", "VIRTUAL_ENV", "SYNTHBENCH_PLUGINS", "COLUMNS"}
    kept = {key: value for key, value in os.environ.items() if key not in hidden}
    return {**kept, "COLUMNS": "80", **(variables or {})}


def _is_library(entry: Path) -> bool:
    if entry.suffix == ".pth" or entry.name == "__pycache__":
        return False
    if entry.name.startswith(("synthbench", "_editable_impl_", "__editable__")):
        return False
    points = entry / "entry_points.txt"
    return not (points.is_file() and "[synthbench]" in points.read_text(encoding="utf-8"))
