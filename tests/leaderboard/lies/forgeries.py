"""How a forger edits a submission: consistently, with every hash right that he can make right."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd

from synthbench.leaderboard.submissions.fresh import first_fresh_seed
from tests.leaderboard.fresh import edit_fresh, write_fresh
from tests.leaderboard.submissions.attacks import (
    MODEL,
    SMALL,
    edit_manifest,
    edit_record,
    edit_records,
    edit_table,
    make_tuned,
    set_at,
    trial,
)

PAID = {"samples": 9600, "flops": 300_000}
"""What a trial of the honest submission's model costs."""
FRESH = [[640, 960, 1600, None, None, 32]]


def earlier(folder: Path) -> None:
    """Every curve ends an evaluation point sooner; the record follows from the trajectories."""
    edit_table(folder, lambda f: pd.concat([_without_one(own) for _, own in f.groupby("replica")]))
    edit_table(folder, lambda frame: frame, follow=True)


def _without_one(rows: pd.DataFrame) -> pd.DataFrame:
    """Without the value at its third point: all later ones move a point forward."""
    values = [name for name in rows if name not in ("replica", "step", "samples", "flops")]
    moved = rows.iloc[:-1].copy()
    moved.loc[:, values] = rows[values].drop(rows.index[3]).to_numpy()
    return moved


def better_loss(folder: Path) -> None:
    """A loss that nothing is computed from."""
    edit_table(folder, lambda frame: frame.assign(loss=frame.loss * 0.9))


def better_train_loss(folder: Path) -> None:
    edit_table(folder, lambda frame: frame.assign(train_loss=frame.train_loss * 0.9))


def calmer_probe(folder: Path) -> None:
    """Weights that move half as far."""
    edit_table(folder, lambda f: f.assign(**{"weight-movement/l2": f["weight-movement/l2"] / 2}))


def worse_trivial(folder: Path) -> None:
    """A trivial predictor that scores less, so that every score is more progress."""
    levels: dict[int, float] = {}

    def lower(record: dict) -> None:
        for replica in record["replicas"]:
            own = replica["references"]["trivial"]
            own["accuracy"] -= 0.2
            levels[replica["replica"]] = own["accuracy"]

    edit_record(folder, lower)
    edit_table(folder, lambda frame: frame.assign(progress=_progress(frame, levels)))
    edit_table(folder, lambda frame: frame, follow=True)


def _progress(frame: pd.DataFrame, levels: dict[int, float]) -> pd.Series:
    trivial = frame.replica.map(levels)
    return (frame.accuracy - trivial) / (1.0 - trivial)


def fewer_flops(share: float) -> Callable[[Path], None]:
    """Steps that cost less, in the record, the trajectories and the summary."""

    def attack(folder: Path) -> None:
        cheap: list[int] = []

        def change(record: dict) -> None:
            cheap.append(int(record["compute"]["step_flops"] * share))
            record["compute"]["step_flops"] = cheap[-1]

        edit_record(folder, change)
        edit_table(folder, lambda frame: frame.assign(flops=frame.step * cheap[-1]), follow=True)

    return attack


def data_of_others(folder: Path) -> None:
    """The data of easier seeds, under the names of the suite's."""

    def change(record: dict) -> None:
        record["replicas"][0]["data"] = record["replicas"][1]["data"]
        record["replicas"][3]["data"] = record["replicas"][1]["data"]

    edit_records(folder, change)


def swapped_replicas(folder: Path) -> None:
    """The results of replica 0 are called those of 1, and the other way round."""
    edit_table(
        folder,
        lambda frame: (
            frame.assign(replica=frame.replica.replace({0: 1, 1: 0}))
            .sort_values("replica", kind="stable")
            .reset_index(drop=True)
        ),
        follow=True,
    )


def best_replica_thrice(folder: Path) -> None:
    """Every replica has the curve of the fastest."""

    def change(frame: pd.DataFrame) -> pd.DataFrame:
        count = int(frame.replica.max()) + 1
        lengths = frame.groupby("replica").size()
        best = frame[frame.replica == int(np.argmin(lengths))]
        return pd.concat([best.assign(replica=number) for number in range(count)])

    edit_table(folder, change, follow=True)


def without_the_failure(folder: Path) -> None:
    """The replica that never solved it is left out."""

    def change(record: dict) -> None:
        record["replicas"] = record["replicas"][:2]
        record["summary"]["replicas"] = 2

    edit_record(folder, change)
    edit_table(folder, lambda frame: frame[frame.replica < 2])


def unseen_plateau(folder: Path) -> None:
    """The first half of a curve is left out, so that its plateau looks short."""
    edit_table(folder, lambda frame: frame[(frame.replica > 0) | (frame.step > 5)], follow=True)


def other_label(folder: Path) -> None:
    """A wide network that is called a narrow one."""
    edit_records(folder, set_at("plan", "model", "width", 512))


def foreign_model(folder: Path) -> None:
    own = {"name": "foreign", "version": 1, "width": 3, "recipe": {"batch_size": 32}}
    edit_record(folder, lambda r: r.update(model="foreign", plan=r["plan"] | {"model": own}))


def renamed_copy(folder: Path, name: str, model: str) -> Path:
    """Another's submission under a new name, called another model's."""
    copy = Path(shutil.copytree(folder, folder.with_name(name)))
    edit_manifest(copy, lambda m: m.update(name=name, title="Ours", authors=["Mallory"]))
    if model != MODEL:
        width = int(model.partition("width=")[2])

        def change(record: dict) -> None:
            record["model"] = model
            record["plan"]["model"]["width"] = width

        edit_records(copy, change)
    return copy


def free_trial(folder: Path) -> None:
    make_tuned(folder, [trial(samples=0, flops=0)])


def free_rivals(folder: Path) -> None:
    make_tuned(folder, [trial(**PAID), trial(model="mlp", samples=0, flops=0)])


def cheap_trial(folder: Path) -> None:
    make_tuned(folder, [trial(samples=9600, flops=30)])


def worse_choice(folder: Path) -> None:
    """A rival's recipe that its own trials say is worse."""
    own = trial(**PAID, solved=3, samples_to_target=5000.0)
    make_tuned(folder, [own, trial(model="mlp", solved=3, samples_to_target=500.0)])


def chosen_fresh_seeds(folder: Path) -> None:
    write_fresh(folder, SMALL, FRESH)
    edit_fresh(folder, set_at("first_seed", first_fresh_seed("2999-01-02 another", SMALL)))


def fresh_of_another(folder: Path) -> None:
    write_fresh(folder, SMALL, FRESH)
    edit_manifest(folder, set_at("title", "Another"))


def known_beacon(folder: Path) -> None:
    write_fresh(folder, SMALL, FRESH, "2020-01-01 lottery 1 2 3")


def impossible_fresh_times(folder: Path) -> None:
    write_fresh(folder, SMALL, [[33] * 6])
