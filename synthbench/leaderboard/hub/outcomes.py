"""How each replica of a submission ended, as a table that `datasets.load_dataset` reads."""

from __future__ import annotations

import pyarrow as pa

from synthbench.leaderboard.submissions.reading import CheckedSubmission

SCHEMA = pa.schema(
    [
        ("submission", pa.string()),
        ("title", pa.string()),
        ("track", pa.string()),
        ("cell", pa.int64()),
        ("task", pa.string()),
        ("model", pa.string()),
        ("budget", pa.int64()),
        ("replica", pa.int64()),
        ("outcome", pa.string()),
        ("samples_to_target", pa.int64()),
        ("samples", pa.int64()),
        ("flops", pa.int64()),
        ("progress", pa.float64()),
        ("loss", pa.float64()),
    ]
)
"""One row for each replica of each cell. samples_to_target: null where it was not solved within
the budget. samples, flops, progress and loss: at its last evaluation."""


def outcome_table(checked: CheckedSubmission) -> pa.Table:
    """The rows of all cells, in the order of the suite."""
    own = checked.submission
    rows = []
    for number, cell in enumerate(checked.cells, start=1):
        record, trajectories = cell.record, cell.trajectories
        last = {
            name: [float(values[-1]) for values in trajectories.by_replica(name)]
            for name in ("samples", "flops", "progress", "loss")
        }
        for index, replica in enumerate(record.replicas):
            rows.append(
                {
                    "submission": own.name,
                    "title": own.title,
                    "track": own.track,
                    "cell": number,
                    "task": record.task,
                    "model": record.model,
                    "budget": record.plan["protocol"]["budget"],
                    "replica": replica.replica,
                    "outcome": replica.outcome,
                    "samples_to_target": replica.samples_to_target,
                    "samples": int(last["samples"][index]),
                    "flops": int(last["flops"][index]),
                    "progress": last["progress"][index],
                    "loss": last["loss"][index],
                }
            )
    return pa.Table.from_pylist(rows, schema=SCHEMA)
