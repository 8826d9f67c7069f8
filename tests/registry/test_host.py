"""Loading plugins: the good load, the bad are named, reported and set aside."""

from __future__ import annotations

import re
from importlib.metadata import EntryPoint
from pathlib import Path
from types import SimpleNamespace
from typing import ClassVar

import pytest

import synthbench as sb
from synthbench.errors import UnknownNameError
from synthbench.registry.host import PluginHost
from synthbench.registry.kinds import MODEL
from synthbench.registry.registry import Registry
from tests.engine.authored import Plain
from tests.registry.points import FakePoint, load, plugin


class Other(Plain):
    """Another model."""

    name: ClassVar[str] = "other"


class Abstract(sb.Model):
    """Does not define build."""

    name: ClassVar[str] = "abstract"
    inputs = outputs = ()


class Misnamed(Plain):
    """A name people could not type."""

    name: ClassVar[str] = "Bad Name"


GOOD = FakePoint("good", plugin(register_models=[Plain]))


def takes_arguments(config):
    return []


def raises():
    raise KeyError("boom")


def exits():
    return 3


class Mute(Exception):
    """Cannot say what it is."""

    def __str__(self) -> str:
        raise RuntimeError("mute")


class Panic(BaseException):
    """As pyo3 raises where Rust code panics."""


@pytest.mark.parametrize(
    ("target", "reason"),
    [
        (Mute(), r"^Mute: \(its message cannot be shown\)$"),
        (Panic("index out of bounds"), "^Panic: index out of bounds$"),
        (GeneratorExit("early"), "^GeneratorExit: early$"),
        (ValueError("\x1b[31mred\x1b[0m"), "^ValueError: red$"),
        (
            SimpleNamespace(register_models=lambda: [Plain]),
            "register_models lacks its decorator @hookimpl",
        ),
        (ModuleNotFoundError("No module named 'nowhere'"), "No module named 'nowhere'"),
        (SystemExit("not here"), "not here"),
        (plugin(register_models=takes_arguments), "config"),
        (plugin(register_models=raises), "boom"),
        (plugin(register_models=exits), r"register_models\(\) must return a list, got 3"),
        (plugin(register_model=[Other]), "is called 'register_model'; did you mean \"register_mo"),
        (plugin(register_models=[int]), "must return subclasses of Model"),
        (plugin(register_models=[Abstract]), "Abstract does not define build"),
        (plugin(register_models=[Misnamed]), "lower-case words joined by '-', got 'Bad Name'"),
        (plugin(register_models=[Other, Other]), 'model "other" is registered twice'),
        (plugin(register_models=[Other, Plain]), 'model "plain" is already provided by plugin'),
        (plugin(register_trackers=[Other]), "must return subclasses of Tracker"),
        (plugin(register_suites=["/nowhere.toml"]), "cannot read the suite file /nowhere.toml"),
        (plugin(api=2, register_hologram=[]), "for plugin API 2, .* has 1; upgrade synthbench$"),
        (plugin(api=0), "for plugin API 0, .* loads 1 and later; upgrade bad-distribution$"),
        (plugin(api="1"), "synthbench_plugin_api must be a whole number, got '1'"),
    ],
)
def test_a_broken_plugin_is_set_aside_whole(target: object, reason: str) -> None:
    host = load(GOOD, FakePoint("zbad", target, "bad-distribution"))
    assert [p.name for p in host.plugins] == ["good"]
    assert list(Registry(host).names(MODEL)) == ["plain"]
    (failure,) = host.failures
    assert failure.distribution == "bad-distribution" and failure.distribution_version == "1.2.3"
    assert re.search(reason, failure.error)
    assert "\n" not in failure.describe()


def test_ctrl_c_is_nobodys_failure() -> None:
    with pytest.raises(KeyboardInterrupt):
        load(GOOD, FakePoint("zbad", KeyboardInterrupt()))


@pytest.mark.parametrize("value", ["", "not a module", "pkg::hooks", "pkg-with-dashes", "pkg:"])
def test_an_entry_point_names_a_module(value: str) -> None:
    (failure,) = load(GOOD, FakePoint("zbad", None, value=value)).failures
    assert failure.error.startswith("PluginError: its entry point must name a module, got ")
    assert len(load(FakePoint("a", GOOD.target, value="pkg.hooks:plugin [extra]")).plugins) == 1


def test_a_distribution_without_metadata_has_no_name() -> None:
    class Bare(FakePoint):
        @property
        def dist(self) -> SimpleNamespace:
            return SimpleNamespace(name=None, version=None)

    host = load(GOOD, Bare("bare", plugin(register_models=[Other])), wanted="good")
    assert [p.name for p in host.plugins] == ["good"]
    (left_out,) = host.left_out
    assert (left_out.distribution, left_out.distribution_version) == ("unknown", "?")


def test_our_own_distribution_comes_first_whatever_the_names() -> None:
    ours = FakePoint("zz", plugin(register_models=[Plain]), "synthbench")
    theirs = FakePoint("aa", plugin(register_models=[Plain]), "squatter")
    host = load(theirs, ours)
    assert [p.distribution for p in host.plugins] == ["synthbench"]
    assert host.failures[0].distribution == "squatter"


def test_failures_are_mentioned_when_a_name_is_unknown() -> None:
    registry = Registry(load(GOOD, FakePoint("bad", ImportError("no such library"))))
    with pytest.raises(UnknownNameError) as caught:
        registry.model("plan")
    message = str(caught.value)
    assert message.startswith(
        'unknown model "plan"; did you mean "plain"? (synthbench list models)'
    )
    assert (
        'plugin "bad" of third-party 1.2.3 was set aside: ImportError: no such library' in message
    )


def test_no_plugins_at_all_says_so() -> None:
    with pytest.raises(UnknownNameError, match="no plugins were found; install the package"):
        Registry(load()).task("sparse-parity")


def test_an_event_listener_that_raises_does_not_stop_the_others() -> None:
    heard = []

    def eval_finished(records):
        heard.append(records)

    def angry(records):
        raise RuntimeError("no network")

    angry.__name__ = "eval_finished"
    host = load(
        FakePoint("angry", plugin(eval_finished=angry)),
        FakePoint("listener", plugin(eval_finished=eval_finished)),
    )
    with pytest.warns(UserWarning, match='plugin "angry" failed in eval_finished'):
        host.announce("eval_finished", records=[1])
    assert heard == [[1]]


def test_the_installed_plugins_all_load() -> None:
    host = PluginHost.from_entry_points()
    assert not host.failures
    assert {p.name for p in host.plugins} >= {
        "dynamics", "markov", "mlp", "parity", "suites", "transformer", "wandb",
    }  # fmt: skip


def test_a_plugin_of_the_same_entry_point_name_does_not_unregister_the_first() -> None:
    first = FakePoint("same", plugin(register_models=[Plain]), "a-distribution")
    second = FakePoint("same", plugin(register_models=[Other]), "b-distribution")
    host = load(first, second)
    assert [p.distribution for p in host.plugins] == ["a-distribution"]
    assert len(host.failures) == 1 and host.manager.get_plugin("same") is first.target
    assert 'another plugin is called "same", of a-distribution 1.2.3' in host.failures[0].error


def test_a_plugin_that_says_its_api_loads() -> None:
    host = load(FakePoint("new", plugin(api=sb.PLUGIN_API, register_models=[Plain])))
    assert list(Registry(host).names(MODEL)) == ["plain"] and not host.failures


def test_a_failure_names_the_line_of_the_plugin(tmp_path: Path, monkeypatch) -> None:
    package = tmp_path / "synthbench_broken_here"
    package.mkdir()
    (package / "__init__.py").write_text("import synthbench_broken_here.parts\n")
    (package / "parts.py").write_text("# Nothing to see.\n\n1 / 0\n")
    monkeypatch.syspath_prepend(tmp_path)
    point = EntryPoint("broken", "synthbench_broken_here", "synthbench")
    (failure,) = PluginHost.from_entry_points([point], "").failures
    assert failure.error == (
        "ZeroDivisionError: division by zero (synthbench_broken_here/parts.py, line 3)"
    )


def test_what_a_plugin_hears_is_known() -> None:
    def cell_finished(record):
        pass

    (found,) = load(FakePoint("ear", plugin(cell_finished=cell_finished))).plugins
    assert found.listens == ("cell_finished",) and found.provides() == {}
    (found,) = load(GOOD).plugins
    assert found.listens == () and found.provides() == {MODEL: ["plain"]}
