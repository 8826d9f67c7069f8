"""`synthbench plugin new KIND NAME`: a plugin of one's own, complete and tested."""

from __future__ import annotations

import shlex
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from synthbench.errors import ConfigurationError

if TYPE_CHECKING:
    from synthbench.scaffold import WrittenPlugin


class PluginKind(StrEnum):
    """What a new plugin may provide."""

    task = "task"
    model = "model"
    probe = "probe"
    optimizer = "optimizer"
    study = "study"


class ModelInput(StrEnum):
    """What a new model may read."""

    signs = "signs"
    reals = "reals"
    tokens = "tokens"
    real_sequence = "real-sequence"


MEASURED_ON = {
    ModelInput.signs: "quickstart",
    ModelInput.reals: "--task 'a task of yours'",
    ModelInput.tokens: "in-context-quick",
    ModelInput.real_sequence: "in-context-quick",
}
"""A suite for a first look at a model of that input; real vectors have none that is bundled."""


def new_command(
    kind: Annotated[PluginKind, typer.Argument(help="What it provides.")],
    name: Annotated[str, typer.Argument(help="Lower-case words joined by '-': coin-flips.")],
    reads: Annotated[
        ModelInput | None,
        typer.Option("--input", help="What a model reads. Default: signs."),
    ] = None,
    folder: Annotated[Path, typer.Option(help="Where its folder is made.")] = Path(),
) -> None:
    """Write a small plugin that works: a distribution with its tests, to be edited.

    FOLDER/synthbench-NAME appears whole or not at all; nothing is overwritten.
    """
    from rich.console import Console
    from rich.markup import escape

    from synthbench.registry.registry import installed
    from synthbench.scaffold import check_names, write_plugin

    if reads is not None and kind is not PluginKind.model:
        raise ConfigurationError(f"--input says what a model reads, and this is a new {kind.value}")
    reads = reads or ModelInput.signs
    written = write_plugin(kind.value, check_names(name, installed()), folder, reads.value)
    console = Console(highlight=False)
    total = sum(written.lines.values())
    console.print(
        f"[bold]{escape(str(written.folder))}[/]: {len(written.lines)} files, {total} lines"
    )
    for path, lines in written.lines.items():
        console.print(f"{lines:>5}  {escape(path)}", style="dim")
    console.print("\nnext:")
    for command in _next_commands(kind, written, reads):
        console.print(f"  {escape(command)}", soft_wrap=True)


def _next_commands(kind: PluginKind, written: WrittenPlugin, reads: ModelInput) -> list[str]:
    names = written.names
    use = {
        PluginKind.task: f"synthbench eval {names.suite}",
        PluginKind.model: f"synthbench eval {MEASURED_ON[reads]} --model {names.name}",
        PluginKind.probe: "synthbench eval --task 'sparse-parity n=20 k=2' --model mlp "
        f"--probe {names.name}",
        PluginKind.optimizer: f"synthbench eval quickstart --model 'mlp optimizer={names.name}'",
        PluginKind.study: f"synthbench study run {names.name}",
    }
    folder = shlex.quote(str(written.folder))
    return [f"cd {folder}", "pip install -e '.[test]' && pytest", use[kind]]
