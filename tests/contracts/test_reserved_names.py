"""Names that mean something else are refused as a class is made."""

from __future__ import annotations

from typing import ClassVar

import pytest
from torch import Tensor

from synthbench.errors import ConfigurationError
from tests.testing.tasks.sound import Dictator


@pytest.mark.filterwarnings("ignore:Field name")
def test_names_that_mean_something_else_are_refused() -> None:
    with pytest.raises(ConfigurationError, match="`label` is a method of Configuration"):

        class Labels(Dictator):
            def label(self, world: Tensor, x: Tensor) -> Tensor:
                return x[:, world]

    with pytest.raises(ConfigurationError, match="`describe` is a method of Configuration"):

        class Describes(Dictator):
            describe: ClassVar[str] = "a task"

    with pytest.raises(ConfigurationError, match="field `dataset` has the name of a method"):

        class Tabular(Dictator):
            dataset: str = "digits"

    with pytest.raises(ConfigurationError, match="headline names fields, and `length` is not"):

        class Headed(Dictator):
            headline: ClassVar[tuple[str, ...]] = ("n", "length")

    with pytest.raises(ConfigurationError, match="sample_fields names fields, and `nosie` is not"):

        class Noisy(Dictator):
            sample_fields: ClassVar[tuple[str, ...]] = ("nosie",)


def test_a_label_of_ones_own_and_fields_that_are_declared_again_are_not() -> None:
    class Named(Dictator):
        headline: ClassVar[tuple[str, ...]] = ("n", "target")
        target: float = 0.5

        def label(self) -> str:
            return "named"

    assert Named().label() == "named"
