"""The card of a dataset repository of leaderboards: what is in it, and how to load each part."""

from __future__ import annotations

from collections.abc import Iterable

from synthbench.leaderboard.hub.layout import OUTCOMES, cells_of, places
from synthbench.leaderboard.submissions.submission import SUBMISSIONS
from synthbench.records.reading import TRAJECTORIES_FILE


def hub_card(name: str, paths: Iterable[str]) -> str:
    """The README of a repository that holds these files.

    It has a configuration SUITE, a row for each replica of every submission, and for each cell
    SUITE-cell-01 with its trajectories. Only names that were checked are in it.
    """
    paths = list(paths)
    cells: dict[str, set[str]] = {}
    for place, files in places(paths).items():
        cells.setdefault(place.suite, set()).update(cells_of(files))
    suites = [suite for suite in cells if any(p.startswith(f"{suite}/{OUTCOMES}/") for p in paths)]
    lines = ["---", "pretty_name: SynthBench leaderboards", "tags: [synthetic, synthbench]"]
    lines += ["configs:"] if suites else []
    for suite in suites:
        lines += _configuration(suite, f"{suite}/{OUTCOMES}/*.parquet")
        for cell in sorted(cells[suite]):
            trajectories = f"{suite}/{SUBMISSIONS}/*/{cell}/{TRAJECTORIES_FILE}"
            lines += _configuration(f"{suite}-{cell}", trajectories)
    lines += ["---", "", TEXT.format(name=name, suite=suites[0] if suites else "SUITE")]
    lines += ["| suite | submissions | cells |", "| --- | --- | --- |"]
    for suite in suites:
        count = sum(place.suite == suite for place in places(paths))
        lines.append(f"| {suite} | {count} | {len(cells[suite])} |")
    return "\n".join(lines) + "\n"


def _configuration(name: str, files: str) -> list[str]:
    return [f"- config_name: {name}", f'  data_files: "{files}"']


TEXT = """# SynthBench leaderboards

How models learn small synthetic tasks: submissions to the leaderboards of SynthBench, with the
trajectory of every replica and everything that is needed to train it again.

```sh
synthbench leaderboard fetch --hub {name}
synthbench leaderboard show {suite}
synthbench leaderboard verify leaderboards/{suite}/submissions/NAME
```

What is fetched is checked as it is read: hashes, and every number that follows from the
trajectories. `verify` trains a share of the replicas again.

```python
import datasets

outcomes = datasets.load_dataset("{name}", "{suite}", split="train")
trajectories = datasets.load_dataset("{name}", "{suite}-cell-01", split="train")
```

`outcomes` has a row for each replica: how it ended, after how many samples and FLOPs. Where
`samples_to_target` is null the replica was not solved within the budget: it is right-censored,
and neither to be dropped nor to be set to the budget.
"""
