"""`synthbench show lr`, `synthbench show adamw`: a field, and an optimizer that is built in."""

from __future__ import annotations

from typing import TYPE_CHECKING

from synthbench.cli.fact_sheet import fact, heading
from synthbench.cli.protocol_flags import FLAGS

if TYPE_CHECKING:
    from pydantic import BaseModel
    from pydantic.fields import FieldInfo
    from rich.console import Console

    from synthbench.registry.registry import Registry


def show_field(console: Console, registry: Registry, name: str) -> None:
    """What a field means wherever one of that name exists: recipe, protocol, anything installed."""
    from synthbench.contracts.recipe import Recipe
    from synthbench.plan.protocol import Protocol

    if name in Recipe.model_fields:
        _explain(console, registry, Recipe, name, "recipe field, of every model")
        fact(console, "written", f"beside a model's own: --model 'mlp {name}=...'")
        _print_other_defaults(console, registry, name)
        console.print()
    if name in Protocol.model_fields:
        _explain(console, registry, Protocol, name, "protocol field: how a cell is measured")
        flag = f"synthbench eval --{name.replace('_', '-')}"
        fact(console, "written", flag if name in FLAGS else f"in Python: Protocol({name}=...)")
        console.print()
    _print_uses(console, registry, name)


def show_built_in(console: Console, registry: Registry, name: str) -> None:
    """An optimizer of the core: its rule, the recipe's fields that it reads, and its source."""
    from rich.markup import escape

    from synthbench.contracts.elementwise import ELEMENTWISE, SHARED
    from synthbench.contracts.recipe import Recipe
    from synthbench.registry.explained import default_of
    from synthbench.results.terminal_table import word_table

    found = ELEMENTWISE[name]
    heading(console, "optimizer", name, f"{found.summary}\n\n{found.rule}")
    fact(console, "from", "synthbench, built in")
    fact(console, "paper", found.paper)
    fact(console, "written", f"--model 'mlp optimizer={name} {found.fields[0]}=...'")
    console.print()
    fields = Recipe.model_fields
    table = word_table(("field", "default"), "meaning")
    for key in (*found.fields, *SHARED):
        table.add_row(key, default_of(fields[key]), escape(_meaning(registry, fields[key])))
    console.print(table)


def _explain(
    console: Console, registry: Registry, config: type[BaseModel], name: str, what: str
) -> None:
    from synthbench.registry.explained import allowed_values, default_of

    field = config.model_fields[name]
    heading(console, what, name, field.description or "")
    fact(console, "default", default_of(field))
    fact(console, "allowed", allowed_values(registry, field))


def _print_other_defaults(console: Console, registry: Registry, name: str) -> None:
    """Models whose own recipe begins elsewhere."""
    from synthbench.registry.explained import default_text, recipe_defaults

    models: dict[str, list[str]] = {}
    for model, value in recipe_defaults(registry, name).items():
        models.setdefault(default_text(value), []).append(model)
    for index, (value, names) in enumerate(models.items()):
        fact(console, "" if index else "but", f"{value} for {', '.join(names)}")


def _print_uses(console: Console, registry: Registry, name: str) -> None:
    """A table for each kind of thing that has a field of that name; a row for all that agree."""
    from rich.markup import escape

    from synthbench.registry.explained import default_of, field_uses
    from synthbench.results.terminal_table import word_table

    owners: dict[str, dict[tuple[str, str], list[str]]] = {}
    for use in field_uses(registry, name):
        said = default_of(use.field), _meaning(registry, use.field)
        owners.setdefault(use.kind.plural, {}).setdefault(said, []).append(use.owner)
    for kind, rows in owners.items():
        table = word_table((f"{name} =",), kind, "meaning")
        for (default, meaning), names in rows.items():
            table.add_row(escape(default), ", ".join(names), escape(meaning))
        console.print(table)


def _meaning(registry: Registry, field: FieldInfo) -> str:
    from synthbench.registry.explained import allowed_values

    words = (field.description or "").split()
    return " ".join([*words, f"Allowed: {allowed_values(registry, field)}."])
