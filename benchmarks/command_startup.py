"""How long short commands take, against an earlier commit.

    python benchmarks/command_startup.py [--against 30f6d77] [--repeats 7]

Both codes run in this environment, each from a folder of its own, in turn, so that a busy moment
meets both; the first run of each is not counted (it compiles). `list`, `show`, `metrics` and
`leaderboard show` compute little: their time is what they import. The tiny eval trains four
replicas for 70 steps.
"""

from __future__ import annotations

import argparse
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

from commits import ROOT, worktree

MAIN = "from synthbench.cli.main import main; main()"
TINY = ("eval", "--task", "sparse-parity n=10 k=2", "--model", "mlp width=16", "--seeds", "4",
        "--budget", "2240", "--no-resume")  # fmt: skip


def seconds(tree: Path, arguments: Sequence[str]) -> float:
    """Wall time of one command run by the code in `tree`."""
    path = os.pathsep.join([str(tree), str(tree / "plugins")])
    start = time.perf_counter()
    subprocess.run(
        [sys.executable, "-c", MAIN, *arguments],
        cwd=tree, env={**os.environ, "PYTHONPATH": path}, check=True,
        stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
    )  # fmt: skip
    return time.perf_counter() - start


def compare(trees: Sequence[Path], arguments: Sequence[str], repeats: int) -> list[float]:
    """Medians of the code in each tree, run in turn."""
    times = [[seconds(tree, arguments) for tree in trees] for _ in range(repeats + 1)][1:]
    return [statistics.median(column) for column in zip(*times, strict=True)]


def main() -> None:
    """Print a row for each command."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--against", default="30f6d77", help="commit")
    parser.add_argument("--repeats", type=int, default=7)
    options = parser.parse_args()
    with worktree(options.against) as before, tempfile.TemporaryDirectory() as folder:
        run = Path(folder) / "run"
        seconds(ROOT, ["eval", "quickstart", "--seeds", "8", "--out", str(run)])
        commands = {
            "--help": ["--help"],
            "list": ["list"],
            "list suites": ["list", "suites"],
            "show mlp": ["show", "mlp"],
            "metrics": ["metrics", str(run / "quickstart")],
            "leaderboard show quickstart": ["leaderboard", "show", "quickstart"],
            "tiny eval": [*TINY, "--out", str(Path(folder) / "tiny")],
        }
        print(f"{'command':<28} {options.against:>8} {'now':>8} {'ratio':>6}")
        for name, arguments in commands.items():
            old, new = compare([before, ROOT], arguments, options.repeats)
            print(f"{name:<28} {old:>6.2f} s {new:>6.2f} s {new / old:>6.2f}", flush=True)


if __name__ == "__main__":
    main()
