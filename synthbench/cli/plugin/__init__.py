"""`synthbench plugin`: its commands, each in a file of its own."""

from __future__ import annotations

import typer

from synthbench.cli.plugin.check import check_command
from synthbench.cli.plugin.new import new_command

plugin_app = typer.Typer(help="Write a plugin, and check one.", no_args_is_help=True)
plugin_app.command("new")(new_command)
plugin_app.command("check")(check_command)
