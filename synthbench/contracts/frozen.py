"""What configurations and records have in common: fields that are known and stay as they are."""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict


class Frozen(BaseModel):
    """A pydantic model that cannot be changed, refuses unknown fields and holds finite numbers.

    The string below a field is its description in the schema.
    """

    model_config = ConfigDict(
        frozen=True, extra="forbid", allow_inf_nan=False, use_attribute_docstrings=True
    )
