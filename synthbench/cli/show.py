"""`synthbench show NAME`: everything about one task, model, probe, tracker, launcher or suite."""

from __future__ import annotations

from inspect import getdoc
from typing import TYPE_CHECKING, Annotated, Any, Literal, get_args, get_origin

import typer

from synthbench.errors import UnknownNameError, did_you_mean

if TYPE_CHECKING:
    from pydantic import BaseModel
    from rich.console import Console

    from synthbench.contracts.configuration import Configuration
    from synthbench.contracts.task import Task
    from synthbench.plan.suite import Suite
    from synthbench.registry.kinds import Kind
    from synthbench.registry.registry import Registry


def show_command(
    name: Annotated[str, typer.Argument(help="A name, or a reference: 'sparse-parity n=30'.")],
) -> None:
    """Show fields, defaults, interface, references, source and paper."""
    from rich.console import Console

    from synthbench.registry.kinds import KINDS, SUITE
    from synthbench.registry.reference import split_reference
    from synthbench.registry.registry import installed

    registry = installed()
    console = Console(highlight=False)
    word, _ = split_reference(name)
    kinds = registry.kinds_of(word)
    if not kinds:
        known = [name for kind in KINDS for name in registry.names(kind)]
        absent = "".join(f"\n  {line}" for line in registry.host.absent())
        raise UnknownNameError(
            f'nothing is called "{word}"{did_you_mean(word, known)} (synthbench list){absent}'
        )
    for kind in kinds:
        if kind == SUITE:
            _show_suite(console, registry.suite(word))
        else:
            _show_configuration(console, registry, kind, name, word)


def _show_configuration(
    console: Console, registry: Registry, kind: Kind[Any], reference: str, word: str
) -> None:
    from synthbench.contracts.model import Model
    from synthbench.contracts.task import Task

    found, plugin = registry.find(kind, word), registry.names(kind)[word]
    _heading(console, kind.word, word, getdoc(found) or "")
    _fact(console, "from", f"{plugin.distribution} {plugin.distribution_version}")
    if found.paper:
        _fact(console, "paper", found.paper)
    if issubclass(found, Task):
        _show_task(console, registry.task(reference))
    if issubclass(found, Model):
        _fact(console, "takes", ", ".join(port.__name__.lower() for port in found.inputs))
        _fact(console, "returns", ", ".join(port.__name__.lower() for port in found.outputs))
    console.print()
    _print_fields(console, found)


def _show_task(console: Console, task: Task) -> None:
    from synthbench.plan.task_facts import own_train_rows

    exact = ", ".join(f"{name} {score:.4g}" for name, score in task.exact_scores().items())
    _fact(console, "interface", task.interface.describe())
    _fact(console, "references", exact or "none has an exact score")
    if task.ceiling != "optimal":
        _fact(console, "ceiling", f"{task.ceiling}: progress is relative to it")
    _fact(console, "losses", ", ".join(task.losses()))
    if (rows := own_train_rows(task, 0)) is not None:
        _fact(console, "trained on", f"{rows:,} examples of its own")
    sets = [_test_set(task, name) for name in task.test_sets()]
    if len(sets) > 1 or "every" in sets[0]:
        for text in sets:
            _fact(console, "test set", text)


def _test_set(task: Task, name: str) -> str:
    """`length-80 (ranked): fresh examples; tokens ... -> token logits ...`."""
    sets = task.test_sets()
    found, first = sets[name], next(iter(sets))
    ranked = " (ranked)" if name == first else ""
    drawn = "fresh examples" if found.whole is None else "every example once"
    other = f"; {found.interface.describe()}" if found.interface is not None else ""
    return f"{name or 'held-out'}{ranked}: {drawn}{other}"


def _print_fields(console: Console, config: type[Configuration]) -> None:
    from pydantic import BaseModel

    own = {key: field.default for key, field in config.model_fields.items()}
    nested = {key: value for key, value in own.items() if isinstance(value, BaseModel)}
    flat = {key: value for key, value in own.items() if key not in nested}
    if flat:
        _print_table(console, "field", config, flat)
    for key, defaults in nested.items():
        _print_table(console, key, type(defaults), dict(defaults))


def _print_table(
    console: Console, heading: str, config: type[BaseModel], defaults: dict[str, Any]
) -> None:
    from rich.markup import escape

    from synthbench.results.terminal_table import word_table

    table = word_table((heading, "default"), "meaning")
    # Tables of one class lie below one another.
    table.columns[0].min_width, table.columns[1].min_width = 16, 9
    for key, default in defaults.items():
        field = config.model_fields[key]
        allowed = _allowed(field.annotation)
        meaning = field.description or ""
        meaning += f" One of: {', '.join(allowed)}." if allowed else ""
        table.add_row(key, escape(str(default).lower()), escape(meaning))
    console.print(table)


def _allowed(annotation: Any) -> list[str]:
    """The words that a field takes, names of installed optimizers among them."""
    from synthbench.contracts.recipe import Optimizer
    from synthbench.registry.kinds import OPTIMIZER
    from synthbench.registry.registry import installed

    if annotation is Optimizer:
        return list(installed().names(OPTIMIZER))
    parts = get_args(annotation)
    if get_origin(annotation) is Literal:
        return [part for part in parts if isinstance(part, str)]
    return [word for part in parts for word in _allowed(part)]


def _show_suite(console: Console, suite: Suite) -> None:
    from synthbench.metrics.formatting import format_count

    _heading(console, "suite", f"{suite.name} (version {suite.version})", suite.description.strip())
    _fact(console, "seeds", str(suite.seeds))
    _fact(console, "models", "; ".join(suite.models))
    if suite.probes:
        _fact(console, "probes", "; ".join(suite.probes))
    for cell in suite.cells:
        _fact(console, "cell", f"{cell.task}, budget {format_count(cell.budget)} samples")


def _heading(console: Console, kind: str, name: str, text: str) -> None:
    from rich.markup import escape

    # Join the lines of each paragraph, which were wrapped for another width.
    paragraphs = [" ".join(paragraph.split()) for paragraph in text.split("\n\n")]
    console.print(f"[bold]{escape(name)}[/] ({kind})\n")
    console.print(escape("\n\n".join(paragraphs)) + "\n")


def _fact(console: Console, name: str, value: str) -> None:
    from rich.markup import escape

    console.print(f"[dim]{name:>10}[/]  {escape(value)}")
