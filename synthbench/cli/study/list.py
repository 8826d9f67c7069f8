"""`synthbench study list`: the paper studies that are installed."""

from __future__ import annotations


def list_command() -> None:
    """List the paper studies that plugins provide."""
    from rich.console import Console
    from rich.markup import escape

    from synthbench.registry.kinds import STUDY
    from synthbench.registry.registry import installed
    from synthbench.results.terminal_table import word_table

    registry = installed()
    console = Console(highlight=False)
    table = word_table(("study", "claims"), "what it repeats", "from")
    for name, plugin in sorted(registry.names(STUDY).items()):
        study = registry.study(name)
        what = f"{study.title}\n{study.paper}"
        table.add_row(*map(escape, (name, str(len(study.claims)), what, plugin.distribution)))
    console.print(table)
    for line in registry.host.absent():
        console.print(f"[yellow]warning:[/] {escape(line)}", soft_wrap=True)
