"""Trajectories and what follows from them, tampered with; all hashes are right."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from tests.leaderboard.submissions.attacks import (
    Attack,
    cheap_steps,
    dearer,
    edit_record,
    edit_table,
    read,
    record,
    refusal,
    set_at,
)


def table(change: Callable[[pd.DataFrame], pd.DataFrame], follow: bool = True) -> Attack:
    return partial(edit_table, change=change, follow=follow)


def cell_of(frame: pd.DataFrame, column: str, replica: int, row: int, value: float) -> pd.DataFrame:
    """Set one value of one replica."""
    frame.loc[frame.index[frame.replica == replica][row], column] = value
    return frame


def without(frame: pd.DataFrame, replica: int, rows: slice) -> pd.DataFrame:
    return frame.drop(frame.index[frame.replica == replica][rows])


def longer(frame: pd.DataFrame) -> pd.DataFrame:
    """Replica 0 trains on after it has solved the task."""
    points, own = frame[frame.replica == 2], frame[frame.replica == 0]
    row = own.iloc[[-1]].assign(
        **{n: points[n].iloc[len(own)] for n in ("step", "samples", "flops")}
    )
    return pd.concat([own, row, frame[frame.replica > 0]])


SUMMARY: dict[str, tuple[Attack, str]] = {
    "better median": (
        record("summary", "samples_to_target", "value", 32.0),
        "summary.samples_to_target.value is 32.0, the trajectories give",
    ),
    "better success": (record("summary", "success_rate", "low", 0.9), "summary.success_rate.low"),
    "more solved": (record("summary", "solved", 3), "summary.solved is 3, the trajectories give 2"),
    "better score": (record("summary", "final_score", "high", 1.0), "summary.final_score.high is"),
    "no divergence": (record("summary", "diverged", 1), "summary.diverged is 1"),
    "narrower interval": (record("summary", "steps_to_target", "high", 20.0), "steps_to_target.h"),
    "earlier": (
        record("replicas", 0, "samples_to_target", 32),
        "samples_to_target of replica 0 is 32, its trajectory says",
    ),
    "solved after all": (
        record("replicas", 2, "outcome", "solved"),
        'replica 2 is recorded as "solved", its trajectory says not solved',
    ),
    "solved made diverged": (
        record("replicas", 0, "outcome", "diverged"),
        "its trajectory says solved",
    ),
    "censored made diverged": (record("replicas", 2, "outcome", "diverged"), "summary.diverged is"),
    "fewer steps": (record("compute", "replica_steps", 3), "replica_steps is 3, the trajectories"),
    "other ranked score": (record("summary", "score", "loss"), "ranked score is 'accuracy', not"),
}
TRAJECTORIES: dict[str, tuple[Attack, str]] = {
    "a score": (
        table(lambda t: cell_of(t, "accuracy", 0, 3, 0.9)),
        "the progress of replica 0 does",
    ),
    "a progress": (table(lambda t: cell_of(t, "progress", 2, -1, 0.5)), "progress of replica 2"),
    "solved by progress": (
        table(lambda t: t.assign(progress=t.progress.where(t.step < 9, 1.0))),
        "the progress of replica 0 does not follow from its score",
    ),
    "easier optimum": (
        record("replicas", 1, "references", "optimal", "accuracy", 0.9),
        "the progress of replica 1 does not follow",
    ),
    "no gap": (
        record("replicas", 1, "references", "optimal", "accuracy", 0.5),
        "progress of replica",
    ),
    "lower samples": (
        table(lambda t: t.assign(samples=t.samples // 2)),
        "samples are not steps times",
    ),
    "steps shifted": (
        table(lambda t: t.assign(step=np.maximum(t.step - 1, 0))),
        "replica 0 is not measured at the protocol's points",
    ),
    "rows dropped": (table(lambda t: without(t, 1, slice(4, 6))), "replica 1 is not measured at"),
    "first row dropped": (table(lambda t: without(t, 1, slice(0, 1))), "replica 1 is not measured"),
    "rows duplicated": (table(lambda t: t.loc[t.index.repeat(2)]), "replica 0 is not measured"),
    "rows reversed": (
        table(lambda t: t[::-1], follow=False),
        "replicas must be 0, 1, ... in order",
    ),
    "ends early": (
        table(lambda t: without(t, 2, slice(-3, None))),
        "the trajectory of replica 2 ends at the wrong point",
    ),
    "goes on": (table(longer), "the trajectory of replica 0 ends at the wrong point"),
    "replica missing": (table(lambda t: t[t.replica < 2], follow=False), "replicas must be 0, 1"),
    "replica twice": (
        table(lambda t: t.assign(replica=t.replica.replace(2, 1)), follow=False),
        "replicas must be 0, 1",
    ),
    "negative replica": (
        table(lambda t: t.assign(replica=t.replica - 1), follow=False),
        "replicas must be 0, 1",
    ),
    "NaN": (table(lambda t: cell_of(t, "accuracy", 2, 5, np.nan)), "accuracy is not finite"),
    "infinite loss": (
        table(lambda t: cell_of(t, "loss", 2, 5, np.inf)),
        "loss is larger than a float",
    ),
    "huge loss": (table(lambda t: cell_of(t, "loss", 2, 5, 1e300)), "loss is larger than a float"),
    "column added": (table(lambda t: t.assign(note=1.0)), "'note' is not one"),
    "column renamed": (table(lambda t: t.rename(columns={"loss": "lost"})), "'lost' is not one"),
    "column lost": (table(lambda t: t.drop(columns="train_loss")), "must have the columns"),
    "probe lost": (table(lambda t: t.drop(columns=[n for n in t if "/" in n])), "lack a probe"),
    "shown probe lost": (
        table(lambda t: t.drop(columns="weight-movement/l2")),
        "trajectories lack the column weight-movement/l2",
    ),
    "columns swapped": (
        table(lambda t: t[[*t.columns[:4], "loss", "accuracy", *t.columns[6:]]], follow=False),
        "must have the columns",
    ),
    "unknown probe": (table(lambda t: t.assign(**{"luck/l2": 1.0})), "'luck/l2' is not one"),
}
ATTACKS = {
    **{f"summary: {name}": attack for name, attack in SUMMARY.items()},
    **{f"trajectories: {name}": attack for name, attack in TRAJECTORIES.items()},
}


@pytest.mark.parametrize("name", ATTACKS)
def test_tampering_is_refused_with_its_reason(name: str, attacked: Path) -> None:
    attack, reason = ATTACKS[name]
    attack(attacked)
    assert reason in refusal(attacked)


def test_editing_tables_alone_changes_nothing(attacked: Path) -> None:
    edit_table(attacked, lambda frame: frame, follow=True)
    assert read(attacked).cells[0].trajectories.table.num_columns == 10


def test_a_replica_that_diverged_may_end_early(attacked: Path) -> None:
    edit_record(attacked, set_at("replicas", 2, "outcome", "diverged"))
    edit_table(attacked, lambda t: without(t, 2, slice(-3, None)), follow=True)
    assert read(attacked).cells[0].record.summary.diverged == 1


def test_what_only_a_rerun_can_tell(attacked: Path) -> None:
    """Forgeries that follow from forged trajectories hold together; `verify` finds them."""
    edit_record(attacked, cheap_steps)
    edit_table(attacked, dearer, follow=True)
    edit_table(attacked, lambda t: without(t, 0, slice(-1, None)).pipe(_solve_sooner), follow=True)
    record = read(attacked).cells[0].record
    assert record.compute.step_flops == 10
    assert record.replicas[0].samples_to_target < 600


def _solve_sooner(frame: pd.DataFrame) -> pd.DataFrame:
    """Replica 0 stands at the optimum from its fifth evaluation on, and stops after the sixth."""
    own = frame.index[frame.replica == 0]
    frame.loc[own[4:6], ["accuracy", "progress"]] = 1.0
    return frame.drop(own[6:])
