"""Run one command line of `synthbench` and write how long it took, apart from the imports.

    python benchmarks/timed_command.py REPORT eval quickstart --model mlp

The imports are those of the libraries that it stands on; SynthBench's own belong to the command.
REPORT: a JSON file of imports, wall and cpu in seconds, children included, and the time at which
the command began, as files have it.
"""

from __future__ import annotations

import json
import runpy
import sys
import time
from importlib import import_module
from pathlib import Path

from side_by_side import timed

LIBRARIES = (
    "matplotlib.figure", "pandas", "pyarrow.parquet", "pytorch_lightning", "rich.table",
    "safetensors.torch", "scipy.optimize", "scipy.stats", "torch", "torch.func", "typer",
)  # fmt: skip


def command(arguments: list[str]) -> None:
    sys.argv = ["synthbench", *arguments]
    try:
        runpy.run_module("synthbench", run_name="__main__")
    except SystemExit as ended:
        if ended.code:
            raise


def main() -> None:
    report, *arguments = sys.argv[1:]
    imports = timed(lambda: [import_module(name) for name in LIBRARIES])
    began = time.time()
    seconds = timed(lambda: command(arguments))
    content = {"imports": imports.wall, "began": began, **seconds._asdict()}
    Path(report).write_text(json.dumps(content))


if __name__ == "__main__":
    main()
