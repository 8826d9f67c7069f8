"""Loading plugins: the good load, the bad are named, reported and set aside."""

from __future__ import annotations

import re
from dataclasses import dataclass
from types import SimpleNamespace
from typing import ClassVar

import pytest

import synthbench as sb
from synthbench.errors import UnknownNameError
from synthbench.plugins import PluginHost
from synthbench.registry import Registry
from tests.engine.authored import Plain


@dataclass
class FakePoint:
    """An entry point that loads what it is given, or raises it."""

    name: str
    target: object
    distribution: str = "third-party"

    @property
    def dist(self) -> SimpleNamespace:
        return SimpleNamespace(name=self.distribution, version="1.2.3")

    def load(self) -> object:
        if isinstance(self.target, BaseException):
            raise self.target
        return self.target


def plugin(**hooks: object) -> SimpleNamespace:
    """A plugin module with the given hooks, each a function or the list it returns."""
    functions = {}
    for name, value in hooks.items():
        function = value if callable(value) else (lambda found=value: found)
        functions[name] = sb.hookimpl(_named(function, name, callable(value)))
    return SimpleNamespace(__name__="module", **functions)


def _named(function: object, name: str, keep: bool) -> object:
    if keep:
        return function
    found = function()

    def hook():
        return found

    hook.__name__ = name
    return hook


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


def load(*points: FakePoint) -> PluginHost:
    return PluginHost.from_entry_points(points)


GOOD = FakePoint("good", plugin(register_models=[Plain]))


def takes_arguments(config):
    return []


def raises():
    raise KeyError("boom")


def exits():
    return 3


@pytest.mark.parametrize(
    ("target", "reason"),
    [
        (ModuleNotFoundError("No module named 'nowhere'"), "No module named 'nowhere'"),
        (SystemExit("not here"), "not here"),
        (plugin(register_models=takes_arguments), "config"),
        (plugin(register_models=raises), "boom"),
        (plugin(register_models=exits), r"register_models\(\) must return a list, got 3"),
        (plugin(register_model=[Other]), "no hook is called 'register_model'"),
        (plugin(register_models=[int]), "must return subclasses of Model"),
        (plugin(register_models=[Abstract]), "Abstract does not define build"),
        (plugin(register_models=[Misnamed]), "lower-case words joined by '-', got 'Bad Name'"),
        (plugin(register_models=[Other, Other]), 'model "other" is registered twice'),
        (plugin(register_models=[Other, Plain]), 'model "plain" is already provided by plugin'),
        (plugin(register_trackers=[Other]), "must return subclasses of Tracker"),
        (plugin(register_suites=["/nowhere.toml"]), "cannot read the suite file /nowhere.toml"),
    ],
)
def test_a_broken_plugin_is_set_aside_whole(target: object, reason: str) -> None:
    host = load(GOOD, FakePoint("zbad", target, "bad-distribution"))
    assert [p.name for p in host.plugins] == ["good"]
    assert list(Registry(host).names("models")) == ["plain"]
    (failure,) = host.failures
    assert failure.distribution == "bad-distribution" and failure.distribution_version == "1.2.3"
    assert re.search(reason, failure.error)
    assert "\n" not in failure.describe()


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
