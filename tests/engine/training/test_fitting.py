"""References that are fitted: once for each training set, whoever asks and in whatever order."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
import torch

import synthbench as sb
from synthbench.engine.training import fitting
from synthbench.engine.training.fitting import fitted_predictors
from tests.engine.wide_tasks import Blobs

ROWS = torch.arange(12.0).reshape(3, 4, 1)
"""Four rows of three replicas."""
TRAINING = sb.Batch(ROWS, torch.zeros(3, 4, dtype=torch.int64))


class Nearest(Blobs):
    """Says the first row of what it was fitted on, and counts how often it was."""

    name = "nearest"

    def fitted_references(self, train: sb.Batch) -> dict[str, object]:
        fits.append(float(train.x[0]))
        return {"first-row": lambda x: train.x[:1].expand(len(x), 1)}


fits: list[float] = []


@pytest.fixture(autouse=True)
def nothing_fitted() -> Iterator[None]:
    fits.clear()
    fitting._kept.clear()
    yield
    fitting._kept.clear()


def said(task: sb.Task, training: sb.Batch) -> list[float]:
    """What each replica's predictor says."""
    return [float(f(torch.zeros(1, 1))) for f in fitted_predictors(task, training)["first-row"]]


def taken(*replicas: int) -> sb.Batch:
    places = list(replicas)
    return sb.Batch(TRAINING.x[places], TRAINING.y[places])


def test_the_same_rows_are_fitted_once_in_any_company() -> None:
    assert said(Nearest(), taken(0, 1)) == [0.0, 4.0]
    assert said(Nearest(), taken(2, 1, 0)) == [8.0, 4.0, 0.0]
    assert fits == [0.0, 4.0, 8.0]


def test_other_rows_labels_and_fields_are_fitted_anew() -> None:
    said(Nearest(), taken(0))
    said(Nearest(), sb.Batch(TRAINING.x[:1], TRAINING.y[:1] + 1))
    said(Nearest(), sb.Batch(TRAINING.x[:1, :3], TRAINING.y[:1, :3]))
    said(Nearest(rows=7), taken(0))
    assert len(fits) == 4


def test_those_that_were_asked_for_last_are_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(fitting, "KEPT", 2)
    for replica in (0, 1, 0, 2, 0, 1):
        said(Nearest(), taken(replica))
    # The second was forgotten when the third came, the first never.
    assert fits == [0.0, 4.0, 8.0, 4.0]
