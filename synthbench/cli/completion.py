"""What the shell completes: names of what is installed, and the fields of a reference.

Each function takes the word so far and returns the whole words that it may become. Nothing here
imports torch, unless a plugin's root module does.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import typer

from synthbench.errors import SynthbenchError

if TYPE_CHECKING:
    from synthbench.contracts.configuration import Configuration
    from synthbench.registry.kinds import Kind
    from synthbench.registry.registry import Registry


def complete_suite(incomplete: str) -> list[str]:
    """Names of suites."""
    return _offered(lambda registry: list(registry.names(_kinds()["suite"])), incomplete)


def complete_submission(ctx: typer.Context, incomplete: str) -> list[str]:
    """Names of submissions of the suite that was typed before."""
    suite = ctx.params.get("suite") or ""
    return _offered(lambda registry: _submissions(registry, suite), incomplete)


def complete_study(incomplete: str) -> list[str]:
    """Names of paper studies."""
    return _offered(lambda registry: list(registry.names(_kinds()["study"])), incomplete)


def complete_task(incomplete: str) -> list[str]:
    """References of tasks: `sparse-parity`, then `sparse-parity n=`."""
    return _offered(lambda registry: _reference(registry, "task", incomplete), incomplete)


def complete_model(incomplete: str) -> list[str]:
    """References of models: the recipe's fields are among theirs."""
    return _offered(lambda registry: _reference(registry, "model", incomplete), incomplete)


def complete_probe(incomplete: str) -> list[str]:
    """References of probes."""
    return _offered(lambda registry: _reference(registry, "probe", incomplete), incomplete)


def complete_tracker(incomplete: str) -> list[str]:
    """References of trackers."""
    return _offered(lambda registry: _reference(registry, "tracker", incomplete), incomplete)


def complete_launcher(incomplete: str) -> list[str]:
    """References of launchers."""
    return _offered(lambda registry: _reference(registry, "launcher", incomplete), incomplete)


def complete_anything(incomplete: str) -> list[str]:
    """Whatever `synthbench show` explains: names of every kind, built-in optimizers, fields."""
    from synthbench.contracts.elementwise import ELEMENTWISE
    from synthbench.registry.explained import field_names

    return _offered(
        lambda registry: [*_names(registry), *ELEMENTWISE, *field_names(registry)], incomplete
    )


def complete_subject(incomplete: str) -> list[str]:
    """What `synthbench plugin check` takes: names of every kind, and of plugins."""
    return _offered(
        lambda registry: [*_names(registry), *(plugin.name for plugin in registry.host.plugins)],
        incomplete,
    )


def _submissions(registry: Registry, suite: str) -> list[str]:
    """In the folder that the suite comes with, and in `leaderboards/` here."""
    folders = [registry.suite(suite).folder, Path("leaderboards", suite)]
    pattern = "submissions/*/submission.json"
    return [path.parent.name for folder in folders for path in folder.glob(pattern)]


def _offered(words: Callable[[Registry], Iterable[str]], incomplete: str) -> list[str]:
    """Those that begin so; none where plugins cannot be read: a shell shows no errors."""
    from synthbench.registry.registry import installed

    try:
        found = words(installed())
    except SynthbenchError:
        return []
    return sorted({word for word in found if word.startswith(incomplete)})


def _kinds() -> dict[str, Kind[Any]]:
    from synthbench.registry.kinds import KINDS

    return {kind.word: kind for kind in KINDS}


def _names(registry: Registry) -> list[str]:
    return [name for kind in _kinds().values() for name in registry.names(kind)]


def _reference(registry: Registry, word: str, incomplete: str) -> list[str]:
    """Names; behind a name and a blank its presets, and its fields that are not written already.

    Where one field is left, also values of it: so that a shell does not close the quote yet.
    """
    from synthbench.registry.presets import presets_of
    from synthbench.registry.recipe_fields import written_fields

    kind = _kinds()[word]
    head, blank, begun = incomplete.rpartition(" ")
    if not blank:
        return list(registry.names(kind))
    name, *written = head.split()
    config = registry.find(kind, name)
    given = {token.partition("=")[0] for token in written}
    fields = [
        field
        for field in written_fields(config)
        if field not in given and f"{field}=".startswith(begun.partition("=")[0])
    ]
    exact = [field for field in fields if begun.startswith(f"{field}=")]
    found = exact or fields
    tokens = [f"{field}=" for field in found]
    if not written:
        tokens += [preset for preset in presets_of(config) if preset.startswith(begun)]
    if len(found) == 1:
        tokens += [f"{found[0]}={value}" for value in _values(registry, config, found[0])]
    return [f"{head} {token}" for token in tokens]


def _values(registry: Registry, config: type[Configuration], key: str) -> list[str]:
    """The default of a field, and the words that it takes."""
    from synthbench.registry.explained import allowed_words, default_text
    from synthbench.registry.recipe_fields import default_recipe, written_fields

    field, recipe = written_fields(config)[key], default_recipe(config)
    default = field.get_default(call_default_factory=True)
    if key not in config.model_fields:
        default = getattr(recipe, key)
    return [default_text(default), *allowed_words(registry, field.annotation)]
