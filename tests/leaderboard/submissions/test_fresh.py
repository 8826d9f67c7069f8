"""Fresh seeds: what they are a hash of, which beacons serve, and what is no `fresh.json`."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from datetime import date
from pathlib import Path

import pytest

from synthbench.errors import SubmissionError
from synthbench.leaderboard.submissions.fresh import check_beacon, first_fresh_seed
from tests.leaderboard.fresh import BEACON, edit_fresh, write_fresh
from tests.leaderboard.submissions.attacks import (
    SMALL,
    SUITE,
    edit_manifest,
    make_tuned,
    read,
    refusal,
    set_at,
    trial,
)

TIMES = [[640, 960, 1600, None, None, 32]]
LIES: dict[str, tuple[Callable[[dict], object], str]] = {
    "of another submission": (set_at("submission", "0" * 64), "it is of another submission"),
    "another beacon": (set_at("beacon", "2999-01-02 lottery 1"), "first_seed is not what its bea"),
    "chosen seeds": (set_at("first_seed", 2**62 + 5), "first_seed is not what its beacon"),
    "ranked seeds": (set_at("first_seed", 0), "first_seed: input should be greater"),
    "no date": (set_at("beacon", "lottery 4 8 15"), "beacon: must begin with the da"),
    "a date alone": (set_at("beacon", "2999-01-02"), "beacon: must begin with"),
    "too few": (set_at("seeds", 5), "seeds: input should be greater than or equal to 6"),
    "more seeds than times": (set_at("seeds", 7), "cell 1 does not have a time and a hash"),
    "a cell too many": (lambda c: c["cells"].append(c["cells"][0]), "2 cells, the suite has 1"),
    "off the grid": (set_at("cells", 0, "samples_to_target", 0, 33), "measured after 33 samples"),
    "beyond": (set_at("cells", 0, "samples_to_target", 0, 6400), "measured after 6,400 samples"),
    "a text": (set_at("cells", 0, "samples_to_target", 0, "640"), "valid integer"),
    "hidden": (set_at("cells", 0, "environment", "device_name", "a\u202eb"), "invisible character"),
    "hidden in the beacon": (set_at("beacon", "2999-01-02 \u202e"), "invisible character U+202E"),
    "unknown field": (set_at("rank", 1), "rank: extra inputs are not permitted"),
}


def test_the_honest_are_read(small: Path) -> None:
    assert read(small, SMALL).fresh is None
    write_fresh(small, SMALL, TIMES)
    found = read(small, SMALL).fresh
    assert found is not None and found.seeds == 6
    assert list(found.cells[0].samples_to_target) == TIMES[0]


@pytest.mark.parametrize("name", LIES)
def test_a_result_that_cannot_be_is_refused(name: str, small: Path) -> None:
    change, reason = LIES[name]
    write_fresh(small, SMALL, TIMES)
    edit_fresh(small, change)
    found = refusal(small, SMALL)
    assert found.startswith("fresh.json: ") and reason in found.replace("Input", "input"), found


def test_data_of_ranked_seeds_are_not_fresh(small: Path) -> None:
    ranked = read(small, SMALL).cells[0].record.replicas[0].data
    write_fresh(small, SMALL, TIMES)
    edit_fresh(small, set_at("cells", 0, "data", 2, ranked))
    assert "cell 1 has data of the ranked seeds" in refusal(small, SMALL)


def test_it_does_not_move_to_a_submission_that_was_changed_since(small: Path) -> None:
    write_fresh(small, SMALL, TIMES)
    edit_manifest(small, set_at("title", "Another"))
    assert "it is of another submission" in refusal(small, SMALL)


def test_a_beacon_must_be_younger_than_the_submission(small: Path) -> None:
    edit_manifest(small, set_at("created", "2999-01-02"))
    write_fresh(small, SMALL, TIMES)
    assert "the beacon is of 2999-01-02, the submission of 2999-01-02" in refusal(small, SMALL)


def test_seeds_that_tuned_it_are_not_fresh(small: Path) -> None:
    first = first_fresh_seed(BEACON, SMALL)
    make_tuned(small, [trial(first_seed=first - 2, seeds=3)])
    write_fresh(small, SMALL, TIMES)
    assert "its seeds are among those that tuned cell 1" in refusal(small, SMALL)
    make_tuned(small, [trial(first_seed=first - 3, seeds=3)])
    write_fresh(small, SMALL, TIMES)
    assert read(small, SMALL).fresh is not None


def test_a_link_is_no_result(small: Path) -> None:
    path = write_fresh(small, SMALL, TIMES)
    away = path.rename(small.parent.parent / "away.json")
    path.symlink_to(away)
    assert "fresh.json is not an ordinary file" in refusal(small, SMALL)


def test_seeds_are_the_hash_that_the_docs_say() -> None:
    text = f"synthbench fresh seeds\n{SMALL.hash()}\n{BEACON}"
    bits = int(hashlib.sha256(text.encode()).hexdigest(), 16) >> (256 - 62)
    assert first_fresh_seed(BEACON, SMALL) == 2**62 + bits
    others = [first_fresh_seed(f"2999-01-02 {n}", suite) for n in range(50) for suite in (
        SMALL, SUITE)]  # fmt: skip
    assert len(set(others)) == 100 and all(2**62 <= seed < 2**63 for seed in others)


@pytest.mark.parametrize(
    ("beacon", "reason"),
    [
        ("lottery 4 8 15", "the beacon must begin with the date"),
        ("2026-02-30 lottery", "the beacon "),
        ("2026-01-03 lottery", "is of 2026-01-03, which has not come yet"),
        ("2026-01-01 lottery", "it must be younger"),
        ("2026-01-02 lottery\nx", "the beacon must be one line"),
    ],
)
def test_which_beacons_serve(beacon: str, reason: str, small: Path) -> None:
    submission = read(small, SMALL).submission.model_copy(update={"created": "2026-01-01"})
    today = date(2026, 1, 2)
    check_beacon("2026-01-02 lottery", submission, today)
    with pytest.raises(SubmissionError, match=reason):
        check_beacon(beacon, submission, today)
