"""Paper studies that plugins bring."""

from __future__ import annotations

from pathlib import Path

import pytest

from synthbench.errors import UnknownNameError
from synthbench.papers.reading import find_paper_study
from synthbench.registry.kinds import KINDS, STUDY
from synthbench.registry.registry import Registry
from tests.papers.conftest import STUDY as TEXT
from tests.papers.stand_in import stand_in_claims
from tests.registry.points import FakePoint, load, plugin, third_party

__all__ = ["stand_in_claims"]


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "plateaus.toml"
    path.write_text(TEXT)
    return path


@pytest.mark.usefixtures("stand_in_claims")
def test_a_third_party_brings_a_study(file: Path) -> None:
    registry = third_party(register_studies=[file])
    assert list(registry.names(STUDY)) == ["plateaus"]
    assert registry.kinds_of("plateaus") == [STUDY]
    study = find_paper_study("plateaus", registry)
    assert study == registry.study("plateaus") and study.path == file
    with pytest.raises(UnknownNameError, match='unknown study "plateau"; did you mean "plateaus"'):
        find_paper_study("plateau", registry)


def test_a_file_that_is_wrong_sets_its_plugin_aside(file: Path) -> None:
    file.write_text(TEXT.replace("summary", "sumary"))
    host = load(FakePoint("mine", plugin(register_studies=[file])))
    (failure,) = host.failures
    assert f"{file}:3: sumary: a paper study has no such key" in failure.error
    host = load(FakePoint("mine", plugin(register_studies=["/nowhere.toml"])))
    assert "cannot read /nowhere.toml" in host.failures[0].error


def test_a_study_that_is_there_already(file: Path) -> None:
    first = FakePoint("first", plugin(register_studies=[file]), "a-distribution")
    second = FakePoint("second", plugin(register_studies=[file]), "b-distribution")
    host = load(first, second)
    assert list(Registry(host).names(STUDY).values()) == [host.plugins[0]]
    assert 'study "plateaus" is already provided by plugin "first"' in host.failures[0].error


def test_kinds_have_words_for_several() -> None:
    assert [kind.plural for kind in KINDS][-2:] == ["suites", "studies"]
    assert STUDY.hook == "register_studies" and STUDY.is_file
