"""The card of an exported data set: where its samples come from."""

from __future__ import annotations

import json
from collections.abc import Mapping
from inspect import cleandoc
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from synthbench.contracts.task import Task


def dataset_card(task: Task, samples: Mapping[str, int], seed: int, *, version: str) -> str:
    """The README of an exported data set: formula, configuration, seed, exact scores, paper."""
    fields = task.model_dump(mode="json")
    scores = task.exact_scores()
    lines = [
        "---",
        f"pretty_name: {json.dumps(task.label())}",
        "tags: [synthetic, synthbench]",
        "---",
        "",
        f"# {task.label()}",
        "",
        cleandoc(type(task).__doc__ or ""),
        "",
        f"- Made by synthbench {version}: `synthbench data export '{task.label()}' --seed {seed}`",
        f"- Seed {seed}; every split has its own random stream, and sample i does not depend on "
        "how many there are.",
        f"- Samples: {', '.join(f'{name} {count:,}' for name, count in samples.items())}",
    ]
    if task.paper:
        lines.append(f"- Paper: {task.paper}")
    lines += ["", "| field | value |", "| --- | --- |"]
    lines += [f"| {name} | {json.dumps(value)} |" for name, value in fields.items()]
    if scores:
        lines += ["", "| reference | exact score |", "| --- | --- |"]
        lines += [f"| {name} | {value:.6g} |" for name, value in scores.items()]
    return "\n".join(lines) + "\n"
