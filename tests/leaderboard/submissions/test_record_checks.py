"""Records tampered with: another plan, another model, other costs; all hashes are right."""

from __future__ import annotations

from functools import partial
from pathlib import Path

import pytest

from synthbench.registry.registry import installed
from tests.leaderboard.submissions.attacks import (
    MODEL,
    Attack,
    Change,
    cheap_steps,
    dearer,
    edit_record,
    edit_records,
    edit_table,
    manifest,
    plan,
    read,
    record,
    refusal,
)


def batches_of_64(content: dict) -> None:
    content["plan"]["model"]["recipe"]["batch_size"] = 64
    content["model"] = "mlp width=16 batch_size=64"


def one_replica_less(content: dict) -> None:
    del content["replicas"][2]
    content["summary"]["replicas"] = 2
    content["plan"]["protocol"]["seeds"] = 2


def other_seeds(content: dict) -> None:
    for replica in content["replicas"]:
        replica["seeds"] = {name: seed + 7 for name, seed in replica["seeds"].items()}


def reorder(content: dict) -> None:
    references = content["replicas"][0]["references"]
    content["replicas"][0]["references"] = dict(reversed(references.items()))


def foreign_model(content: dict) -> None:
    content["plan"]["model"] = installed().model("simplified-transformer").describe()
    content["model"] = "simplified-transformer"


MUON = installed().optimizer("muon").describe()


def with_optimizer(description: dict) -> Change:
    """The recorded model, trained by another optimizer."""

    def change(record: dict) -> None:
        record["plan"]["model"]["recipe"]["optimizer"] = description
        record["model"] = f"{MODEL} optimizer={description['name']}"

    return change


PLAN: dict[str, tuple[Attack, str]] = {
    "fewer seeds": (
        partial(edit_record, change=one_replica_less),
        "protocol.seeds is 2, the suite says 3",
    ),
    "replica left out": (
        partial(edit_record, change=lambda r: r["replicas"].pop()),
        "2 replicas, the suite",
    ),
    "duplicate seeds": (
        partial(
            edit_record, change=lambda r: r["replicas"][1].update(seeds=r["replicas"][0]["seeds"])
        ),
        "replica 1 is not there with the suite's seeds",
    ),
    "replica renumbered": (record("replicas", 1, "replica", 2), "replica 1 is not there with the"),
    "other seeds": (partial(edit_record, change=other_seeds), "replica 0 is not there with the"),
    "chosen seeds": (
        plan("protocol", "first_seed", 100),
        "protocol.first_seed is 100, the suite says 0",
    ),
    "crossed seeds": (plan("protocol", "initializations", 3), "protocol.initializations is 3"),
    "other budget": (
        plan("protocol", "budget", 6400),
        "protocol.budget is 6400, the suite says 3200",
    ),
    "fewer samples": (
        plan("protocol", "evaluation_samples", 64),
        "protocol.evaluation_samples is 64",
    ),
    "coarser points": (plan("protocol", "resolution", 0.5), "protocol.resolution is 0.5"),
    "shorter hold": (plan("protocol", "hold", 1), "protocol.hold is 1, the suite says 2"),
    "another number type": (
        plan("protocol", "hold", 2.0),
        "protocol.hold is 2.0, the suite says 2",
    ),
    "true for 1": (plan("plan_version", True), "plan_version is True, the suite says 1"),
    "trains on": (plan("protocol", "until", "budget"), "protocol.until is 'budget'"),
    "finite data": (plan("protocol", "train_samples", 1000), "protocol.train_samples is 1000"),
    "other precision": (
        plan("protocol", "precision", "64-true"),
        "protocol.precision is '64-true'",
    ),
    "lower target": (plan("task", "target", 0.5), "task.target is 0.5, the suite says 0.96"),
    "easier task": (plan("task", "n", 5), "task.n is 5, the suite says 10"),
    "task renamed": (
        record("task", "sparse-parity n=10 k=3"),
        "task is 'sparse-parity n=10 k=3', the",
    ),
    "no probe": (plan("probes", []), "plan: probes is [], the suite says"),
    "taught": (plan("teacher", {"at": ["last"]}), "it stands on another cell (teacher)"),
    "warm": (record("sources", {"start": "0" * 64}), "it stands on another cell (start)"),
    "more in the plan": (plan("bonus", 1), "plan: bonus is 1, the suite says 'absent'"),
    "other hash": (
        lambda f: (manifest("suite", "hash", "0" * 64)(f),),
        "another hash: its cells were",
    ),
    "other hash in a record": (
        record("suite", "hash", "0" * 64),
        'cell 1: suite "attacked" has another',
    ),
    "other version": (
        manifest("suite", "version", 2),
        "it is for suite 'attacked' version 2, this is",
    ),
    "other suite": (
        manifest("suite", "name", "quickstart"),
        "it is for suite 'quickstart' version 1",
    ),
    "no suite": (record("suite", None), "it was not run as part of a suite"),
    "other references": (
        record(
            "replicas",
            0,
            "references",
            {"trivial": {"accuracy": 0.5}, "optimal": {"accuracy": 1.0}},
        ),
        "replica 0: its references are not",
    ),
    "other score": (
        partial(
            edit_record, change=lambda r: r["replicas"][2]["references"]["trivial"].update(luck=1.0)
        ),
        "replica 2: its references are not those of the task",
    ),
    "references reordered": (
        partial(edit_record, change=reorder),
        "replica 0: its references are not those of the task",
    ),
    "flat references": (
        partial(
            edit_record,
            change=lambda r: r["replicas"][0]["references"].update(
                optimal=r["replicas"][0]["references"]["trivial"]
            ),
        ),
        "optimal and trivial score the same",
    ),
    "huge reference": (
        record("replicas", 0, "references", "optimal", "accuracy", 1e300),
        "replica 0: a reference scores more",
    ),
    "no plugin": (
        partial(
            edit_record,
            change=lambda r: r["environment"].update(
                plugins=[p for p in r["environment"]["plugins"] if p["plugin"] != "mlp"]
            ),
        ),
        'plugin "mlp" took part',
    ),
    "no date": (record("created", "yesterday"), "created is not an ISO time: 'yesterday'"),
}
MODELS: dict[str, tuple[Attack, str]] = {
    "other batch size": (partial(edit_records, change=batches_of_64), "is not measured at the"),
    "batch size of 0": (plan("model", "recipe", "batch_size", 0), "batch_size 0 is not between"),
    "batch above the budget": (
        plan("model", "recipe", "batch_size", 10**6),
        "batch_size 1000000 is",
    ),
    "no batch size": (
        plan("model", "recipe", {}),
        "must have a name and a recipe with a batch_size",
    ),
    "no model": (
        partial(edit_record, change=lambda r: r["plan"].pop("model")),
        "model must have a",
    ),
    "smaller than it was": (
        record("model", "mlp width=4"),
        "called 'mlp width=4', the plan says 'mlp width=16'",
    ),
    "larger than it was": (
        plan("model", "width", 4),
        "called 'mlp width=16', the plan says 'mlp width=4'",
    ),
    "a number as text": (
        plan("model", "width", "16"),
        "model.width is '16', its class makes that 16",
    ),
    "a field left out": (
        partial(edit_records, change=lambda r: r["plan"]["model"].pop("depth")),
        "model.depth is 'absent', its class makes that 1",
    ),
    "a field too many": (plan("model", "luck", 1), "the model cannot be rebuilt"),
    "a wrong value": (plan("model", "width", -1), "the model cannot be rebuilt"),
    "another version": (plan("model", "version", 9), "is of version 1 here, 9 in the record"),
    "another interface": (
        partial(edit_records, change=foreign_model),
        "cannot take this task",
    ),
    "markup as an optimizer": (
        plan("model", "recipe", "optimizer", {"name": "<b>", "version": 1}),
        "'<b>' cannot be the name of an optimizer",
    ),
    "an optimizer of no version": (
        plan("model", "recipe", "optimizer", {"name": "muon"}),
        "the model cannot be rebuilt",
    ),
    "an optimizer whose plugin is not named": (
        partial(edit_records, change=with_optimizer(MUON)),
        'plugin "muon" took part and is not named',
    ),
    "unknown loss": (plan("model", "recipe", "loss", "luck"), 'has no loss "luck"'),
    "cheaper steps": (record("compute", "step_flops", 10), "flops are not steps times 10"),
    "cheaper rows": (
        lambda f: (edit_record(f, cheap_steps), edit_table(f, dearer)),
        "summary.flops_to_target.value is",
    ),
    "negative cost": (record("compute", "step_flops", -1), "step_flops = -1 is no cost"),
    "overflowing cost": (record("compute", "step_flops", 2**62), "more than can be spent"),
    "endless parameters": (
        record("compute", "parameters", 10**30),
        "a number of more than 64 bits",
    ),
    "negative time": (record("compute", "wall_seconds", -1.0), "wall_seconds = -1.0 is no cost"),
    "no block": (
        record("compute", "replicas_per_block", 0),
        "replicas_per_block must be 1 or more",
    ),
}
ATTACKS = {
    f"{kind}: {name}": attack
    for kind, attacks in {"plan": PLAN, "model": MODELS}.items()
    for name, attack in attacks.items()
}


def test_an_optimizer_whose_plugin_is_not_installed_is_no_reason_to_refuse(attacked: Path) -> None:
    """As with a model: it is checked where its plugin is installed, and when it is verified."""
    foreign = {"name": "foreign", "version": 3, "temperature": 0.5}
    edit_records(attacked, with_optimizer(foreign))
    found = read(attacked)
    assert found.cells[0].record.plan["model"]["recipe"]["optimizer"] == foreign


@pytest.mark.parametrize("name", ATTACKS)
def test_tampering_is_refused_with_its_reason(name: str, attacked: Path) -> None:
    attack, reason = ATTACKS[name]
    attack(attacked)
    assert reason in refusal(attacked)
