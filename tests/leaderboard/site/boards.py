"""Boards to make sites of: honest ones, and one in which every text is an attack."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np

from synthbench.leaderboard.standings.board import Board, Refused
from synthbench.leaderboard.standings.entry import Entry, EntryCell
from synthbench.leaderboard.standings.placing import read_board
from synthbench.leaderboard.submissions.submission import TuningTrial
from synthbench.metrics.estimate import Estimate
from synthbench.plan.suite import Suite
from synthbench.records.schema import Distribution
from tests.leaderboard.synthetic import log_normal_times, make_submission

REFERENCE = "mlp width=16"
SUITE = Suite(
    name="ladder",
    version=1,
    title="A ladder of parities",
    description="Two small cells.",
    seeds=12,
    evaluation_samples=128,
    models=(REFERENCE,),
    probes=("weight-movement",),
    columns=("plateau", "width", "stages", "lead"),
    lead="weight-movement/l2",
    tuning_trials=3,
    cells=(
        {"task": "sparse-parity n=10 k=2", "budget": 25_600},
        {"task": "sparse-parity n=12 k=2", "budget": 51_200},
    ),
)
ATTACKS = (
    "<script>alert(1)</script>",
    "</script><script>alert(2)</script>",
    "<img src=x onerror=alert(3)>",
    "\"><svg onload='alert(4)'>",
    "' autofocus onfocus='alert(5)",
    "javascript:alert(6)",
    "</title><h1>taken over</h1>",
    "{{ 7 * 7 }}{% raw %}",
    "--><!-- ]]>&lt;b&gt;",
    "</svg></style><iframe src=https://example.com></iframe>",
)
TITLE, AUTHOR, WORDS, MODEL = ATTACKS[0], ATTACKS[3], "\n".join(ATTACKS), " ".join(ATTACKS[:4])


def honest_board(folder: Path) -> Board:
    """Four submissions: the reference, a faster one, a slower one, and one that never learns."""
    never = np.full((len(SUITE.cells), SUITE.seeds), np.inf)
    make_submission(SUITE, folder, "reference", log_normal_times(SUITE, 1.0, 0), title="Reference")
    for name, model, times in (
        ("fast", "mlp width=32", log_normal_times(SUITE, 0.4, 1)),
        ("slow", "mlp width=8", log_normal_times(SUITE, 4.0, 2)),
        ("stuck", "mlp width=4", never),
    ):
        make_submission(
            SUITE, folder, name, times, model, title=f"The {name} one", authors=("Emmy Noether",)
        )
    return read_board(SUITE, folder)


def with_tuned(board: Board) -> Board:
    """The same board with its second entry in the tuned track."""
    return _with_entry(board, 1, tuned(board.entries[1]))


def tuned(entry: Entry) -> Entry:
    """The entry in the tuned track, with a configuration for each cell."""
    models = ("mlp width=32 lr=0.3", "mlp width=32 lr=0.03")
    trials = tuple(
        TuningTrial(cell=n, model=m, first_seed=100, seeds=4, samples=51_200, flops=10**9)
        for n, m in enumerate(models, start=1)
    )
    submission = entry.submission.model_copy(update={"track": "tuned", "trials": trials})
    cells = []
    for cell, model, lr in zip(entry.cells, models, (0.3, 0.03), strict=True):
        plan = cell.plan["model"]
        described = plan | {"recipe": plan["recipe"] | {"lr": lr}}
        cells.append(replace(cell, model=model, plan=cell.plan | {"model": described}))
    return replace(entry, submission=submission, cells=tuple(cells))


def hostile_board(board: Board) -> Board:
    """The board with attacks in every text of its second entry and in what is refused.

    Made of checked objects without checking them again: pages must not rely on the checks.
    """
    entry = tuned(board.entries[1])
    trials = (entry.submission.trials[0].model_copy(update={"model": MODEL}),)
    submission = entry.submission.model_copy(
        update={
            "title": TITLE,
            "authors": (AUTHOR, *ATTACKS),
            "description": WORDS,
            "link": "javascript:alert(8)",
            "created": ATTACKS[2],
            "trials": trials,
        }
    )
    cells = tuple(_hostile_cell(cell) for cell in entry.cells)
    attacked = replace(entry, submission=submission, cells=cells)
    refused = tuple(
        Refused(Path(f"submissions/{text.replace('/', '|')}\udcff"), f"it says {text}")
        for text in ATTACKS
    )
    return replace(_with_entry(board, 1, attacked), refused=refused)


def _hostile_cell(cell: EntryCell) -> EntryCell:
    plugin = Distribution(plugin=TITLE, distribution=ATTACKS[1], version=ATTACKS[2])
    environment = cell.environment.model_copy(
        update={"platform": TITLE, "device_name": AUTHOR, "plugins": (plugin,)}
    )
    compute = cell.compute.model_copy(update={"looped": TITLE})
    model = cell.plan["model"] | {TITLE: [TITLE], "nested": {AUTHOR: TITLE}}
    model |= {"recipe": model["recipe"] | {"loss": TITLE, AUTHOR: None}}
    return replace(
        cell, model=MODEL, environment=environment, compute=compute,
        plan=cell.plan | {"model": model},
    )  # fmt: skip


def large_board(board: Board, count: int) -> Board:
    """A board of so many entries, copies of the first with other names and numbers."""
    draws = np.random.default_rng(0)
    ratios = np.sort(np.exp(draws.normal(0, 1, count)))
    entries = []
    for index, ratio in enumerate(ratios.tolist()):
        original = board.entries[index % len(board.entries)]
        words = {"name": f"copy-{index}", "title": f"Copy number {index}"}
        price = ratio * float(np.exp(draws.normal(0, 0.5)))
        entries.append(
            replace(
                original,
                submission=original.submission.model_copy(update=words),
                samples=Estimate(value=ratio, low=ratio * 0.9, high=ratio * 1.1),
                flops=Estimate(value=price, low=price * 0.9, high=price * 1.1),
                is_reference=index == count // 2,
            )
        )
    return replace(board, entries=tuple(entries))


def _with_entry(board: Board, index: int, entry: Entry) -> Board:
    entries = list(board.entries)
    entries[index] = entry
    return replace(board, entries=tuple(entries))
