"""Suites: what is read, what is refused, what the hash covers."""

from __future__ import annotations

from pathlib import Path

import pytest

from synthbench.errors import ConfigurationError
from synthbench.evaluation.planning import plan_suite
from synthbench.plan.suite import read_suite, suite_protocol
from synthbench.registry.kinds import SUITE
from synthbench.registry.registry import installed

TEXT = """
name = "one"
version = 1
title = "One"
description = "Words."
seeds = 4
models = ["mlp width=8", "mlp"]
probes = ["weight-movement"]
columns = ["plateau", "lead"]
lead = "weight-movement/l2"

[[cells]]
task = "sparse-parity n=8 k=2"
budget = 6400
"""

# A change of one of these is a change of the suite: raise its version, then this hash.
PUBLISHED = """
feature-learning-quick 1 c68ea26a5f9376a94e08ddd4c52a05cc5460754019cae9b39d8c0c54a51804cc
feature-learning-v1 1 f782a9985502a506b30c9c40fde10dd86f7c26d87384deb98d066af741c61b52
feature-learning-v1-large 1 6fb39b0cc14ea5c9a33b879ba9ba922c05982979d68635dad0d09fe1262cd344
feature-learning-v2 1 8e4b0be7305aa4204e64538dfb44591c55d6f2ea20de3ff993d90233af07b665
feature-learning-v2-large 1 228ac57f41f5ee5c0cf1f6b0d7d2a41599152eff9e1f1b45dfbfa20abe3d3ebe
grokking-quick 1 6af305d63bbaf0f8bc5bdbcd19a312ac83d6a1283b470ed39384071e522b7d31
grokking-v1 1 392fd8bb4ce19c6e19b1c391c19d11e0620e4a04105834bc31f416f8c9ba31ef
grokking-v1-large 1 09d475dff1d2d8108bc0c3396d8f2542a179beae690fafb8a67609d96eb4a722
in-context-learning-quick 1 63fce20c6229c117f3d2443f66d858b8f828efa23320c49d6e3de301cc92326d
in-context-learning-v1 1 899b815d662c455c310307b41b9fb8db29d3d320e7d6de3ecc3ce20922538bac
in-context-learning-v1-large 1 9bb5a1b7399c4de1487c81bb7d88a26b7b265f01b5631f8e5ca036ff504448b4
in-context-quick 1 47175d0408a231b03be2e38a1424f8c8cfe77818107047dfae535ac8b10bdeea
in-context-v1 1 24ed340ed685bf6ed41d2b7777b435288ff51ac3159f3765d5e8e26c6daa051a
in-context-v1-large 1 1ab956c2490e66caf541268be333232d735f7352756e2aeba545b0105b3802e8
in-context-v2 1 4ce56548ef618c68a8a80fa7cfc2d8f99a63682750488d92035d1442fdf891b9
quickstart 1 b24c75635fef7225b3c44205b92aa2063136dd108b93c190b467d3a2beb8b86b
recall-quick 1 81bd21b5f68e4351695b87d1c3e25eb6bdba20b2fd0fe1948f69c1db42c9b826
recall-v1 1 7f87998e885d2bde0c2e0d8b005b40b9cfc638b6957a78d3f5a5dd158b22af99
recall-v1-large 1 4144f9fc26c5e8022b936e7dfa44fd50c840816b305efd4168705c469adbf1de
state-tracking-quick 1 844fab708aecf2c0b4d8d279b6b74f9945da04f13a07245cdb3d5807298cae3e
state-tracking-v1 1 6efc2bf881eeb3c8cafb7f6bd331aaecf562406a465982b0fbcbd648babae921
state-tracking-v1-large 1 36d45780dc1e08bcc6adffbce03977d14d8481cf327a0e7033a693c35f792e4b
"""


def write(folder: Path, text: str) -> Path:
    (folder / "suite.toml").write_text(text)
    return folder / "suite.toml"


def test_published_suites_do_not_change_unnoticed() -> None:
    registry = installed()
    suites = [registry.suite(name) for name in registry.names(SUITE)]
    assert [f"{s.name} {s.version} {s.hash()}" for s in suites] == PUBLISHED.split("\n")[1:-1]


def test_every_bundled_suite_can_be_planned_with_its_own_models() -> None:
    registry = installed()
    for name in registry.names(SUITE):
        suite = registry.suite(name)
        for cell in plan_suite(suite, [*suite.models, suite.reference]):
            cell.check()


def test_a_preset_is_no_cell_of_a_suite(tmp_path: Path) -> None:
    """What it stands for may change; what a published suite measures may not."""
    suite = read_suite(write(tmp_path, TEXT.replace("n=8 k=2", "small")))
    with pytest.raises(ConfigurationError, match="names a preset, 'sparse-parity small'; write"):
        plan_suite(suite, suite.models)


def test_the_reference_is_the_first_model_unless_named(tmp_path: Path) -> None:
    assert read_suite(write(tmp_path, TEXT)).reference == "mlp width=8"
    named = TEXT.replace("seeds = 4", 'seeds = 4\nreference = "mlp"')
    assert read_suite(write(tmp_path, named)).reference == "mlp"


@pytest.mark.parametrize(
    ("old", "new", "same"),
    [
        ("Words.", "Other words.", True),
        ('"One"', '"Uno"', True),
        (', "mlp"]', "]", True),
        ("seeds = 4", "seeds = 5", False),
        ("budget = 6400", "budget = 6401", False),
        ("n=8", "n=9", False),
        ('"plateau", ', "", False),
        ("version = 1", "version = 2", False),
        ("seeds = 4", "seeds = 4\nevaluation_samples = 512", False),
        ("seeds = 4", 'seeds = 4\nreference = "mlp"', False),
    ],
)
def test_the_hash_covers_what_decides_the_numbers(
    old: str, new: str, same: bool, tmp_path: Path
) -> None:
    before = read_suite(write(tmp_path, TEXT)).hash()
    assert old in TEXT
    assert (read_suite(write(tmp_path, TEXT.replace(old, new))).hash() == before) == same


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("seeds = 4", "seeds = 0", "seeds: input should be greater than or equal to 1"),
        ("seeds = 4", "seeds = 4\nsed = 1", "sed: extra inputs are not permitted"),
        ('lead = "weight-movement/l2"', "", "go together"),
        ("weight-movement/l2", "other/l2", "must be a value of one of the suite's probes"),
        ('"lead"', '"height"', "columns.1"),
        ('name = "one"', 'name = "../one"', "name: string should match pattern"),
        ("[[cells]]", "[[cells", "cannot read the suite file"),
        ('["mlp width=8", "mlp"]', "5", "models: input should be"),
        ('["mlp width=8", "mlp"]', "{ a = 1 }", "models: input should be"),
        ('["weight-movement"]', '[" "]', "suite.toml: lead = weight-movement/l2 must be"),
    ],
)
def test_a_wrong_suite_file_is_one_clear_line(
    old: str, new: str, message: str, tmp_path: Path
) -> None:
    with pytest.raises(ConfigurationError) as caught:
        read_suite(write(tmp_path, TEXT.replace(old, new)))
    assert message in str(caught.value)


def test_the_protocol_is_the_suites_and_budgets_are_its_cells(tmp_path: Path) -> None:
    suite = read_suite(write(tmp_path, TEXT))
    (cell,) = plan_suite(suite, ["mlp"])
    assert (cell.protocol.seeds, cell.protocol.budget) == (4, 6400)
    assert [probe.name for probe in cell.probes] == ["weight-movement"]
    (other,) = plan_suite(suite, ["mlp"], suite_protocol(suite, {"seeds": 2, "budget": 640}))
    assert (other.protocol.seeds, other.protocol.budget) == (2, 640)
