"""Where the same bits are owed, and which ones are not."""

from __future__ import annotations

import pytest

from synthbench.leaderboard.verification.same_bits import other_bits, same_setup
from synthbench.records.schema import Distribution, Environment
from tests.leaderboard.verification.curves import trajectories

HERE = Environment(
    synthbench="1",
    python="3.11.7",
    torch="2.13.0+cpu",
    pytorch_lightning="2.6.6",
    platform="Linux-6.1.0-x86_64-with-glibc2.36",
    device="cpu",
    device_name="AMD EPYC (AVX512)",
    threads=1,
    plugins=(Distribution(plugin="mlp", distribution="synthbench", version="1"),),
)


def other(**changes: object) -> Environment:
    return HERE.model_copy(update=changes)


@pytest.mark.parametrize(
    ("changes", "same"),
    [
        ({}, True),
        ({"python": "3.12.1"}, True),
        ({"platform": "Linux-6.18.44-fc-v595-x86_64-with-glibc2.36"}, True),
        ({"platform": "Linux-6.1.0-x86_64-with-glibc2.31"}, False),
        ({"platform": "macOS-14.5-arm64-arm-64bit"}, False),
        ({"threads": 2}, False),
        ({"torch": "2.12.0+cpu"}, False),
        ({"synthbench": "2"}, False),
        ({"device_name": "AMD EPYC (AVX2)"}, False),
        ({"torch_settings": {"deterministic": True}}, False),
        ({"libraries": {"scikit-learn": "1.5"}}, False),
        (
            {"plugins": (Distribution(plugin="mlp", distribution="x", version="1+code.1a"),)},
            False,
        ),
        ({"plugins": (Distribution(plugin="else", distribution="x", version="3"),)}, True),
    ],
)
def test_what_the_last_bits_depend_on(changes: dict[str, object], same: bool) -> None:
    assert same_setup(other(**changes), HERE) == same


def test_nameless_processors_and_gpus_owe_no_bits() -> None:
    for changes in ({"device_name": "x86_64"}, {"device": "cuda", "device_name": "H100 (x)"}):
        assert not same_setup(other(**changes), other(**changes))


def test_the_first_bit_that_differs_is_named() -> None:
    found = trajectories({"loss": [3, 2, 1]}, {"loss": [3, 2, 1]}, {"loss": [3, 2, 1]})
    claimed = trajectories({"loss": [3, 2, 1]}, {"loss": [3, 2 + 1e-15, 0]}, {"loss": [3, 2]})
    assert other_bits(claimed, found, [0, 1, 2]) == [(1, "loss", 1), (2, "step", 1)]
    assert other_bits(claimed, found, [0]) == []
