"""The report: what it says, and that no word of a submission is more than a word."""

from __future__ import annotations

from pathlib import Path, PurePosixPath

import pytest

from synthbench.leaderboard.review.changes import Change, Changes
from synthbench.leaderboard.review.judging import CellOutcome, Judgement
from synthbench.leaderboard.review.markdown import MARK, code, review_markdown
from synthbench.leaderboard.review.review import Review
from synthbench.leaderboard.verification.verify import Verification

HOSTILE = "@all `x` | <img src=x onerror=y> [a](https://b) \n\n# head ‮ ![p](https://q) &#64;you"


def change(name: str, kind: str = "new") -> Change:
    return Change(PurePosixPath("leaderboards/mini/submissions") / name, kind)


def report(*judgements: Judgement, others: int = 0) -> str:
    changes = Changes(
        root=Path(),
        base="0123456789abcdef",
        submissions=tuple(one.change for one in judgements),
        others=tuple(PurePosixPath(f"src/{number}.py") for number in range(others)),
    )
    return review_markdown(Review(changes, Verification(0.25, 7), judgements))


def cell(number: int, *failures: str) -> CellOutcome:
    return CellOutcome(number, "sparse-parity n=6 k=2", 2, 6, "identical", failures)


def test_one_that_holds_and_one_that_does_not() -> None:
    good = Judgement(change("good"), "holds", "", "A good one", 2, (cell(1), cell(2)))
    bad = Judgement(change("bad", "changed"), "does not hold", "", "Bad", 1, (cell(1, "it lies"),))
    text = report(good, bad)
    assert text.startswith(MARK)
    verdict = "✅ holds: 4 replicas of 2 of 2 cells trained again"
    assert f"| `good` | `mini` | new | {verdict} |" in text
    assert "| `bad` | `mini` | changed | ❌ does not hold: 2 replicas of 1 of 1" in text
    assert "- `cell 1: it lies`" in text and "published already" in text
    assert "| 2. `sparse-parity n=6 k=2` | 2 of 6 | `identical` | ✅ holds |" in text
    assert "--fraction 0.25 --seed 7" in text and "`0123456789ab`" in text


def test_one_that_was_not_finished_says_why() -> None:
    text = report(Judgement(change("slow"), "undecided", "not finished within 3 minutes", "S", 3))
    assert "❔ undecided: `not finished within 3 minutes`" in text


def test_nothing_to_judge_and_much_beside() -> None:
    text = report(others=25)
    assert "No submission was changed." in text
    assert "- `src/19.py`" in text and "src/20.py" not in text and "and 5 more" in text


def test_words_of_a_submission_are_words() -> None:
    """Outside of code spans nothing of them is left; inside nothing is Markdown."""
    failing = CellOutcome(1, HOSTILE, 2, 6, HOSTILE, (HOSTILE,))
    text = report(
        Judgement(change(HOSTILE), "does not hold", HOSTILE, HOSTILE, 1, (failing,)),
        Judgement(change("x"), "refused", HOSTILE),
    )
    plain = "".join(text.split("`")[::2])
    for sign in ("@", "<img", "](", "onerror", "‮", "&#64;"):
        assert sign not in plain, sign
    assert text.count("`") % 2 == 0
    rows = [line for line in text.splitlines() if line.startswith("| ")]
    assert {row.count("|") for row in rows} == {5}


@pytest.mark.parametrize("text", ["", " ", "`", "``a``", "a\\", "|\\|", "a\nb"])
def test_a_code_span_ends_where_it_should(text: str) -> None:
    shown = code(text)
    assert shown == "-" or (shown[0] == shown[-1] == "`" and shown.count("`") == 2)
    assert "|" not in shown and "\n" not in shown


def test_a_report_fits_into_a_comment() -> None:
    cells = tuple(cell(number, *["x" * 390] * 5) for number in range(20))
    many = [Judgement(change(f"n{i}"), "does not hold", "", "t", 20, cells) for i in range(20)]
    text = report(*many)
    assert len(text) < 65_536 and "more than fits here" in text
