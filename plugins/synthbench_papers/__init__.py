"""The bundled paper studies, as a plugin."""

from pathlib import Path

from synthbench import hookimpl


@hookimpl
def register_studies():
    """Provide every study of this folder."""
    return sorted(Path(__file__).parent.glob("*.toml"))
