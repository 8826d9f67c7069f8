"""Every command and snippet of the documentation runs, page by page, in the order of the page.

Each page has a folder of its own with the leaderboards in it, as a checkout has. What is small
here, and what is not run, is in `shrinking.py` and `exempt.py`; `pytest -m slow tests/docs`
trains everything at the size that the pages say.
"""

from __future__ import annotations

import re
import shutil
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from synthbench.cli.main import main
from synthbench.registry.registry import installed
from tests.docs.exempt import EXEMPT, exempt
from tests.docs.pages import PAGES, ROOT, RUNNING, blocks, page_id, parse_command, shell_lines
from tests.docs.shrinking import shrink, submit_reference
from tests.wandb_isolation import isolated_wandb

LONG = ("local-learning-coefficient.md", "model-families.md", "optimizers.md", "wandb.md")
"""Pages whose kinds of commands README has too, and whose networks, probes or pictures
take long."""
PARSED = [page for page in RUNNING if page.parent.name == "tasks" or page.name in LONG]
"""These, and the many pages of one task each: without `-m slow` their commands are parsed."""
QUICK = [page for page in RUNNING if page not in PARSED]
DEAR = {
    r"synthbench study (run|report) hidden-progress( .*)?": "docs/paper-studies.md has another's",
    r"synthbench eval .* --model attention --model deltanet .*": "tests/testing/models trains all",
    r"synthbench tune .* --trials 20 .*": "docs/tune.md tunes the same models",
}
"""README's commands that are only parsed without `-m slow`, and what runs their like then."""
BOARDS = ("quickstart", "feature-learning-v1")
"""Suites of which pages show or verify submissions."""


@pytest.fixture(scope="module")
def small_boards(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Leaderboards of small suites, with a submission of the reference model on some."""
    folder = tmp_path_factory.mktemp("small")
    with pytest.MonkeyPatch.context() as patch:
        shrink(patch, folder / "leaderboards")
        for name in BOARDS:
            submit_reference(installed().suite(name), folder / "runs", folder / "leaderboards")
    return folder / "leaderboards"


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """An empty folder to be in, without a W&B account or the caches of others."""
    with isolated_wandb(tmp_path / "wandb-home"):
        monkeypatch.setenv("WANDB_MODE", "offline")
        monkeypatch.setattr("datasets.config.HF_DATASETS_CACHE", tmp_path / "data-sets")
        (tmp_path / "page").mkdir()
        monkeypatch.chdir(tmp_path / "page")
        yield tmp_path / "page"


@pytest.mark.parametrize("page", QUICK, ids=page_id)
def test_a_page_runs_small(
    page: Path, folder: Path, small_boards: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    run_page_small(page, folder, small_boards, monkeypatch)


@pytest.mark.slow
@pytest.mark.parametrize("page", PARSED, ids=page_id)
def test_a_page_that_is_parsed_runs_small(
    page: Path, folder: Path, small_boards: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    run_page_small(page, folder, small_boards, monkeypatch)


def run_page_small(page: Path, folder: Path, boards: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Run a page in an empty folder with small boards, every evaluation small."""
    shutil.copytree(boards, folder / "leaderboards")
    shrink(monkeypatch, folder / "leaderboards")
    run_page(page, monkeypatch, leave_out="|".join(DEAR))


@pytest.mark.slow
@pytest.mark.parametrize("page", RUNNING, ids=page_id)
def test_a_page_runs_as_it_stands(
    page: Path, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    shutil.copytree(ROOT / "leaderboards", folder / "leaderboards")
    run_page(page, monkeypatch)


def test_no_exemption_is_left_over() -> None:
    used = {exempt(line) for page in PAGES for line in shell_lines(page)}
    assert set(EXEMPT) <= used


def run_page(page: Path, monkeypatch: pytest.MonkeyPatch, leave_out: str = "") -> None:
    """Run the page's blocks in order; whatever is neither run nor exempt fails.

    leave_out: a regular expression of lines that are not run.
    """
    names: dict[str, Any] = {}
    for block in blocks(page):
        if block.language == "toml" and block.title is not None:
            Path(block.title).write_text(block.text)  # A command of the page may read it.
        elif block.title is not None:
            continue  # A file's text; test_pages.py holds the two together.
        if block.language == "python":
            exec(compile(block.text, page_id(page), "exec"), names)
        elif block.language == "sh":
            for line in block.lines():
                if exempt(line) is None and not re.fullmatch(leave_out, line):
                    run_line(line, monkeypatch)


def run_line(line: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Run one `synthbench ...` command in this process."""
    command = parse_command(line)
    assert command.words[0] == "synthbench", f"neither run nor exempt: {line}"
    with monkeypatch.context() as patch:
        for name, value in command.environment.items():
            patch.setenv(name, value)
        patch.setattr(sys, "argv", list(command.words))
        with pytest.raises(SystemExit) as ended:
            main()
    assert not ended.value.code, f"exit code {ended.value.code}: {line}"
