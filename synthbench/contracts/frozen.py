"""What configurations and records have in common: fields that are known and stay as they are."""

from __future__ import annotations

import os

from pydantic import BaseModel, ConfigDict


def _survive_broken_installations() -> None:
    """pydantic and torch look for plugins of their own, and fail where one package is damaged.

    pydantic does so once, at the first class, and torch when it is imported. Whose entry points
    cannot be read is named among SynthBench's plugins.
    """
    try:
        type("First", (BaseModel,), {})
    except Exception:
        os.environ.setdefault("TORCH_DEVICE_BACKEND_AUTOLOAD", "0")


_survive_broken_installations()


class Frozen(BaseModel):
    """A pydantic model that cannot be changed, refuses unknown fields and holds finite numbers.

    The string below a field is its description in the schema.
    """

    model_config = ConfigDict(
        frozen=True, extra="forbid", allow_inf_nan=False, use_attribute_docstrings=True
    )
