"""`synthbench study`: its commands, each in a file of its own."""

from __future__ import annotations

import typer

from synthbench.cli.study.list import list_command
from synthbench.cli.study.report import report_command
from synthbench.cli.study.run import run_command
from synthbench.cli.study.show import show_command

study_app = typer.Typer(
    help="Repeat what a paper found: its grids, its figures, its claims.", no_args_is_help=True
)
study_app.command("list")(list_command)
study_app.command("show")(show_command)
study_app.command("run")(run_command)
study_app.command("report")(report_command)
