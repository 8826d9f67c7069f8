"""What a new plugin may be called."""

from __future__ import annotations

from importlib.metadata import EntryPoint

import pytest

from synthbench.errors import ConfigurationError
from synthbench.registry.host import PluginHost
from synthbench.registry.kinds import NAME_PATTERN
from synthbench.registry.registry import Registry, installed
from synthbench.scaffold import check_names


def test_everything_follows_from_the_name() -> None:
    names = check_names("coin-flips", installed())
    assert (names.distribution, names.package) == ("synthbench-coin-flips", "synthbench_coin_flips")
    assert (names.class_name, names.suite) == ("CoinFlips", "coin-flips-v1")


@pytest.mark.parametrize(
    ("name", "suggestion"),
    [
        ("CoinFlips", "coin-flips"),
        ("coin_flips", "coin-flips"),
        ("Coin flips!", "coin-flips"),
        ("3-coins", "coins"),
        ("coin--flips-", "coin-flips"),
        ("../coin", "coin"),
        ("synthbench_coin_flips", "coin-flips"),
        ("synthbench-coin-flips", "coin-flips"),
        ("a" * 31, "a" * 30),
        ("", None),
        ("123", None),
        ("münzen", "munzen"),
        ("Größe", "grosse"),
    ],
)
def test_a_name_that_cannot_be_typed_is_refused(name: str, suggestion: str | None) -> None:
    with pytest.raises(ConfigurationError) as caught:
        check_names(name, installed())
    message = str(caught.value)
    if suggestion is None:
        assert "did you mean" not in message
    else:
        assert message.endswith(f'; did you mean "{suggestion}"?')
        assert NAME_PATTERN.fullmatch(suggestion)


@pytest.mark.parametrize(
    ("name", "reason"),
    [
        ("sparse-parity", "synthbench has a task of that name"),
        ("muon", "synthbench has an optimizer of that name"),
        ("quickstart", "synthbench has a suite of that name"),
        ("feature-learning", 'the suite "feature-learning-v1" is installed'),
        ("dynamics", "a plugin of that name is installed"),
        ("none", "its class would be None, which has a meaning already"),
        ("task", "its class would be Task, which has a meaning already"),
        ("runtime-error", "its class would be RuntimeError, which has a meaning already"),
        ("tensor", "its class would be Tensor, which has a meaning already"),
        ("fixed-steps", "its class would be FixedSteps, which has a meaning already"),
        ("any", "its class would be Any, which has a meaning already"),
        ("true", "its class would be True, which has a meaning already"),
    ],
)
def test_a_name_that_is_taken_is_refused(name: str, reason: str) -> None:
    with pytest.raises(ConfigurationError) as caught:
        check_names(name, installed())
    assert str(caught.value) == (
        f'a plugin cannot be called "{name}": {reason}; did you mean "my-{name}"?'
    )


def test_installed_modules_and_plugins_that_did_not_load_count() -> None:
    point = EntryPoint("brittle", "nowhere_at_all", "synthbench")
    registry = Registry(PluginHost.from_entry_points([point], ""))
    with pytest.raises(ConfigurationError, match="a plugin of that name is installed"):
        check_names("brittle", registry)
    with pytest.raises(ConfigurationError, match="the module synthbench_mlp is installed"):
        check_names("mlp", registry)
