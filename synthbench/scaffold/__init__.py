"""`synthbench plugin new`: a plugin as a distribution of its own, written from templates."""

from synthbench.scaffold.naming import PluginNames, check_names
from synthbench.scaffold.writing import INPUTS, KINDS, WrittenPlugin, write_plugin

__all__ = ["INPUTS", "KINDS", "PluginNames", "WrittenPlugin", "check_names", "write_plugin"]
