"""`synthbench study list`: the paper studies that are installed."""

from __future__ import annotations

import re

IDENTIFIER = re.compile(r"arXiv:[\w./-]*\w|doi:[\w./()-]*\w")


def list_command() -> None:
    """List the paper studies that plugins provide."""
    from rich.console import Console
    from rich.markup import escape

    from synthbench.registry.kinds import STUDY
    from synthbench.registry.registry import installed
    from synthbench.results.terminal_table import word_table

    registry = installed()
    console = Console(highlight=False)
    found = sorted(registry.names(STUDY).items())
    # All are of one distribution until somebody installs another.
    of_others = len({plugin.distribution for _, plugin in found}) > 1
    table = word_table(("study", "claims"), "what it repeats", *["from"] * of_others)
    for name, plugin in found:
        study = registry.study(name)
        what = f"{study.title}\n{where_to_find(study.paper)}"
        row = (name, str(len(study.claims)), what, *[plugin.distribution] * of_others)
        table.add_row(*map(escape, row))
    console.print(table)
    for line in registry.host.absent():
        console.print(f"[yellow]warning:[/] {escape(line)}", soft_wrap=True)


def where_to_find(paper: str) -> str:
    """The identifiers in what a study says of its papers; all of it where there are none."""
    return ", ".join(dict.fromkeys(IDENTIFIER.findall(paper))) or paper
