"""A review as Markdown, for a comment below a pull request.

Words from a submission stand in code spans: there nobody is mentioned, nothing is a link, a
picture or markup.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from synthbench.leaderboard.review.judging import CellOutcome, Judgement
from synthbench.leaderboard.review.review import Review
from synthbench.leaderboard.submissions.texts import printable
from synthbench.version import __version__

MARK = "<!-- synthbench leaderboard review -->"
"""First line: by it an earlier comment is found and replaced."""
MOST_LINES = 20
"""Failures, and other files, that are listed."""
LONGEST = 60_000
"""Characters; GitHub takes 65,536."""
SIGNS = {
    "holds": "✅ holds",
    "does not hold": "❌ does not hold",
    "refused": "❌ breaks a rule",
    "undecided": "❔ undecided",
    "removed": "🗑 removed",
}


def review_markdown(review: Review) -> str:
    """The report: a table of submissions, then of each one's cells, then how it was made."""
    lines = [MARK, "## Review of submissions", "", *_table(review.judgements)]
    for judgement in review.judgements:
        lines += _details(judgement)
    lines += _others([str(path) for path in review.changes.others])
    lines += ["", _made(review)]
    text = "\n".join(lines)
    if len(text) > LONGEST:
        text = text[:LONGEST].rpartition("\n")[0] + "\n\n... and more than fits here"
    return text + "\n"


def code(text: str) -> str:
    """A stranger's words as a code span that nothing in them can end, in a table too."""
    shown = printable(text).replace("`", "'").replace("|", "¦").strip()
    return f"`{shown}`" if shown else "-"


def _table(judgements: Sequence[Judgement]) -> Iterator[str]:
    if not judgements:
        yield "No submission was changed."
        return
    yield "| submission | suite | | verdict |"
    yield "| --- | --- | --- | --- |"
    for one in judgements:
        change = one.change
        yield f"| {code(change.name)} | {code(change.suite)} | {change.kind} | {_verdict(one)} |"


def _verdict(one: Judgement) -> str:
    sign = SIGNS[one.outcome]
    if one.judged:
        rerun = sum(cell.rerun for cell in one.judged)
        sign += f": {rerun} replicas of {len(one.judged)} of {one.cells} cells trained again"
    return f"{sign}: {code(one.reason)}" if one.reason else sign


def _details(one: Judgement) -> Iterator[str]:
    if not one.title:
        return
    yield from ("", f"### {code(one.change.name)}: {code(one.title)}", "")
    if one.change.kind == "changed":
        yield from ("It is published already, and its files are changed here.", "")
    yield f"Every file, hash and number of its {one.cells} cells follows from its trajectories."
    if one.judged:
        yield from ("", "| cell | replicas trained again | trajectories | verdict |")
        yield "| --- | --- | --- | --- |"
        yield from map(_row, one.judged)
    if one.failures:
        yield from ("", *_first([f"- {code(failure)}" for failure in one.failures]))


def _row(cell: CellOutcome) -> str:
    verdict = SIGNS["does not hold" if cell.failures else "holds"]
    task = f"{cell.number}. {code(cell.task)}"
    return f"| {task} | {cell.rerun} of {cell.replicas} | {code(cell.how)} | {verdict} |"


def _others(paths: Sequence[str]) -> Iterator[str]:
    if paths:
        yield from ("", "Files beside submissions are changed too; nobody judged or ran them here:")
        yield from ("", *_first([f"- {code(path)}" for path in paths]))


def _first(lines: Sequence[str]) -> Iterator[str]:
    yield from lines[:MOST_LINES]
    if len(lines) > MOST_LINES:
        yield f"- and {len(lines) - MOST_LINES:,} more"


def _made(review: Review) -> str:
    how = review.verification
    return (
        f"By SynthBench {__version__} against {code(review.changes.base[:12])}. The same replicas "
        f"again: `synthbench leaderboard verify FOLDER --fraction {how.fraction:g} --seed "
        f"{how.seed}`; more of them: a larger `--fraction`."
    )
