"""`SYNTHBENCH_PLUGINS`: bundled plugins always load, of the others those that it names."""

from __future__ import annotations

from typing import ClassVar

import pytest

from synthbench.errors import UnknownNameError
from synthbench.registry.host import PluginHost
from synthbench.registry.registry import Registry
from tests.engine.authored import Plain
from tests.registry.points import FakePoint, load, plugin


class Other(Plain):
    """Another model."""

    name: ClassVar[str] = "other"


OURS = FakePoint("ours", plugin(register_models=[Plain]), "synthbench")
COIN = FakePoint("coin", plugin(register_models=[Other]), "Synthbench_Coin.Flips")
DICE = FakePoint("dice", plugin(), "synthbench-dice")


@pytest.mark.parametrize(
    ("wanted", "loaded"),
    [
        ("", ["ours", "coin", "dice"]),
        (" , ", ["ours", "coin", "dice"]),
        ("none", ["ours"]),
        ("coin", ["ours", "coin"]),
        ("synthbench-coin-flips", ["ours", "coin"]),
        ("coin, DICE", ["ours", "coin", "dice"]),
        ("ours", ["ours"]),
        ("ours,dice", ["ours", "dice"]),
    ],
)
def test_bundled_ones_always_load_and_the_named(wanted: str, loaded: list[str]) -> None:
    host = load(COIN, DICE, OURS, wanted=wanted)
    assert [p.name for p in host.plugins] == loaded and not host.failures
    left_out = [p.name for p in host.left_out]
    assert sorted(loaded + left_out) == ["coin", "dice", "ours"]


@pytest.mark.parametrize(
    ("wanted", "message"),
    [
        ("dicee", 'names "dicee", which is not installed; did you mean "dice"? (third-party '
                  "plugins: coin, dice)"),
        ("coin,synthbench-dic", 'did you mean "synthbench-dice"?'),
        ("none,coin", "SYNTHBENCH_PLUGINS=none,coin: say none alone, or name the plugins"),
    ],
)  # fmt: skip
def test_a_wrong_name_is_an_error(wanted: str, message: str) -> None:
    with pytest.raises(UnknownNameError) as caught:
        load(COIN, DICE, OURS, wanted=wanted)
    assert message in str(caught.value)


def test_what_was_left_out_does_not_even_import() -> None:
    assert not load(FakePoint("broken", ImportError("no")), wanted="none").failures


def test_the_environment_decides_by_default(monkeypatch) -> None:
    monkeypatch.setenv("SYNTHBENCH_PLUGINS", "dice")
    host = PluginHost.from_entry_points([COIN, DICE, OURS])
    assert [p.name for p in host.plugins] == ["ours", "dice"]


def test_an_unknown_name_says_what_was_left_out() -> None:
    registry = Registry(load(COIN, OURS, wanted="none"))
    with pytest.raises(UnknownNameError) as caught:
        registry.model("other")
    assert str(caught.value).splitlines() == [
        'unknown model "other" (synthbench list models)',
        "  left out by SYNTHBENCH_PLUGINS=none: coin",
    ]
