"""What `synthbench plugin check` and `pytest --synthbench` find under a name."""

from __future__ import annotations

from pathlib import Path

import pytest

import synthbench as sb
from synthbench.errors import ConfigurationError, UnknownNameError
from synthbench.registry.registry import Registry, installed
from synthbench.testing.subjects import find_subjects
from tests.registry.points import FakePoint, load, plugin, third_party
from tests.testing.probes.planted import SoundProbe


class Silent(sb.Tracker):
    """Says nothing."""

    name = "silent"

    def follow(self, cell: object, suite: object, folder: Path) -> sb.TrackedCell:
        raise NotImplementedError


@pytest.mark.parametrize("name", ["mine", "third-party", "sound-probe", "sound-probe scale=2"])
def test_a_plugin_a_distribution_or_a_reference_may_be_named(name: str) -> None:
    (subject,) = find_subjects(third_party(register_probes=[SoundProbe]), [name])
    assert subject.title == ("probe sound-probe" + (" scale=2" if "scale" in name else ""))
    assert subject.examination().subject.startswith("sound-probe")


def test_no_name_means_third_party_plugins() -> None:
    assert [s.title for s in find_subjects(third_party(register_probes=[SoundProbe]), [])] == [
        "probe sound-probe"
    ]
    with pytest.raises(Exception, match="no third-party plugin with a task, model"):
        find_subjects(Registry(load()), [])


def test_a_name_of_nothing_is_a_mistake_with_a_suggestion() -> None:
    with pytest.raises(Exception, match='did you mean "sparse-parity"'):
        find_subjects(installed(), ["sparse-party"])
    failed = load(FakePoint("mine", ImportError("no such library")))
    with pytest.raises(Exception, match=r'plugin "mine" of third-party .* was set aside'):
        find_subjects(Registry(failed), ["mine"])


def test_a_name_that_is_there_or_left_out_is_no_misspelling() -> None:
    registry = Registry(
        load(
            FakePoint("boards", plugin(register_trackers=[Silent])),
            FakePoint("mine", plugin(register_probes=[SoundProbe]), "another"),
            wanted="boards",
        )
    )
    with pytest.raises(ConfigurationError, match=r'"boards" .* no task, .* provides: trackers$'):
        find_subjects(registry, ["boards"])
    with pytest.raises(UnknownNameError, match=r"left out by SYNTHBENCH_PLUGINS=boards: mine"):
        find_subjects(registry, ["sound-probe"])
