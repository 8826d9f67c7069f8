"""A grid of a paper study that is measured: measurements as people write them, and seeds."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any

from pydantic import Field, ValidationError

from synthbench.contracts.frozen import Frozen
from synthbench.errors import ConfigurationError, first_mistake
from synthbench.plan.study.file import Entries
from synthbench.plan.study.toml_source import TomlSource

MEASUREMENTS = "measurements"
"""The key that tells such a grid from one of cells."""


class MeasuredFile(Frozen):
    """What a paper study says of a grid that is measured."""

    measurements: Annotated[Entries, Field(min_length=1)] = ()
    """References such as 'parity-search algorithm=[brute-force,elimination] n=20', or tables."""
    seeds: Annotated[int, Field(ge=1)] = 16
    """Seeds of every configuration, from 0."""

    def changed(self, changes: Mapping[str, Any]) -> MeasuredFile:
        """With other values of some keys; ConfigurationError for one that is not allowed."""
        try:
            return MeasuredFile.model_validate({**self.model_dump(exclude_unset=True), **changes})
        except ValidationError as error:
            where, message, given = first_mistake(error)
            raise ConfigurationError(f"{where} = {given!r}: {message}") from None


def parse_measured(source: TomlSource) -> MeasuredFile:
    """The measured grid of a table; ConfigurationError, with the line, for a wrong key or value.

    References are not looked up: which names there are is not known here.
    """
    source.refuse_keys_beyond(MeasuredFile.model_fields, "a grid that is measured")
    return source.read_as(MeasuredFile)
