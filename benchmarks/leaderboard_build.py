"""How long a board of many submissions takes: reading and ranking it, and writing its site.

    python benchmarks/leaderboard_build.py [--submissions 1000] [--suite quickstart] [--keep DIR]

Submissions are synthetic: logistic transitions at log-normal times, recorded by the code that
records real ones. They are kept in DIR (made there if it has none), or made anew and deleted.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
import time
from pathlib import Path

import numpy as np

from synthbench.leaderboard.site import build_site
from synthbench.leaderboard.standings.placing import read_board
from synthbench.plan.suite import Suite
from synthbench.registry.registry import installed

sys.path.insert(0, str(Path(__file__).parent.parent))
from tests.leaderboard.synthetic import log_normal_times, make_submission


def make(suite: Suite, folder: Path, count: int) -> None:
    """Submissions that need from a third of the reference's samples to the whole budget."""
    generator = np.random.default_rng(0)
    factors = np.exp(generator.uniform(np.log(0.3), np.log(6.0), count))
    for seed, factor in enumerate(factors):
        name = f"model-{seed:04d}"
        if (folder / suite.name / "submissions" / name).exists():
            continue
        model = suite.reference if seed == 0 else f"mlp width={10 + seed}"
        times = log_normal_times(suite, 1.0 if seed == 0 else factor, seed)
        make_submission(suite, folder, name, times, model, title=f"{model}, number {seed}")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--submissions", type=int, default=1000)
    parser.add_argument("--suite", default="quickstart")
    parser.add_argument("--keep", type=Path)
    options = parser.parse_args()
    suite = installed().suite(options.suite)
    with tempfile.TemporaryDirectory() as temporary:
        folder = options.keep or Path(temporary)
        start = time.perf_counter()
        make(suite, folder, options.submissions)
        made = time.perf_counter()
        board = read_board(suite, folder)
        read = time.perf_counter()
        index = build_site([board], folder / "site")
        built = time.perf_counter()
        pages = list(index.parent.rglob("*.html"))
        size = sum(page.stat().st_size for page in pages) / 1e6
        board_size = (index.parent / suite.name / "index.html").stat().st_size / 1e6
    cells = len(suite.cells)
    print(f"{len(board.entries)} submissions x {cells} cells, {len(board.refused)} refused")
    print(f"made in         {made - start:6.1f} s (not part of a build)")
    print(f"read and ranked {read - made:6.1f} s")
    print(f"site written    {built - read:6.1f} s: {len(pages)} pages, {size:.0f} MB, "
          f"the board {board_size:.1f} MB")  # fmt: skip


if __name__ == "__main__":
    main()
