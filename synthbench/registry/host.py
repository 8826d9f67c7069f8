"""The plugins of an environment, loaded one by one, a broken one set aside.

`pluggy.PluginManager.load_setuptools_entrypoints` stops at the first plugin that fails. Here each
entry point loads in its own `try`, and a failure is remembered so that `synthbench list plugins`
and every "unknown name" error can mention it.
"""

from __future__ import annotations

import os
import warnings
from collections.abc import Iterable
from dataclasses import dataclass, field
from importlib.metadata import EntryPoint

import pluggy

from synthbench.errors import PluginError
from synthbench.registry import hookspecs
from synthbench.registry.installed_points import GROUP, installed_points
from synthbench.registry.kinds import KINDS
from synthbench.registry.plugin import Plugin, PluginFailure, PluginLeftOut
from synthbench.registry.selection import OWN_DISTRIBUTION, VARIABLE, distribution_of, select
from synthbench.registry.staging import load_module, stage


@dataclass
class PluginHost:
    """The plugins of this environment."""

    manager: pluggy.PluginManager
    plugins: list[Plugin] = field(default_factory=list)
    failures: list[PluginFailure] = field(default_factory=list)
    left_out: list[PluginLeftOut] = field(default_factory=list)

    @classmethod
    def from_entry_points(
        cls, points: Iterable[EntryPoint] | None = None, wanted: str | None = None
    ) -> PluginHost:
        """Load the given entry points, or those installed in the group `synthbench`.

        Our own distribution comes first, so that no third party can take a bundled name;
        the rest follow by name. wanted: which third-party ones, as SYNTHBENCH_PLUGINS says it
        and by default what it says. Raises UnknownNameError where it names one that is not there.
        """
        manager = pluggy.PluginManager(GROUP)
        manager.add_hookspecs(hookspecs)
        host = cls(manager)
        wanted = os.environ.get(VARIABLE, "") if wanted is None else wanted
        found, host.failures = installed_points(GROUP) if points is None else (list(points), [])
        chosen, left_out = select(sorted(found, key=_load_order), wanted)
        for point in chosen:
            host._load(point)
        host.left_out = [
            PluginLeftOut(point.name, *distribution_of(point), f"{VARIABLE}={wanted}")
            for point in left_out
        ]
        return host

    def absent(self) -> list[str]:
        """Lines about the plugins that are installed and did not load."""
        lines = [failure.describe() for failure in self.failures]
        if self.left_out:
            names = ", ".join(absent.name for absent in self.left_out)
            lines.append(f"left out by {self.left_out[0].reason}: {names}")
        return lines

    def announce(self, event: str, **arguments: object) -> None:
        """Call an event hook plugin by plugin; a listener that raises becomes a warning."""
        for impl in getattr(self.manager.hook, event).get_hookimpls():
            try:
                impl.function(*(arguments[name] for name in impl.argnames))
            except Exception as error:
                warnings.warn(
                    f'plugin "{impl.plugin_name}" failed in {event}: {error!r}', stacklevel=2
                )

    def _load(self, point: EntryPoint) -> None:
        module = None
        try:
            self._refuse_taken(point.name)
            module = load_module(point)
            self.manager.register(module, name=point.name)
            staged = stage(point, module, self.manager)
            self._refuse_clash(staged)
        except KeyboardInterrupt:
            raise
        # Anything else that a plugin raises is the plugin's: SystemExit, a panic of Rust code.
        except BaseException as error:
            # Only what this entry point registered: its name may be another plugin's too.
            if module is not None and self.manager.get_plugin(point.name) is module:
                self.manager.unregister(module)
            self.failures.append(PluginFailure.of(point, error))
        else:
            self.plugins.append(staged)

    def _refuse_taken(self, name: str) -> None:
        for other in self.plugins:
            if other.name == name:
                raise PluginError(
                    f'another plugin is called "{name}", of {other.distribution} '
                    f"{other.distribution_version}; choose another name for the entry point"
                )

    def _refuse_clash(self, staged: Plugin) -> None:
        for other in self.plugins:
            for kind in KINDS:
                for name in staged.provided[kind]:
                    if name in other.provided[kind]:
                        raise PluginError(
                            f'{kind.word} "{name}" is already provided by plugin "{other.name}" '
                            f"of {other.distribution}; choose another name"
                        )


def _load_order(point: EntryPoint) -> tuple[bool, str, str]:
    distribution, _ = distribution_of(point)
    return distribution != OWN_DISTRIBUTION, point.name, distribution
