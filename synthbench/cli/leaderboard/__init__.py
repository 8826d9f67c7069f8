"""`synthbench leaderboard`: its commands, each in a file of its own."""

from __future__ import annotations

import typer

from synthbench.cli.leaderboard.build import build_command
from synthbench.cli.leaderboard.fetch import fetch_command
from synthbench.cli.leaderboard.publish import publish_command
from synthbench.cli.leaderboard.report import report_command
from synthbench.cli.leaderboard.review import review_command
from synthbench.cli.leaderboard.show import show_command
from synthbench.cli.leaderboard.submit import submit_command
from synthbench.cli.leaderboard.verify import verify_command

leaderboard_app = typer.Typer(
    help="Submit, rank, show and verify results of a suite.", no_args_is_help=True
)
leaderboard_app.command("submit")(submit_command)
leaderboard_app.command("show")(show_command)
leaderboard_app.command("verify")(verify_command)
leaderboard_app.command("review")(review_command)
leaderboard_app.command("build")(build_command)
leaderboard_app.command("report")(report_command)
leaderboard_app.command("publish")(publish_command)
leaderboard_app.command("fetch")(fetch_command)
