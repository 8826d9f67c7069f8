"""The bundled suites, as a plugin."""

from pathlib import Path

from synthbench import hookimpl


@hookimpl
def register_suites():
    """Provide every suite file of this folder."""
    return sorted(Path(__file__).parent.glob("*.toml"))
