"""Limits of time and memory: met by name, and nothing that they end is left behind."""

from __future__ import annotations

import os
from collections.abc import Iterator
from functools import partial
from pathlib import Path

import pytest

from synthbench.contracts.model import Model
from synthbench.errors import ConfigurationError, SubmissionError
from synthbench.leaderboard.submissions.reading import CheckedSubmission
from synthbench.leaderboard.verification.limits import GIBIBYTE, Limits, within
from synthbench.leaderboard.verification.verify import Verification, verify_submission
from synthbench.listeners.listener import Silent
from tests.leaderboard.submissions.attacks import SMALL, edit_records, read
from tests.leaderboard.verification.jobs import answering, dying, failing, growing, waiting

LINUX = pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="memory is read there")


class Heard(Silent):
    def __init__(self) -> None:
        self.notes: list[str] = []

    def note(self, message: str) -> None:
        self.notes.append(message)


def deep(folder: Path, depth: int) -> CheckedSubmission:
    def change(content: dict) -> None:
        content["plan"]["model"]["depth"] = depth
        content["model"] = f"mlp width=16 depth={depth}"

    edit_records(folder, change)
    return read(folder, SMALL)


def test_results_and_news_come_back_in_order() -> None:
    heard = Heard()
    assert list(within(Limits(), answering, heard)) == [1, 2]
    assert heard.notes[1:] == ["between"] and int(heard.notes[0]) != os.getpid()


def test_what_takes_too_long_is_named_and_ended() -> None:
    heard = Heard()
    with pytest.raises(SubmissionError) as caught:
        list(within(Limits(seconds=0.5), waiting, heard))
    assert str(caught.value) == (
        "cell 2: building its network and trying it out took more than the 0.5 s allowed for one "
        "step (--step-seconds)"
    )
    with pytest.raises(ProcessLookupError):
        os.kill(int(heard.notes[0]), 0)


@LINUX
def test_what_takes_too_much_memory_is_named() -> None:
    found = []
    with pytest.raises(SubmissionError, match=r"more than the 0.2 GiB of memory allowed"):
        for _ in within(Limits(memory=int(0.2 * GIBIBYTE)), growing, Silent()):
            found.append(1)
    assert len(found) > 4, "what it begins with fits"


def test_mistakes_and_deaths_are_told() -> None:
    with pytest.raises(ConfigurationError, match="a mistake of the caller's"):
        list(within(Limits(), failing, Silent()))
    with pytest.raises(SubmissionError, match=r"ended its process \(exit code 7\)"):
        list(within(Limits(), dying, Silent()))


@pytest.mark.slow
def test_a_network_of_ten_million_layers_meets_a_limit(small: Path) -> None:
    checked = deep(small, 10_000_000)
    job = partial(verify_submission, checked, SMALL, Verification(0.1, 0, "cpu"))
    with pytest.raises(SubmissionError, match="cell 1: building its network and trying it out too"):
        list(within(Limits(seconds=2.0, memory=4 * GIBIBYTE), job, Silent()))


def test_reading_builds_no_network(small: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whatever size a submission asks for."""

    def refuse(*_: object) -> None:
        raise AssertionError("a network is built")

    for cls in _models(Model):
        if "build" in vars(cls):
            monkeypatch.setattr(cls, "build", refuse)
    assert deep(small, 10_000_000).cells[0].record.model_plan["depth"] == 10_000_000


def _models(cls: type) -> Iterator[type]:
    for each in cls.__subclasses__():
        yield each
        yield from _models(each)
