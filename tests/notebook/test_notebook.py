"""The notebook of the docs: it runs, and what it shows is what a reader sees.

By default its evaluations have a few seeds and steps; `pytest -m slow tests/notebook` runs it as it
is.
"""

from __future__ import annotations

import getpass
import re
import runpy
from pathlib import Path
from typing import Any, ClassVar

import nbformat
import pytest
from nbclient import NotebookClient
from nbformat import NotebookNode

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


@pytest.fixture(scope="module")
def executed(tmp_path_factory: pytest.TempPathFactory) -> NotebookNode:
    WatchedClient.sent = []
    return run(NOTEBOOK, tmp_path_factory.mktemp("notebook"))


@pytest.fixture(scope="module")
def executed_small(
    committed: NotebookNode, tmp_path_factory: pytest.TempPathFactory
) -> NotebookNode:
    folder = tmp_path_factory.mktemp("small")
    small = nbformat.from_dict(committed)
    for cell in small.cells:
        for as_written, fewer in SMALL.items():
            cell.source = cell.source.replace(as_written, fewer)
    nbformat.write(small, folder / "small.ipynb")
    return run(folder / "small.ipynb", folder)


def run(notebook: Path, folder: Path) -> NotebookNode:
    """As `docs/run_notebook.py` does, in a folder."""
    run_notebook = runpy.run_path(str(DOCS / "run_notebook.py"))["run_notebook"]
    return run_notebook(notebook, folder, WatchedClient)


def outputs_of(notebook: NotebookNode) -> list[NotebookNode]:
    return [output for cell in notebook.cells for output in cell.get("outputs", [])]


def shown(notebook: NotebookNode) -> list[tuple[str, list[str]]]:
    return [(one.output_type, sorted(one.get("data", {}))) for one in outputs_of(notebook)]


@pytest.mark.parametrize(
    "size", ["executed_small", pytest.param("executed", marks=pytest.mark.slow)]
)
def test_it_runs_and_shows_what_is_committed(
    size: str, committed: NotebookNode, request: pytest.FixtureRequest
) -> None:
    """The same kinds of outputs, each once: no warning, no second picture, no stray line."""
    found = request.getfixturevalue(size)
    sources = [cell.source for cell in committed.cells]
    assert all(any(text in source for source in sources) for text in SMALL)
    assert shown(found) == shown(committed)
    kinds = [output.output_type for output in outputs_of(found)]
    assert set(kinds) == {"execute_result", "display_data"}
    pictures = [mimes for _, mimes in shown(found) if "image/png" in mimes]
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
