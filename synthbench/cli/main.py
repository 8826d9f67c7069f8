"""`synthbench`: the commands, and what happens to a user's mistake."""

from __future__ import annotations

import atexit
import gc
import os
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import cache
from typing import NoReturn

import typer
from rich.console import Console
from rich.markup import escape
from typer.main import get_command

from synthbench.cli.data import data_app
from synthbench.cli.eval import eval_command
from synthbench.cli.leaderboard import leaderboard_app
from synthbench.cli.list import list_command
from synthbench.cli.merge import merge_command
from synthbench.cli.metrics import metrics_command
from synthbench.cli.plot import plot_command
from synthbench.cli.plugin import plugin_app
from synthbench.cli.show import show_command
from synthbench.cli.study import study_app
from synthbench.cli.surroundings import make_output_readable
from synthbench.cli.tune import tune_command
from synthbench.cli.whole_help import WholeHelp
from synthbench.errors import SynthbenchError
from synthbench.registry.selection import NONE, VARIABLE
from synthbench.version import __version__

NO_PLUGINS = "--no-plugins"

app = typer.Typer(
    name="synthbench",
    cls=WholeHelp,
    help="Measure how models learn, not only whether they learn.",
    no_args_is_help=True,
    context_settings={"help_option_names": ["-h", "--help"]},
    # Rich's panels leave the words of a flag a quarter of 80 columns, and cut its name short.
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
)
app.command("eval")(eval_command)
app.command("tune")(tune_command)
app.command("metrics")(metrics_command)
app.command("plot")(plot_command)
app.command("merge")(merge_command)
app.command("list")(list_command)
app.command("show")(show_command)
app.add_typer(data_app, name="data", cls=WholeHelp)
app.add_typer(leaderboard_app, name="leaderboard", cls=WholeHelp)
app.add_typer(plugin_app, name="plugin", cls=WholeHelp)
app.add_typer(study_app, name="study", cls=WholeHelp)


def _print_version(wanted: bool) -> None:
    if wanted:
        print(f"synthbench {__version__}")
        raise typer.Exit


@app.callback()
def options(
    context: typer.Context,
    version: bool = typer.Option(
        False, "--version", callback=_print_version, is_eager=True, help="Print the version."
    ),
    no_plugins: bool = typer.Option(
        False,
        NO_PLUGINS,
        help="Load bundled plugins only; to choose some: SYNTHBENCH_PLUGINS=a,b.",
    ),
) -> None:
    """Measure how models learn, not only whether they learn."""
    if no_plugins:
        context.with_resource(_bundled_plugins_only())


@contextmanager
def _bundled_plugins_only() -> Iterator[None]:
    """For the length of a command, in the environment: processes it starts do the same."""
    before = os.environ.get(VARIABLE)
    os.environ[VARIABLE] = NONE
    try:
        yield
    finally:
        if before is None:
            del os.environ[VARIABLE]
        else:
            os.environ[VARIABLE] = before


def _global_option_first(arguments: list[str]) -> list[str]:
    """`--no-plugins` may stand anywhere: people put it at the end."""
    own = arguments[: arguments.index("--")] if "--" in arguments else arguments
    if NO_PLUGINS not in own:
        return arguments
    return [NO_PLUGINS, *(each for each in own if each != NO_PLUGINS), *arguments[len(own) :]]


@cache
def _command() -> Callable[..., object]:
    """All commands and their flags; reading them from signatures takes a tenth of a second."""
    return get_command(app)


def main() -> None:
    """Run the command line; a user's mistake is one message and exit code 2."""
    # The process is about to end, with all it holds; looking through it takes torch a second.
    atexit.register(gc.freeze)
    make_output_readable()
    try:
        _command()(_global_option_first(sys.argv[1:]), prog_name=app.info.name)
    except SynthbenchError as error:
        _end_with(str(error))
    except Exception as error:
        from synthbench.registry.installed_points import damaged_by

        if (line := damaged_by(error)) is None:
            raise
        _end_with(line)


def _end_with(message: str) -> NoReturn:
    Console(stderr=True).print(f"[red]error:[/] {escape(message)}", soft_wrap=True)
    sys.exit(2)
