"""A slot for the mixer of a family: what puts it into a trunk other than the common one."""

from __future__ import annotations

from typing import Annotated, Any, TypeAlias

from pydantic import AfterValidator, InstanceOf, PlainSerializer

from synthbench.trunk.model import SequenceModel


def _is_a_mixer_alone(family: SequenceModel) -> SequenceModel:
    """Refuse what belongs to a trunk: the model that has the slot has its own."""
    own = family.fields_as_part()
    for key, field in type(family).model_fields.items():
        if key not in own and getattr(family, key) != field.default:
            raise ValueError(
                f"{family.name} is there for its mixer alone, and {key} is no field of that; "
                "set it on the model that takes the mixer"
            )
    return family


def _described(family: SequenceModel) -> dict[str, Any]:
    fields = family.model_dump(mode="json", include=set(family.fields_as_part()))
    return {"name": family.name, "version": family.version, **fields}


Mixer: TypeAlias = Annotated[
    InstanceOf[SequenceModel],
    AfterValidator(_is_a_mixer_alone),
    PlainSerializer(_described),
]
"""A field that takes a family of sequence models for its mixer: `mixer: Mixer | None = None`.

In a reference it is `mixer=gla mixer.rank=4`, in Python `mixer=GatedLinearAttention(rank=4)`. The
family's own width, layers, recipe and the rest of its trunk stay at their defaults: the model with
the slot has its own, and asks for a mixer that fits them by `SequenceModel.sized`.
"""
