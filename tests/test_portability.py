"""What plainly could not work on Windows or macOS, found in the source without either."""

from __future__ import annotations

import os
import signal
import sys
from pathlib import Path

import pytest

from tests.fresh_environment import FreshEnvironment
from tests.portability import NEED_POSIX, POSIX_NAMES, posix_only, without_encoding

ROOT = Path(__file__).parents[1]
SOURCES = sorted([*ROOT.glob("synthbench/**/*.py"), *ROOT.glob("plugins/**/*.py")])
TESTS = sorted((ROOT / "tests").rglob("*.py"))


def source(path: Path) -> str:
    return path.read_text(encoding="utf-8")


def test_what_windows_lacks_is_used_only_where_it_is_asked_for() -> None:
    found = {str(path): list(posix_only(source(path))) for path in SOURCES}
    assert not {path: uses for path, uses in found.items() if uses}


def test_every_text_has_its_encoding() -> None:
    found = {str(path): list(without_encoding(source(path))) for path in SOURCES}
    assert not {path: calls for path, calls in found.items() if calls}


def test_tests_that_need_more_than_windows_has_are_not_collected_there() -> None:
    helpers = {"end_to_end/forked.py", "test_portability.py"}
    for path in TESTS:
        name = path.relative_to(ROOT / "tests").as_posix()
        if name not in {*NEED_POSIX, *helpers}:
            assert not list(posix_only(source(path))), name
    assert all((ROOT / "tests" / name).is_file() for name in NEED_POSIX)


def test_no_file_has_a_name_that_windows_cannot_write() -> None:
    """Nor two that differ in nothing but case, which macOS takes for one."""
    folders = ("synthbench", "plugins", "tests", "leaderboards", "docs", ".github")
    names = [path.relative_to(ROOT) for folder in folders for path in (ROOT / folder).rglob("*")]
    names = [name for name in names if "__pycache__" not in name.parts]
    for name in names:
        assert not set(str(name.as_posix())) & set('<>:"|?*\\'), name
        assert not any(part.endswith((".", " ")) for part in name.parts), name
    assert len({str(name).lower() for name in names}) == len(names)


@pytest.mark.parametrize(
    ("code", "found"),
    [
        ("import fcntl", ["line 1: fcntl"]),
        ("from resource import getrusage", ["line 1: resource"]),
        ("import os\nos.fork()", ["line 2: os.fork"]),
        ("from os import fork", ["line 1: os.fork"]),
        ("import signal\ndef f():\n    return signal.SIGKILL", ["line 3: signal.SIGKILL"]),
        ("import os\nos.kill(1, 2); os.replace('a', 'b')", []),
        ("try:\n    import fcntl\nexcept ImportError:\n    fcntl = None", []),
        ("if sys.platform != 'win32':\n    os.register_at_fork()", []),
        ("def f():\n    if sys.platform == 'win32':\n        return\n    import resource", []),
        ("with suppress(ImportError):\n    import resource", []),
        ("if words:\n    import fcntl", ["line 2: fcntl"]),
    ],
)
def test_what_is_found(code: str, found: list[str]) -> None:
    assert list(posix_only(code)) == found


@pytest.mark.parametrize(
    ("code", "found"),
    [
        ("path.read_text()", True),
        ("path.read_text(encoding='utf-8')", False),
        ("distribution.read_text('RECORD')", False),
        ("path.write_text(words)", True),
        ("open(path)", True),
        ("open(path, 'rb')", False),
        ("path.open('w')", True),
        ("path.open('wb')", False),
        ("path.open(mode='ab')", False),
        ("Image.open(path)", False),
        ("subprocess.run(command, text=True)", True),
        ("subprocess.run(command)", False),
        ("tempfile.NamedTemporaryFile('w')", True),
        ("tempfile.NamedTemporaryFile()", False),
    ],
)
def test_which_calls_lack_an_encoding(code: str, found: bool) -> None:
    assert bool(list(without_encoding(code))) == found


@pytest.mark.skipif(sys.platform != "linux", reason="compares with what Linux has")
def test_what_windows_lacks_is_there_on_linux() -> None:
    """A name that is misspelt would never be found."""
    assert not POSIX_NAMES["os"] - set(dir(os))
    assert not POSIX_NAMES["signal"] - set(dir(signal))


def test_an_environment_is_laid_out_as_its_system_does(tmp_path: Path) -> None:
    made = FreshEnvironment(tmp_path)
    scripts = "Scripts" if sys.platform == "win32" else "bin"
    assert made.python.parent == tmp_path / "venv" / scripts
    assert made.site_packages.is_relative_to(tmp_path / "venv")
    assert made.site_packages.name == "site-packages"
