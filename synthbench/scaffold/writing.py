"""Writing a new plugin: every template filled in, the folder whole or absent."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import jinja2

from synthbench.errors import OutputError
from synthbench.records.atomic import make_folder, staging
from synthbench.scaffold.naming import PluginNames
from synthbench.version import PLUGIN_API, __version__

TEMPLATES = Path(__file__).parent / "templates"
COMMON = ("pyproject.toml", "README.md", ".gitignore")
IN_PACKAGE = {
    "task": ("__init__.py", "task.py", "suite.toml"),
    "model": ("__init__.py", "model.py"),
    "probe": ("__init__.py", "probe.py"),
    "optimizer": ("__init__.py", "optimizer.py"),
    "study": ("__init__.py", "study.toml"),
}
"""For each kind of plugin the files of its package."""
KINDS = tuple(IN_PACKAGE)
TEMPLATES_BY_INPUT = {
    "signs": "model",
    "reals": "model",
    "tokens": "sequence_model",
    "real-sequence": "sequence_model",
}
"""What a model reads, and the templates of one that does."""
INPUTS = tuple(TEMPLATES_BY_INPUT)


@dataclass(frozen=True)
class WrittenPlugin:
    """A new distribution on disk: its folder, and the lines of each of its files."""

    names: PluginNames
    folder: Path
    lines: dict[str, int]


def write_plugin(
    kind: str, names: PluginNames, folder: Path, reads: str = INPUTS[0]
) -> WrittenPlugin:
    """Write `folder/synthbench-<name>`: a complete distribution of one plugin.

    kind: one of KINDS. reads: what a model takes, one of INPUTS. It appears whole or not at all;
    OutputError where the folder is there already or cannot be written.
    """
    home = folder / names.distribution
    if home.exists() or home.is_symlink():
        raise OutputError(f"{home} is there already; choose another name or --folder")
    make_folder(folder)
    contents = render_plugin(kind, names, reads)
    try:
        # Same file system, so that the last step is a rename.
        with staging(folder) as stage:
            staged = stage / names.distribution
            for name, text in contents.items():
                path = staged / name
                path.parent.mkdir(parents=True, exist_ok=True)
                path.write_text(text, encoding="utf-8", newline="\n")
            staged.rename(home)
    except OSError as error:
        raise OutputError(f"cannot write {home}: {error.strerror}") from None
    return WrittenPlugin(names, home, {n: len(t.splitlines()) for n, t in contents.items()})


def render_plugin(kind: str, names: PluginNames, reads: str = INPUTS[0]) -> dict[str, str]:
    """The files of a new distribution: path -> text."""
    own = TEMPLATES_BY_INPUT[reads] if kind == "model" else kind
    sources = {name: f"common/{name}" for name in COMMON}
    sources |= {f"{names.package}/{name}": f"{own}/{name}" for name in IN_PACKAGE[kind]}
    sources[f"tests/test_{kind}.py"] = f"{own}/test_{kind}.py"
    environment = jinja2.Environment(
        loader=jinja2.FileSystemLoader(TEMPLATES),
        undefined=jinja2.StrictUndefined,
        keep_trailing_newline=True,
        trim_blocks=True,
        lstrip_blocks=True,
        # Source code, not markup; the names in it were checked.
        autoescape=False,
    )
    release = [int(part) for part in __version__.split(".")[:2]]
    words = {
        "kind": kind,
        "names": names,
        "input": reads,
        "plugin_api": PLUGIN_API,
        "oldest": f"{release[0]}.{release[1]}",
        "next_major": release[0] + 1,
    }
    return {
        path: environment.get_template(f"{source}.j2").render(words)
        for path, source in sources.items()
    }
