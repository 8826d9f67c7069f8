"""The versions that plugins, records and releases refer to."""

__version__ = "0.1.0"
PLUGIN_API = 1
"""What `synthbench_plugin_api` in a plugin's root module refers to; checked when it loads."""
