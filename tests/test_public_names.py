"""What is public, who may import what, and what an import costs."""

from __future__ import annotations

import ast
import subprocess
import sys
from importlib.metadata import entry_points
from pathlib import Path

import pytest

import synthbench as sb

ROOT = Path(__file__).parent.parent
PLUGIN_FILES = sorted((ROOT / "plugins").rglob("*.py"))


def test_every_public_name_is_there_and_documented() -> None:
    assert sorted(set(sb.__all__)) == sorted(sb.__all__)
    for name in sb.__all__:
        assert getattr(sb, name) is not None


def test_unknown_attributes_are_errors() -> None:
    with pytest.raises(AttributeError, match="no attribute 'nothing'"):
        sb.nothing  # noqa: B018


@pytest.mark.parametrize("path", PLUGIN_FILES, ids=lambda p: f"{p.parent.name}/{p.name}")
def test_bundled_plugins_import_only_public_names(path: Path) -> None:
    own = path.relative_to(ROOT / "plugins").parts[0]
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            for name in node.names:
                assert not name.name.startswith("synthbench"), ast.unparse(node)
        if isinstance(node, ast.ImportFrom) and (node.module or "").startswith("synthbench"):
            assert node.module == "synthbench" or node.module.split(".")[0] == own, ast.unparse(
                node
            )
            if node.module == "synthbench":
                assert {alias.name for alias in node.names} <= set(sb.__all__), ast.unparse(node)


def test_every_plugin_folder_is_an_entry_point_and_the_other_way_round() -> None:
    folders = {path.parent.name for path in (ROOT / "plugins").glob("*/__init__.py")}
    points = entry_points(group="synthbench")
    assert folders == {p.value for p in points if p.dist and p.dist.name == "synthbench"}
    assert not (ROOT / "plugins" / "__init__.py").exists()


def loads_torch(code: str) -> bool:
    return loads("torch", code)


WATCHED = """
import os, sys
class Watch:
    def find_spec(name, *_):
        if name == sys.argv[1]:
            os.write(1, b"loads it")
            os._exit(0)
sys.meta_path.insert(0, Watch)
"""


def loads(module: str, code: str) -> bool:
    """Whether a fresh process that runs the code begins to import the module, which ends it."""
    command = [sys.executable, "-c", WATCHED + code, module]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    return done.stdout.endswith("loads it")


@pytest.mark.parametrize(
    "arguments", [["--help"], ["eval", "--help"], ["study", "run", "--help"], ["--version"]]
)
def test_help_imports_no_torch(arguments: list[str]) -> None:
    run = (
        f"sys.argv = ['synthbench', *{arguments}]\n"
        "from synthbench.cli.main import main\n"
        "try: main()\nexcept SystemExit: pass\n"
    )
    assert not loads_torch(f"exec({run!r})")


def test_importing_the_package_imports_no_torch() -> None:
    assert not loads_torch("import synthbench; synthbench.hookimpl")
    assert loads_torch("import synthbench; synthbench.Stream"), "the check itself works"


@pytest.mark.parametrize(
    "module", ["registry.registry", "registry.bare_model", "contracts.losses", "plan.cell"]
)
def test_what_looks_up_names_imports_no_torch(module: str) -> None:
    """The registry and the contracts; the classes of plugins may."""
    load = f"import synthbench.{module}; from synthbench.registry.host import PluginHost"
    assert not loads_torch(f"{load}; PluginHost.from_entry_points([], '')")


CALL_HOOKS = """
import importlib, sys
for root in sys.argv[1:]:
    plugin = importlib.import_module(root)
    if "torch" in sys.modules:
        sys.exit(f"{root} imports torch")
    for kind in ("tasks", "models", "probes", "optimizers"):
        print(*(each.name for each in getattr(plugin, f"register_{kind}", list)()))
        if "torch" in sys.modules:
            sys.exit(f"what {root} gives as {kind} imports torch")
"""


def test_plugin_roots_and_bundled_configurations_import_no_torch() -> None:
    """Hence neither do `synthbench list` and `show`: torch would be most of their time."""
    roots = sorted(path.parent.name for path in PLUGIN_FILES if path.name == "__init__.py")
    done = subprocess.run(
        [sys.executable, "-c", CALL_HOOKS, *roots], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    assert {"sparse-parity", "mlp", "attention", "muon"} <= set(done.stdout.split())


def test_trackers_cost_nothing_until_they_are_used() -> None:
    look = "from synthbench.registry.registry import installed; installed().tracker('wandb')"
    assert not loads("wandb", look)
    assert loads("wandb", "import synthbench_wandb.session"), "the check works"
