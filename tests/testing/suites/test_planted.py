"""A fault planted in a suite is found by the law it breaks, and by no other."""

from __future__ import annotations

from typing import Any

import pytest

from synthbench.plan.suite import Suite
from synthbench.registry.kinds import SUITE
from synthbench.registry.registry import installed
from synthbench.testing import SUITE_LAWS, check_suite, examine_suite
from synthbench.testing.subjects import find_subjects

ROW = {"task": "sparse-parity n=12 k=2", "budget": 6400}


def suite(*rows: dict[str, Any], **fields: Any) -> Suite:
    given = {
        "name": "tried-v1",
        "version": 1,
        "title": "Tried",
        "description": "A suite to be tried.",
        "seeds": 2,
        "models": ("mlp width=8",),
        "cells": rows or (ROW,),
    }
    return Suite(**{**given, **fields})


PLANTED: dict[str, tuple[Suite, str, str]] = {
    "a field that was renamed": (
        suite({**ROW, "task": "sparse-parity size=12"}),
        "references-resolve",
        'has no field "size"',
    ),
    "a task of nobody": (suite({**ROW, "task": "coin-flips"}), "references-resolve", "coin-flips"),
    "a model of nobody": (suite(models=("mpl",)), "references-resolve", "mpl"),
    "a probe of nobody": (suite(probes=("weight-mover",)), "references-resolve", "weight-mover"),
    "a reference of nobody": (suite(reference="mpl"), "references-resolve", "mpl"),
    "a cell twice": (suite(ROW, {**ROW}), "cells-differ", "cells 1 and 2"),
    "a model for other inputs": (suite(models=("simplified-transformer",)), "cells-fit", "Tokens"),
    "a budget below a batch": (suite({**ROW, "budget": 7}), "cells-fit", "below one batch"),
    "a score of no task": (
        suite({**ROW, "score": "perplexity"}),
        "cells-are-measurable",
        "perplexity",
    ),
    "too much noise": (
        suite({**ROW, "task": "sparse-parity n=12 k=2 noise=0.499"}),
        "cells-are-measurable",
        "standard errors",
    ),
}


@pytest.mark.parametrize("fault", PLANTED)
def test_a_faulty_suite_breaks_one_law(fault: str) -> None:
    found, law, words = PLANTED[fault]
    (finding,) = examine_suite(found).findings
    assert finding.law == law and words in finding.seen, finding.describe()


def test_every_law_has_a_fault() -> None:
    assert {law.name for law in SUITE_LAWS} == {law for _, law, _ in PLANTED.values()}


def test_a_sound_suite_keeps_every_law() -> None:
    assert check_suite(suite()).facts["cells"] == "1 with 1 models"


def test_a_suite_is_found_by_its_name_and_with_its_plugin() -> None:
    (subject,) = find_subjects(installed(), ["quickstart"])
    assert subject.kind == SUITE and subject.title == "suite quickstart"
    assert not subject.examination().report().findings
