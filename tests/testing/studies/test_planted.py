"""A fault planted in a paper study is found by the law it breaks, and by no other."""

from __future__ import annotations

from pathlib import Path

import pytest

from synthbench.errors import ConfigurationError
from synthbench.plan.paper_study import read_paper_study
from synthbench.registry.kinds import STUDY
from synthbench.registry.registry import installed
from synthbench.testing import check_study, examine_study
from synthbench.testing.subjects import Subject, find_subjects
from tests.papers.conftest import STUDY as TEXT
from tests.papers.stand_in import stand_in_claims

__all__ = ["stand_in_claims"]
pytestmark = pytest.mark.usefixtures("stand_in_claims")
FAULTS = {
    "a model of nobody": ('"mlp width=16"', '"mpl"', "references-resolve", 'unknown model "mpl"'),
    "no quantity": ("share(censored)", "share", "references-resolve", "quantity: cannot read"),
    "a picture of nobody": ('"survival"', '"x"', "references-resolve", 'unknown kind "x"'),
    "a model for other inputs": (
        '"mlp width=16"', '"simplified-transformer"', "cells-fit", "Tokens",
    ),
    "too few samples": ('budget = "1.6k"', "budget = 7", "cells-fit", "below one batch"),
    "too few samples in full": (
        "protocol = { seeds = 6 }", "protocol = { budget = 7 }", "cells-fit", "sizes (full), mlp",
    ),
    "a score of nobody": (
        'budget = "1.6k"', 'score = "perplexity", budget = "1k"', "cells-are-measurable", "perpl",
    ),
    "a column of nobody": (
        "share(censored)", "share(censred)", "columns-exist", 'no column "censred"; did you mean',
    ),
    "a field of nobody": ('x = "n"', 'x = "m"', "columns-exist", 'figures.x: no field "m"'),
    "an idle grid": (
        "[[figures]]", '[grids.idle]\ntasks = "sparse-parity n=6"\nmodels = "mlp"\n[[figures]]',
        "grids-are-used", "nothing is about the grid idle",
    ),
}  # fmt: skip


@pytest.mark.parametrize("fault", FAULTS)
def test_a_faulty_study_breaks_one_law(fault: str, tmp_path: Path) -> None:
    old, new, broken, seen = FAULTS[fault]
    assert old in TEXT
    path = tmp_path / "plateaus.toml"
    path.write_text(TEXT.replace(old, new, 1))
    (finding,) = examine_study(read_paper_study(path)).findings
    assert finding.law == broken and seen in " ".join(finding.describe().split())


def test_a_sound_study_keeps_every_law(tmp_path: Path) -> None:
    path = tmp_path / "plateaus.toml"
    path.write_text(TEXT)
    report = check_study(read_paper_study(path))
    assert report.facts["cells"] == "3, with the paper's sizes 4"


def test_a_file_is_examined_as_a_study(tmp_path: Path) -> None:
    path = tmp_path / "plateaus.toml"
    path.write_text(TEXT)
    (subject,) = find_subjects(installed(), [str(path)])
    assert subject.title == "study plateaus" and subject.configuration.path == path
    with pytest.raises(ConfigurationError, match=r"cannot read .*nowhere\.toml"):
        find_subjects(installed(), [str(tmp_path / "nowhere.toml")])


QUICK = {"hidden-progress", "algorithms"}
"""Of trained and of measured grids; those of large networks take a minute or two each."""


@pytest.mark.parametrize(
    "name",
    [
        pytest.param(name, marks=() if name in QUICK else pytest.mark.slow)
        for name in installed().bundled(STUDY)
    ],
)
def test_bundled_studies_keep_every_law(name: str) -> None:
    # Not by its name, which a plugin may have too.
    subject = Subject(STUDY, installed().study(name))
    assert not subject.examination().report().findings
