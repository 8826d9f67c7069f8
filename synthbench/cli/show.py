"""`synthbench show NAME`: everything about what has a name, or about a field."""

from __future__ import annotations

from inspect import getdoc
from typing import TYPE_CHECKING, Annotated, Any

import typer

from synthbench.cli.completion import complete_anything
from synthbench.cli.fact_sheet import fact, heading
from synthbench.errors import UnknownNameError, did_you_mean

if TYPE_CHECKING:
    from pydantic import BaseModel
    from rich.console import Console

    from synthbench.contracts.configuration import Configuration
    from synthbench.contracts.preset import Preset
    from synthbench.contracts.task import Task
    from synthbench.plan.suite import Suite
    from synthbench.registry.kinds import Kind
    from synthbench.registry.registry import Registry


def show_command(
    name: Annotated[
        str,
        typer.Argument(
            help="A name, a reference such as 'sparse-parity n=30', or a field such as lr.",
            autocompletion=complete_anything,
        ),
    ],
) -> None:
    """Show fields, defaults, interface, references, source and paper."""
    from rich.console import Console

    from synthbench.cli.show_field import show_built_in, show_field
    from synthbench.cli.study.fact_sheet import print_study_sheet
    from synthbench.contracts.elementwise import ELEMENTWISE
    from synthbench.registry.explained import field_names
    from synthbench.registry.kinds import KINDS, STUDY, SUITE
    from synthbench.registry.reference import split_reference
    from synthbench.registry.registry import installed

    registry = installed()
    console = Console(highlight=False)
    word = split_reference(name).name
    kinds, fields = registry.kinds_of(word), field_names(registry)
    # `--first-seed` is a flag, `optimizer.momentum` a field of a part.
    field = word.rpartition(".")[2].replace("-", "_")
    if word in ELEMENTWISE:
        show_built_in(console, registry, word)
    elif not kinds and field in fields:
        show_field(console, registry, field)
    elif not kinds:
        known = [name for kind in KINDS for name in registry.names(kind)]
        known += [*ELEMENTWISE, *fields]
        absent = "".join(f"\n  {line}" for line in registry.host.absent())
        raise UnknownNameError(
            f'nothing is called "{word}"{did_you_mean(word, known)} (synthbench list){absent}'
        )
    for kind in kinds:
        if kind == SUITE:
            _show_suite(console, registry.suite(word))
        elif kind == STUDY:
            print_study_sheet(console, registry.study(word), word)
        else:
            _show_configuration(console, registry, kind, name, word)


def _show_configuration(
    console: Console, registry: Registry, kind: Kind[Any], reference: str, word: str
) -> None:
    from synthbench.contracts.model import Model
    from synthbench.contracts.task import Task

    found, plugin = registry.find(kind, word), registry.names(kind)[word]
    # What cannot be read is refused before half a page is printed; by itself a name is no mistake.
    task = registry.task(reference) if issubclass(found, Task) else None
    if task is None and reference.split() != [word]:
        registry.get(kind, reference)
    heading(console, kind.word, word, getdoc(found) or "")
    fact(console, "from", f"{plugin.distribution} {plugin.distribution_version}")
    if found.paper:
        fact(console, "paper", found.paper)
    if task is not None:
        _show_task(console, task)
    if issubclass(found, Model):
        fact(console, "takes", ", ".join(port.__name__.lower() for port in found.inputs))
        fact(console, "returns", ", ".join(port.__name__.lower() for port in found.outputs))
    console.print()
    _print_fields(console, found)


def _show_task(console: Console, task: Task) -> None:
    from synthbench.plan.task_facts import own_train_rows

    exact = ", ".join(f"{name} {score:.4g}" for name, score in task.exact_scores().items())
    fact(console, "interface", task.interface.describe())
    fact(console, "references", exact or "none has an exact score")
    if task.ceiling != "optimal":
        fact(console, "ceiling", f"{task.ceiling}: progress is relative to it")
    fact(console, "losses", ", ".join(task.losses()))
    if (rows := own_train_rows(task, 0)) is not None:
        fact(console, "trained on", f"{rows:,} examples of its own")
    for name, preset in task.presets.items():
        fact(console, "preset", _preset(name, preset))
    sets = [_test_set(task, name) for name in task.test_sets()]
    if len(sets) > 1 or "every" in sets[0]:
        for text in sets:
            fact(console, "test set", text)


def _preset(name: str, preset: Preset) -> str:
    """`small: n=20 k=3; baseline mlp width=100, 160k samples`."""
    from synthbench.metrics.formatting import format_count

    baseline = [] if preset.model is None else [f"baseline {preset.model}"]
    amounts = {
        "budget": "{} samples",
        "train_samples": "{} different ones",
        "evaluation_samples": "{} held out",
    }
    own = [amounts[key].format(format_count(value)) for key, value in preset.protocol().items()]
    trained = ", ".join([*baseline, *own])
    return "; ".join(
        part for part in (f"{name}: {preset.fields or 'the defaults'}", trained) if part
    )


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

    from synthbench.registry.explained import allowed_values, allowed_words, default_text
    from synthbench.registry.registry import installed
    from synthbench.results.terminal_table import word_table

    table = word_table((heading, "default"), "meaning")
    # Tables of one class lie below one another.
    table.columns[0].min_width, table.columns[1].min_width = 16, 9
    for key, default in defaults.items():
        field = config.model_fields[key]
        meaning = " ".join((field.description or "").split())
        if allowed_words(installed(), field.annotation):
            meaning += f" Allowed: {allowed_values(installed(), field)}."
        table.add_row(key, escape(default_text(default)), escape(meaning))
    console.print(table)


def _show_suite(console: Console, suite: Suite) -> None:
    from synthbench.metrics.formatting import format_count

    heading(console, "suite", f"{suite.name} (version {suite.version})", suite.description.strip())
    fact(console, "seeds", str(suite.seeds))
    fact(console, "models", "; ".join(suite.models))
    if suite.probes:
        fact(console, "probes", "; ".join(suite.probes))
    for cell in suite.cells:
        fact(console, "cell", f"{cell.task}, budget {format_count(cell.budget)} samples")
