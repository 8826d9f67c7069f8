"""Fields of a recipe and of its optimizer, which a model's reference writes beside the model's."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

from pydantic.fields import FieldInfo

from synthbench.contracts.configuration import Configuration
from synthbench.contracts.recipe import ELEMENTWISE, Optimizer, Recipe
from synthbench.errors import ConfigurationError
from synthbench.registry.reference import refuse_unknown_field, validated

OPTIMIZER_PREFIX = "optimizer."
"""Before a field of the recipe's optimizer, in a model's reference."""


def nest_recipe(
    cls: type[Configuration],
    fields: Mapping[str, object],
    find_optimizer: Callable[[str], type[Optimizer]],
) -> dict[str, object]:
    """Move the recipe's fields into the recipe, and those of the optimizer into the optimizer.

    find_optimizer: the class of a plugin's optimizer, by its name. Raises ConfigurationError for
    a field of neither.
    """
    own, recipe = cls.model_fields, default_recipe(cls)
    dotted = {k: v for k, v in fields.items() if k.startswith(OPTIMIZER_PREFIX)}
    for key in fields:
        if not (key in dotted and recipe is not None):
            refuse_unknown_field(cls.name, key, list(written_fields(cls)))
    nested = {key: value for key, value in fields.items() if key in own}
    changes = {k: v for k, v in fields.items() if k not in own and k not in dotted}
    if recipe is not None and (changes or dotted):
        wanted = changes.get("optimizer")
        changes |= _chosen_optimizer(recipe, wanted, dotted, find_optimizer)
        nested["recipe"] = validated(type(recipe), cls.name, {**dict(recipe), **changes})
    return nested


def default_recipe(cls: type[Configuration]) -> Recipe | None:
    """That of a model, unless its reference changes it; None for what is not trained."""
    own = cls.model_fields
    return own["recipe"].default if "recipe" in own else None


def written_fields(
    cls: type[Configuration], parts: Mapping[str, Sequence[type[Configuration]]] | None = None
) -> dict[str, FieldInfo]:
    """Everything that a reference may set, by the name that it has there.

    parts: what may stand in a field such as optimizer or mixer, whose own fields are among them.
    """
    recipe = default_recipe(cls)
    own = {key: field for key, field in cls.model_fields.items() if key != "recipe"}
    inside = type(recipe).model_fields if recipe is not None else {}
    dotted = {
        f"{part}.{key}": config.model_fields[key]
        for part, configs in (parts or {}).items()
        for config in configs
        for key in config.fields_as_part()
    }
    return {**own, **{key: field for key, field in inside.items() if key not in own}, **dotted}


def _chosen_optimizer(
    recipe: Recipe,
    wanted: object,
    dotted: Mapping[str, object],
    find_optimizer: Callable[[str], type[Optimizer]],
) -> dict[str, object]:
    """The recipe's optimizer where a reference names a plugin's, or changes its fields."""
    chosen = recipe.optimizer if wanted is None else wanted
    if chosen in ELEMENTWISE or not isinstance(chosen, str | Optimizer):
        if dotted:
            raise ConfigurationError(
                f'"{next(iter(dotted))}" needs an optimizer of a plugin, and this is {chosen} '
                "(synthbench list optimizers)"
            )
        return {}
    found = find_optimizer(chosen) if isinstance(chosen, str) else type(chosen)
    start = {} if isinstance(chosen, str) else dict(chosen)
    own = {key.removeprefix(OPTIMIZER_PREFIX): value for key, value in dotted.items()}
    for key in own:
        refuse_unknown_field(found.name, key, list(found.model_fields))
    return {"optimizer": validated(found, found.name, {**start, **own})}
