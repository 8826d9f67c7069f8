"""What the tuned track holds fixed: the classes that make a network."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any


def architecture_of(model_plan: Mapping[str, Any]) -> str:
    """A model's name with those of the parts it is made of: `transformer mixer=gla`.

    Their fields and the recipe may be chosen for each cell of a suite, and so are no part of it.
    """
    parts = [
        f"{field}={value['name']}"
        for field, value in model_plan.items()
        if field != "recipe" and isinstance(value, Mapping) and "name" in value
    ]
    return " ".join([model_plan["name"], *parts])
