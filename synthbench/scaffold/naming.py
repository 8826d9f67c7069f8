"""The names of a new plugin: all of them follow from one, and none may be taken."""

from __future__ import annotations

import builtins
import keyword
import re
import unicodedata
from dataclasses import dataclass
from importlib.util import find_spec

import synthbench
from synthbench.errors import ConfigurationError
from synthbench.registry.kinds import KINDS, NAME_PATTERN, SUITE
from synthbench.registry.registry import Registry
from synthbench.registry.selection import NONE

PREFIX = "synthbench-"
LONGEST = 30
"""Characters of a name: it becomes a folder's, a module's and a suite's."""
IN_TEMPLATES = frozenset(
    {
        "Any",
        "ClassVar",
        "Field",
        "FixedSteps",
        "Literal",
        "Mapping",
        "Network",
        "Path",
        "Tensor",
    }
)
"""Names that the templates use beside the public ones; a class must not take them."""


@dataclass(frozen=True)
class PluginNames:
    """What everything in the distribution is called, for one name such as `coin-flips`."""

    name: str

    @property
    def distribution(self) -> str:
        """`synthbench-coin-flips`: the distribution and its folder."""
        return PREFIX + self.name

    @property
    def package(self) -> str:
        """`synthbench_coin_flips`: what is imported."""
        return self.distribution.replace("-", "_")

    @property
    def class_name(self) -> str:
        """`CoinFlips`."""
        return "".join(word.capitalize() for word in self.name.split("-"))

    @property
    def suite(self) -> str:
        """`coin-flips-v1`: the suite that comes with a task."""
        return f"{self.name}-v1"


def check_names(name: str, registry: Registry) -> PluginNames:
    """The names of a new plugin; ConfigurationError, with a suggestion, if one cannot be used."""
    if not NAME_PATTERN.fullmatch(name) or len(name) > LONGEST:
        raise ConfigurationError(
            f"a name is lower-case words joined by '-', {LONGEST} characters at most, got "
            f"{name!r}{_suggested(_kebab(name))}"
        )
    if name.startswith(PREFIX):
        raise ConfigurationError(
            f'"{PREFIX}" is put before the name of the distribution in any case'
            f"{_suggested(name.removeprefix(PREFIX))}"
        )
    names = PluginNames(name)
    if reason := _taken(names, registry):
        free = _suggested(f"my-{name}")
        raise ConfigurationError(f'a plugin cannot be called "{name}": {reason}{free}')
    return names


def _taken(names: PluginNames, registry: Registry) -> str | None:
    """Why one of the names cannot be used."""
    host = registry.host
    for kind in KINDS:
        owner = registry.names(kind).get(names.name)
        if owner is not None:
            article = "an" if kind.word[0] in "aeiou" else "a"
            return f"{owner.distribution} has {article} {kind.word} of that name"
    if names.suite in registry.names(SUITE):
        return f'the suite "{names.suite}" is installed'
    present = [plugin.name for plugin in host.plugins]
    present += [failure.name for failure in host.failures]
    present += [left_out.name for left_out in host.left_out]
    if names.name in present:
        return "a plugin of that name is installed"
    if find_spec(names.package) is not None:
        return f"the module {names.package} is installed"
    reserved = {*keyword.kwlist, *dir(builtins), *synthbench.__all__, *IN_TEMPLATES}
    if names.class_name in reserved:
        return f"its class would be {names.class_name}, which has a meaning already"
    if names.name == NONE:
        return f"{NONE} stands for no plugin"
    return None


def _kebab(name: str) -> str:
    """The name as it should have been: `CoinFlips`, `coin_flips` and `Coin flips!` alike."""
    plain = unicodedata.normalize("NFKD", name.replace("ß", "ss"))
    plain = "".join(letter for letter in plain if not unicodedata.combining(letter))
    words = re.sub(r"([a-z0-9])([A-Z])", r"\1-\2", plain).lower()
    words = re.sub(r"[^a-z0-9]+", "-", words).lstrip("-0123456789")
    return words.removeprefix(PREFIX)[:LONGEST].strip("-")


def _suggested(name: str) -> str:
    fits = NAME_PATTERN.fullmatch(name) and len(name) <= LONGEST
    return f'; did you mean "{name}"?' if fits else ""
