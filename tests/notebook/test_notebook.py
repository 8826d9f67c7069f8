"""The notebook of the docs: it runs, and what it shows is what a reader sees.

By default its cells run in this process, with a few seeds and steps; as it is, in a kernel, it is
run by `pytest -m slow tests/notebook`.
"""

from __future__ import annotations

import getpass
import re
import runpy
from pathlib import Path
from typing import Any, ClassVar

import nbformat
import pytest
from IPython.core.interactiveshell import InteractiveShell
from nbclient import NotebookClient
from nbformat import NotebookNode
from traitlets.config import Config

SMALL = {"seeds=32": "seeds=6", "budget=32_000": "budget=1_600"}
DOCS = Path(__file__).parents[2] / "docs"
NOTEBOOK = DOCS / "notebook.ipynb"
LARGEST = 400_000


class WatchedClient(NotebookClient):
    """Keeps every HTML that the kernel sent, also what was replaced later."""

    sent: ClassVar[list[str]] = []

    def process_message(self, msg: dict[str, Any], cell: NotebookNode, cell_index: int) -> Any:
        data = msg["content"].get("data", {})
        if "text/html" in data:
            self.sent.append(data["text/html"])
        return super().process_message(msg, cell, cell_index)


@pytest.fixture(scope="module")
def committed() -> NotebookNode:
    return nbformat.read(NOTEBOOK, as_version=4)


@pytest.fixture
def shell(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> InteractiveShell:
    """IPython in an empty folder, whose history is nowhere."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("IPYTHONDIR", str(tmp_path / "ipython"))
    settings = Config()
    settings.HistoryManager.enabled = False
    return InteractiveShell(config=settings)


@pytest.fixture(scope="module")
def executed(tmp_path_factory: pytest.TempPathFactory) -> NotebookNode:
    WatchedClient.sent = []
    run_notebook = runpy.run_path(str(DOCS / "run_notebook.py"))["run_notebook"]
    return run_notebook(NOTEBOOK, tmp_path_factory.mktemp("notebook"), WatchedClient)


def outputs_of(notebook: NotebookNode) -> list[NotebookNode]:
    return [output for cell in notebook.cells for output in cell.get("outputs", [])]


def shown(notebook: NotebookNode) -> list[tuple[str, list[str]]]:
    return [(one.output_type, sorted(one.get("data", {}))) for one in outputs_of(notebook)]


def test_its_cells_run_and_have_the_results_that_are_committed(
    shell: InteractiveShell, committed: NotebookNode
) -> None:
    """As HTML where they are there; that pictures are drawn is a kernel's doing."""
    for cell in (each for each in committed.cells if each.cell_type == "code"):
        done = shell.run_cell(smaller(cell.source))
        done.raise_error()
        (wanted,) = [o for o in cell.outputs if o.output_type == "execute_result"] or [None]
        assert (done.result is None) == (wanted is None)
        if wanted is not None:
            found, _ = shell.display_formatter.format(done.result)
            assert ("text/html" in found) == ("text/html" in wanted.data), cell.source


def smaller(source: str) -> str:
    """A cell's source with fewer seeds and steps."""
    for as_written, fewer in SMALL.items():
        source = source.replace(as_written, fewer)
    return source


@pytest.mark.slow
def test_it_runs_and_shows_what_is_committed(
    executed: NotebookNode, committed: NotebookNode
) -> None:
    """The same kinds of outputs, each once: no warning, no second picture, no stray line."""
    assert shown(executed) == shown(committed)
    kinds = [output.output_type for output in outputs_of(executed)]
    assert set(kinds) == {"execute_result", "display_data"}
    pictures = [mimes for _, mimes in shown(executed) if "image/png" in mimes]
    assert len(pictures) == 2 and pictures[0] == ["image/png", "text/plain"]


@pytest.mark.slow
def test_the_numbers_it_shows_are_those_of_the_run(
    executed: NotebookNode, committed: NotebookNode
) -> None:
    """Every training solved its task, there and here."""
    for notebook in (executed, committed):
        lines = [o.data["text/html"] for o in outputs_of(notebook) if o.output_type[0] == "d"]
        assert len(lines) == 4
        assert all("finished, 32/32 solved" in line for line in lines)


@pytest.mark.slow
def test_progress_was_drawn_with_the_time_left(executed: NotebookNode) -> None:
    bars = [html for html in WatchedClient.sent if "<progress" in html]
    assert any(re.search(r"at most [\d.]+ s left", bar) for bar in bars)
    assert not any(
        "<progress" in o.get("data", {}).get("text/html", "") for o in outputs_of(executed)
    )


def test_what_is_committed_is_small_and_of_no_machine(committed: NotebookNode) -> None:
    text = NOTEBOOK.read_text()
    assert len(text) < LARGEST
    assert set(committed.metadata) == {"kernelspec", "language_info"}
    without_pictures = re.sub(r"[A-Za-z0-9+/=\\n]{200,}", "", text)
    for trace in ("/home", "/root", "/tmp", "/usr", "site-packages", f"/{getpass.getuser()}/"):
        assert trace not in without_pictures
    counts = [cell.execution_count for cell in committed.cells if cell.cell_type == "code"]
    assert counts == list(range(1, len(counts) + 1)), "run from top to bottom"


def test_its_links_lead_somewhere(committed: NotebookNode) -> None:
    prose = "\n".join(cell.source for cell in committed.cells if cell.cell_type == "markdown")
    for target in re.findall(r"\]\(([^)#]+)\)", prose):
        assert (DOCS / target).exists(), target
