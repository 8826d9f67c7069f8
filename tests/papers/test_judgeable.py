"""A claim about what no replica will have is refused before anything trains."""

from __future__ import annotations

from pathlib import Path

import pytest

from synthbench.errors import SynthbenchError
from synthbench.papers.expected_columns import expected_columns
from synthbench.papers.judgeable import check_claims
from synthbench.papers.reading import check_paper_study
from synthbench.papers.running import Size, grid_studies
from tests.papers.conftest import STUDY

TEXT = STUDY[: STUDY.index('[[claims]]\nname = "best"')].replace('["sizes", "released"]', '"sizes"')
QUANTITY = "share(`final_score` > 0.5 and task != 'a | b')"


@pytest.mark.parametrize(
    ("quantity", "message"),
    [
        ("median(samples_to_targt)", 'no column "samples_to_targt"; did you mean "samples_to_tar'),
        ("median(when(acuracy > 0.9))", 'no column "acuracy"; did you mean "accuracy"'),
        ("share(outcome == 'sloved')", 'no replica ends "sloved"; did you mean "solved"'),
        ("median(n, where=outcome in ['solved', 'lost'])", "outcomes: solved, censored, diverged"),
        ("median(accuracy)", "say which: last"),
        ("median(time, where=n == 40)", r"no cell of the grid meets n == 40 \(n is 6, 8\)"),
        ("superiority(n, where=n == 6, than=lr < 0)", r"meets lr < 0 \(lr is 0.1\)"),
        ("median(time, where=n == '6')", "one is a text"),
        ("exponent(median(time), by=model.width)", '"model.width" is 16 in every cell'),
        ("slope(median(time), by=recipe.loss)", '"recipe.loss" is a text'),
        ("median(last(`weight-movement/l2`))", "; the grid's probes are none"),
        ("median(plateau, where=model.widht == 3)", 'did you mean "model.width"'),
    ],
)
def test_what_no_replica_has_is_refused_with_its_line(
    quantity: str, message: str, tmp_path: Path
) -> None:
    path = tmp_path / "plateaus.toml"
    path.write_text(TEXT.replace(QUANTITY, quantity))
    study = check_paper_study(path)
    with pytest.raises(SynthbenchError, match=rf"plateaus.toml:44: claims.quantity: .*{message}"):
        check_claims(study, expected_columns(grid_studies(study, tmp_path)))
    # Of a grid that is not trained nothing is asked.
    check_claims(study, {})


@pytest.mark.parametrize(
    "quantity",
    [
        QUANTITY,
        "share(outcome != 'diverged' and model == 'x')",
        "median(time, where=when(accuracy > 2) < 3 and n == 40)",
        "median(time, where=width < 7)",
        "median(time, where=task == 'sparse-parity n=40')",
        "exponent(median(time, where=n < 8 or model.lr > 0), by=n)",
        "slope(median(time), by=n - 10)",
    ],
)
def test_what_replicas_have_is_not_refused(quantity: str, tmp_path: Path) -> None:
    path = tmp_path / "plateaus.toml"
    path.write_text(TEXT.replace(QUANTITY, quantity))
    study = check_paper_study(path)
    check_claims(study, expected_columns(grid_studies(study, tmp_path)))


def test_a_claim_about_a_small_size_does_not_keep_the_papers_from_training(tmp_path: Path) -> None:
    path = tmp_path / "plateaus.toml"
    path.write_text(TEXT.replace(QUANTITY, "median(time, where=n == 40)"))
    study = check_paper_study(path)
    expected = expected_columns(grid_studies(study, tmp_path, Size(full=True)))
    check_claims(study, expected, full=True)
    path.write_text(TEXT.replace(QUANTITY, "median(tiem, where=n == 40)"))
    with pytest.raises(SynthbenchError, match='no column "tiem"; did you mean "time"'):
        check_claims(check_paper_study(path), expected, full=True)
