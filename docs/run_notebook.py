"""Run docs/notebook.ipynb anew and write its outputs into it: `python docs/run_notebook.py`."""

from __future__ import annotations

import os
from pathlib import Path
from tempfile import TemporaryDirectory

import nbformat
from nbclient import NotebookClient
from nbformat import NotebookNode

NOTEBOOK = Path(__file__).parent / "notebook.ipynb"
SECONDS_PER_CELL = 120


def run_notebook(
    source: Path, folder: Path, client: type[NotebookClient] = NotebookClient
) -> NotebookNode:
    """The notebook as executed in a folder: its results, and no word on machine or time.

    Raises nbclient's CellExecutionError where a cell raises.
    """
    notebook = nbformat.read(source, as_version=4)
    # The kernel's own files stay in the folder too.
    environment = {**os.environ, "IPYTHONDIR": str(folder), "JUPYTER_RUNTIME_DIR": str(folder)}
    run = client(
        notebook,
        timeout=SECONDS_PER_CELL,
        kernel_name="python3",
        record_timing=False,
        resources={"metadata": {"path": str(folder)}},
    )
    run.execute(env=environment)
    notebook.metadata = {
        "kernelspec": notebook.metadata["kernelspec"],
        "language_info": {"name": "python"},
    }
    return notebook


def main() -> None:
    """Run it in an empty folder and write it back."""
    with TemporaryDirectory() as folder:
        notebook = run_notebook(NOTEBOOK, Path(folder))
    nbformat.write(notebook, NOTEBOOK)
    print(f"{NOTEBOOK}: {NOTEBOOK.stat().st_size / 1000:.0f} kB")


if __name__ == "__main__":
    main()
