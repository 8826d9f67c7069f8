"""A bare module that is named by where its code is."""

from __future__ import annotations

import importlib
import importlib.util
import re
import sys
from pathlib import Path
from types import ModuleType

from synthbench.contracts.model import Model
from synthbench.errors import ConfigurationError, did_you_mean, explain
from synthbench.evaluation.planning import resolve_model

PLACE = re.compile(r"(?P<where>.+\.py|[A-Za-z_][\w.]*):(?P<name>[A-Za-z_]\w*)")


def is_place(name: str) -> bool:
    """Whether a name is `mypackage.mymodule:MyNet` or `file.py:MyNet`."""
    return PLACE.fullmatch(name) is not None


def model_at(place: str) -> Model:
    """The class or function at a place, as a model.

    Modules are found as `python -m` finds them, and beside a file. Raises ConfigurationError
    where nothing is there, its code fails, or what is there builds no module.
    """
    found = PLACE.fullmatch(place)
    if found is None:
        raise ConfigurationError(f"a place is module:Name or file.py:Name, got {place!r}")
    where, name = found["where"], found["name"]
    module = _from_file(Path(where)) if where.endswith(".py") else _imported(where)
    if name not in vars(module):
        own = [key for key, value in vars(module).items() if callable(value)]
        raise ConfigurationError(f"{where} has no {name}{did_you_mean(name, own)}")
    return resolve_model(vars(module)[name])


def _imported(where: str) -> ModuleType:
    _search(Path.cwd())
    try:
        return importlib.import_module(where)
    except Exception as error:
        raise ConfigurationError(f"{where} cannot be imported: {explain(error)}") from error


def _from_file(path: Path) -> ModuleType:
    if not path.is_file():
        raise ConfigurationError(f"there is no file {path}")
    _search(path.resolve().parent)
    spec = importlib.util.spec_from_file_location(path.stem, path)
    if spec is None or spec.loader is None:
        raise ConfigurationError(f"{path} is not Python code")
    module = importlib.util.module_from_spec(spec)
    # Where classes look for the module that they were made in.
    sys.modules[path.stem] = module
    try:
        spec.loader.exec_module(module)
    except Exception as error:
        del sys.modules[path.stem]
        raise ConfigurationError(f"{path} cannot be imported: {explain(error)}") from error
    return module


def _search(folder: Path) -> None:
    if str(folder) not in sys.path:
        sys.path.insert(0, str(folder))
