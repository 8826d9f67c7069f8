"""The list of what stands behind each field: whole, and as the checks really are."""

from __future__ import annotations

from pathlib import Path

import pytest

from synthbench.errors import SubmissionError
from synthbench.leaderboard import site
from synthbench.leaderboard.submissions.evidence import (
    AS_SUBMITTED,
    SHOWN,
    Evidence,
    claims,
    evidence_of,
    label_of,
)
from synthbench.leaderboard.submissions.submission import Submission
from synthbench.records.schema import Compute, Environment, Record, ReplicaRecord
from tests.leaderboard.submissions.attacks import edit_manifest, edit_record, read, set_at

TEMPLATES = Path(site.__file__).parent / "templates"
NESTED = {"environment", "compute", "replicas"}
LIES = {
    "submission.title": "Another",
    "submission.description": "Another.",
    "submission.created": "2020-01-01",
    "record.created": "2020-01-01T00:00:00+00:00",
    "compute.wall_seconds": 0.001,
    "compute.replicas_per_block": 1,
    "environment.device_name": "abacus",
    "environment.platform": "abacus",
    "environment.threads": 7,
    "environment.torch": "9.9",
}
"""Claims, each with another word that nothing can contradict."""


def test_every_field_of_a_submission_has_its_line() -> None:
    parts = {"submission": Submission, "replica": ReplicaRecord, "compute": Compute,
             "environment": Environment}  # fmt: skip
    fields = {f"{part}.{name}" for part, cls in parts.items() for name in cls.model_fields}
    fields |= {f"record.{name}" for name in Record.model_fields if name not in NESTED}
    assert fields == {name for name in SHOWN if not name.startswith("trajectories.")}


def test_columns_are_looked_up_by_their_kind() -> None:
    kinds = {
        "flops": Evidence.BUILD,
        "progress@length-80": Evidence.BUILD,
        "accuracy@length-80": Evidence.RERUN,
        "train_loss": Evidence.RERUN,
        "weight-movement/l2": Evidence.RERUN,
    }
    assert {name: evidence_of(f"trajectories.{name}") for name in kinds} == kinds
    with pytest.raises(KeyError):
        evidence_of("compute.joules")


@pytest.mark.parametrize("name", LIES)
def test_a_claim_is_one_that_reading_cannot_contradict(name: str, attacked: Path) -> None:
    part, field = name.split(".")
    if part == "submission":
        edit_manifest(attacked, set_at(field, LIES[name]))
    else:
        edit_record(attacked, set_at(*({"record": ()}.get(part, (part,))), field, LIES[name]))
    read(attacked)
    assert name in claims() and label_of(name) == "as submitted"


@pytest.mark.parametrize(
    ("path", "value"),
    [
        (("compute", "replica_steps"), 7),
        (("replicas", 0, "samples_to_target"), 32),
        (("replicas", 0, "outcome"), "censored"),
        (("summary", "solved"), 3),
        (("task",), "sparse-parity n=9 k=2"),
    ],
)
def test_what_a_build_computes_is_no_claim(path: tuple, value: object, attacked: Path) -> None:
    edit_record(attacked, set_at(*path, value))
    with pytest.raises(SubmissionError):
        read(attacked)
    part = {"compute": "compute", "replicas": "replica"}.get(path[0], "record")
    name = f"{part}.{path[-1] if part != 'record' else path[0]}"
    assert evidence_of(name) is Evidence.BUILD and label_of(name) == ""


@pytest.mark.parametrize(
    ("caption", "names"),
    [
        ("date, ", ["submission.created"]),
        ("Trials, ", ["submission.trials"]),
        ("Compute, ", ["compute.wall_seconds", "compute.replicas_per_block"]),
        ("Software and machine, ", ["environment.torch", "environment.device_name"]),
        ("Plugins that took part, ", ["environment.plugins"]),
    ],
)
def test_a_page_says_of_claims_what_the_list_says(caption: str, names: list[str]) -> None:
    page = TEMPLATES / "submission.html.j2"
    labels = {label_of(name) for name in names}
    assert len(labels) == 1
    assert f"{caption}{labels.pop()}" in page.read_text(encoding="utf-8")
    assert not any(label_of(f"record.{name}") for name in ("summary", "plan"))


def test_every_label_of_the_pages_is_the_one_of_the_list() -> None:
    """Who words it anew in the list has to do so on the pages."""
    text = "\n".join(path.read_text(encoding="utf-8") for path in TEMPLATES.glob("*.j2"))
    assert text.count(AS_SUBMITTED) >= 9
