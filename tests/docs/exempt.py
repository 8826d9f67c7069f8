"""Commands of the documentation that its tests do not run, each with what runs it instead."""

from __future__ import annotations

import re

EXEMPT = {
    r"python3 -m venv \.venv": "makes an environment, as `.ci/run` does with README's second line",
    r"\. \.venv/bin/activate": "the tests run in an environment that is active",
    r"pip install .*": "needs the network: `.ci/run` installs with the same constraints",
    r"python -m pytest": "is the tests themselves",
    r"wandb login .*": "needs an account",
    r"synthbench leaderboard report (?!.*--dry-run).*": "publishes to an account: "
    "tests/plugins/test_wandb_report.py does so on a server of its own",
    r"synthbench leaderboard review .*": "asks git what a branch changes: tests/leaderboard/review "
    "does so in a repository of its own",
    r"synthbench leaderboard (publish|fetch) .*": "needs the Hub: "
    "tests/leaderboard/hub has one of its own",
    r"synthbench eval quickstart --launcher .*|ray start .*": "starts a cluster, or needs one: "
    "`pytest -m ray tests/launchers` does both",
    r"(sbatch|kubectl) .*": "needs a cluster",
    r"python docs/make_paper_pictures\.py": "trains for minutes: `pytest -m slow tests/paper` "
    "holds its findings",
    r"python docs/tasks/distillation\.py": "trains for minutes: `pytest -m slow "
    "tests/paper/test_distillation.py` holds its findings",
}
"""Regular expression of a whole line -> reason."""


def exempt(line: str) -> str | None:
    """The expression that exempts a command, if one does."""
    found = [pattern for pattern in EXEMPT if re.fullmatch(pattern, line)]
    return found[0] if found else None
