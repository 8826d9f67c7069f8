"""Tasks with a fault in what is known about them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar

from pydantic import Field

import synthbench as sb
from tests.testing.tasks.sound import Dictator


class NoSource(Dictator):
    """A known algorithm out of nowhere."""

    def known_algorithms(self) -> Mapping[str, sb.KnownAlgorithm]:
        return {"guess": sb.KnownAlgorithm(1.0, 1.0, "")}


class ManyTrials(Dictator):
    """A field at a bound, with a known algorithm that takes forever."""

    n: int = Field(default=6, ge=6)

    def known_algorithms(self) -> Mapping[str, sb.KnownAlgorithm]:
        return {"search": sb.KnownAlgorithm(float("inf"), 1.0, "nowhere")}


class NoSuchBaseline(Dictator):
    """A preset whose baseline nobody has."""

    presets: ClassVar[Mapping[str, sb.Preset]] = {"small": sb.Preset("", "mpl")}


STATEMENT_FAULTS: dict[type[sb.Task], str] = {
    NoSource: "known-algorithms-have-sources",
    ManyTrials: "known-algorithms-have-sources",
    NoSuchBaseline: "presets-can-be-trained",
}
"""Fault -> the law that must find it."""
