"""A fingerprint changes with what code does, and with nothing else.

`pytest -m slow` adds modules of torch, and sets of its dtypes, in another process.
"""

from __future__ import annotations

import importlib
import itertools
import json
import os
import shutil
import subprocess
import sys
import weakref
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from enum import Enum
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch import nn

from synthbench.registry.fingerprints.code import code_fingerprint
from synthbench.registry.fingerprints.own_code import _distributions, is_installed

NET = '''
import math
import torch
from functools import lru_cache
from torch import nn

WIDTH = 50
NAMES = {"a", "b", "c"}

def activation(x):
    return torch.relu(x)

@lru_cache
def scale(n):
    return 1 / n

class Base(nn.Module):
    factor = 1.0

class Net(Base):
    """A network."""

    def __init__(self, n=10, width=WIDTH):
        super().__init__()
        self.first = nn.Linear(n, WIDTH)  # a comment
        self.second = nn.Linear(WIDTH, 1)
        self.rescale = lambda x: scale(4) * x

    @torch.no_grad()
    def norm(self):
        return sum(p.norm() for p in self.parameters() if "a" in NAMES)

    @property
    def label(self):
        return "net"

    def forward(self, x):
        return self.second(activation(self.first(x))).squeeze(-1) * math.pi * self.factor
'''


def defined(source: str = NET, name: str = "Net") -> Any:
    """What a cell of a notebook defines: in `__main__`, with no source to be found."""
    names: dict[str, Any] = {"__name__": "__main__"}
    exec(compile(source, "<cell>", "exec", dont_inherit=True), names)
    return names[name]


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("WIDTH = 50", "WIDTH = 51"),
        ("torch.relu(x)", "torch.tanh(x)"),
        ("1 / n", "2 / n"),
        ("factor = 1.0", "factor = 2.0"),
        ("Net(Base)", "Net(nn.Module)"),
        ("n=10", "n=11"),
        ("(WIDTH, 1)", "(WIDTH, 1, False)"),
        ("scale(4)", "scale(5)"),
        ('return "net"', 'return "nets"'),
        ("squeeze(-1)", "flatten()"),
        ("p.norm()", "p.norm(1)"),
        ('{"a", "b", "c"}', '{"a", "b", "d"}'),
        ("math.pi", "math.e"),
    ],
)
def test_every_edit_that_matters_changes_it(old: str, new: str) -> None:
    assert NET.count(old) == 1
    assert code_fingerprint(defined(NET.replace(old, new))) != code_fingerprint(defined())


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("# a comment", "# another comment"),
        ("import math\n", "import math\n\n\n"),
        ("def activation(x):", "def unused():\n    return 3\n\ndef activation(x):"),
        ("WIDTH = 50", "WIDTH = 50\nlabel = norm = first = 'globals that share an attribute'"),
    ],
)
def test_nothing_else_changes_it(old: str, new: str) -> None:
    assert NET.count(old) == 1
    assert code_fingerprint(defined(NET.replace(old, new))) == code_fingerprint(defined())


def test_closures_and_settled_arguments_count() -> None:
    def factory(width: int, layers: object) -> Any:
        return lambda interface: (width, layers)

    class Layer:
        def __init__(self, size: int) -> None:
            self.size = size

    tensors = [torch.tensor([1.0, 2.0]), torch.tensor([1.0, 3.0]), torch.tensor([1, 2])]
    layers = [None, 1, 1.0, True, "1", [1], (1,), {1: 2}, {2: 1}, {1}, Layer(1), Layer(2), *tensors]
    builders = [
        *(factory(width, None) for width in (2, 3)),
        *(factory(1, layer) for layer in layers),
        partial(defined(), width=3),
        partial(defined(), width=4),
        partial(defined(), 3),
        defined(),
    ]
    found = [code_fingerprint(builder) for builder in builders]
    assert len(set(found)) == len(builders)
    assert code_fingerprint(factory(1, Layer(2))) == code_fingerprint(factory(1, Layer(2)))


def test_a_template_counts_by_its_weights() -> None:
    first, second = nn.Linear(3, 1), nn.Linear(3, 1)
    second.load_state_dict(first.state_dict())

    def copied(template: nn.Module) -> str:
        return code_fingerprint(lambda: template)

    assert copied(first) == copied(second)
    with torch.no_grad():
        second.weight[0, 0] += 1
    assert copied(first) != copied(second)


def test_a_module_of_ones_own_is_followed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.syspath_prepend(tmp_path)
    found = []
    for number in (1, 2):
        (tmp_path / f"own_layers_{number}.py").write_text(f"def width():\n    return {number}\n")
        source = f"import own_layers_{number} as layers\ndef build():\n    return layers.width()"
        found.append(code_fingerprint(defined(source, "build")))
    assert found[0] != found[1]
    assert not is_installed("own_layers_1") and not is_installed("__main__")
    assert all(
        map(is_installed, ("torch.nn", "json", "builtins", "synthbench.contracts.task", "numpy"))
    )


def test_code_that_refers_to_itself_has_one() -> None:
    source = """
class Node:
    def again(self):
        return Node(), loop(3)

def loop(n):
    return [Node, loop] if n else loop(n - 1)
"""
    assert code_fingerprint(defined(source, "Node")) == code_fingerprint(defined(source, "Node"))
    assert code_fingerprint(defined(source, "Node")) != code_fingerprint(defined(source, "loop"))


def test_a_set_may_hold_what_refers_to_it() -> None:
    source = """
import torch
def first(x):
    return x if len(LAYERS) else None

def second(x):
    return torch.relu(x)

LAYERS = {first, second, ("width", 3), ("width", 4), frozenset({1, 2}), "c", None}

class Net:
    layers = LAYERS
"""
    assert code_fingerprint(defined(source)) == code_fingerprint(defined(source))
    for old, new in (("relu", "tanh"), ('"width", 4', '"width", 5'), ("{1, 2}", "{1, 3}")):
        assert code_fingerprint(defined(source.replace(old, new))) != code_fingerprint(
            defined(source)
        )


def test_a_long_chain_of_references_is_walked() -> None:
    """A library of one's own may be deeper than Python's stack."""
    links = [f"def f{n}(): return f{n + 1}()" for n in range(1500)]
    source = "\n".join([*links, "def f1500(): return 0"])
    edited = source.replace("return 0", "return 1")
    assert code_fingerprint(defined(source, "f0")) != code_fingerprint(defined(edited, "f0"))


def test_a_package_elsewhere_counts_by_its_name_where_it_was_installed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As with `pip install --target`; one to be edited where it lies is walked."""
    for name, origin in (("finished_1", None), ("edited_1", {"dir_info": {"editable": True}})):
        (tmp_path / f"{name}.py").write_text("def make(n):\n    return n\n")
        notes = tmp_path / f"{name}-1.0.dist-info"
        notes.mkdir()
        (notes / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {name}\nVersion: 1.0\n")
        (notes / "RECORD").write_text(f"{name}.py,,\n")
        (notes / "top_level.txt").write_text(f"{name}\n")
        if origin:
            (notes / "direct_url.json").write_text(json.dumps(origin))
    monkeypatch.syspath_prepend(tmp_path)
    _distributions.cache_clear()
    importlib.import_module("finished_1"), importlib.import_module("edited_1")
    assert is_installed("finished_1") and not is_installed("edited_1")
    _distributions.cache_clear()


@pytest.mark.parametrize(
    "imports",
    [
        "    from own_nets import LAYER",
        "    import own_nets\n    LAYER = own_nets.LAYER",
        "    from own_pack import nets\n    LAYER = nets.LAYER",
        "    import own_pack.nets\n    LAYER = own_pack.nets.LAYER",
        "    from own_pack.nets import LAYER",
    ],
)
def test_what_a_function_imports_is_followed(
    imports: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.syspath_prepend(str(tmp_path))
    (tmp_path / "own_pack").mkdir()
    (tmp_path / "own_pack" / "__init__.py").touch()
    found = []
    for value in ("1", "22", "1"):
        for path in ("own_nets.py", "own_pack/nets.py"):
            (tmp_path / path).write_text(f"LAYER = {value}\nOTHER = {len(found)}\n")
        for name in ("own_nets", "own_pack", "own_pack.nets"):
            sys.modules.pop(name, None)
        importlib.invalidate_caches()
        shutil.rmtree(tmp_path / "__pycache__", ignore_errors=True)
        shutil.rmtree(tmp_path / "own_pack" / "__pycache__", ignore_errors=True)
        found.append(
            code_fingerprint(defined(f"def build():\n{imports}\n    return LAYER", "build"))
        )
    assert found[0] == found[2] != found[1]


def test_attributes_of_functions_and_metaclasses_count() -> None:
    def attributed(width: int) -> object:
        def build() -> int:
            return build.width  # type: ignore[attr-defined]

        build.width = width  # type: ignore[attr-defined]
        return build

    def of_kind(width: int) -> type:
        kind = type("Kind", (type,), {"width": width, "__module__": __name__})
        return kind("Net", (), {"__module__": __name__})

    for make in (attributed, of_kind):
        assert code_fingerprint(make(1)) == code_fingerprint(make(1)) != code_fingerprint(make(2))


def test_a_module_of_ones_own_may_be_called_like_one_of_pythons(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.syspath_prepend(str(tmp_path))
    (tmp_path / "this.py").write_text("WIDTH = 3\n")
    monkeypatch.delitem(sys.modules, "this", raising=False)
    assert importlib.import_module("this").WIDTH == 3 and not is_installed("this")
    monkeypatch.delitem(sys.modules, "this")


def test_the_state_of_numpys_generator_is_that_of_the_moment() -> None:
    from scipy.stats import binom

    def build() -> float:
        return float(binom.pmf(1, 2, 0.5))

    before = code_fingerprint(build)
    build()
    np.random.rand()  # the generator that scipy's distributions share
    assert code_fingerprint(build) == before


class Act(Enum):
    TANH = 1
    GELU = 2
    RELU = 3


@dataclass(frozen=True)
class Size:
    width: int


SETS = """
import torch
from pathlib import PurePosixPath
from tests.registry.fingerprints.test_code import Act, Size
LOW = {torch.float16, torch.bfloat16, torch.float32}
ACTS = {*Act}
SIZES = {Size(n) for n in range(20)}
PATHS = {PurePosixPath(str(n)) for n in range(9)}
def build():
    return LOW, ACTS, SIZES, PATHS
"""


ORDERED = """
from enum import Enum
from pathlib import PurePosixPath
Act = Enum("Act", [f"act{n}" for n in range(9)])
ACTS = {*Act}
KINDS = {int, float, complex, bytes, str}
NAMES = {"a", "b", "c", "d"}
PATHS = {PurePosixPath(str(n)) for n in range(9)}
def build():
    return ACTS, KINDS, NAMES, PATHS
"""


def answers_elsewhere(program: str) -> str:
    """What another process says of a source; sets have another order there."""
    # Of a seed that this process does not have: it draws its own, unless it was told one.
    seed = "2" if os.environ.get("PYTHONHASHSEED") == "1" else "1"
    done = subprocess.run(
        [sys.executable, "-c", f"{program}\nprint(*{{*map(str, range(9))}})"],
        cwd=Path(__file__).parents[3], check=True, capture_output=True, text=True,
        env={**os.environ, "PYTHONHASHSEED": seed},
    )  # fmt: skip
    found, order = done.stdout.splitlines()
    assert order.split() != [*{*map(str, range(9))}], "sets have another order there"
    return found


def test_it_is_the_same_in_another_process() -> None:
    """Whatever the order of sets and the addresses of objects."""
    program = (
        "from synthbench.registry.fingerprints.code import code_fingerprint\n"
        "names = {'__name__': '__main__'}\n"
        f"exec(compile({ORDERED!r}, '<cell>', 'exec', dont_inherit=True), names)\n"
        "print(code_fingerprint(names['build']))"
    )
    assert answers_elsewhere(program) == code_fingerprint(defined(ORDERED, "build"))


@pytest.mark.slow  # The other process reads torch anew.
def test_a_module_is_the_same_in_another_process() -> None:
    program = (
        "from tests.registry.fingerprints.test_code import NET, SETS, code_fingerprint, defined\n"
        'print(code_fingerprint(defined()), code_fingerprint(defined(SETS, "build")))'
    )
    expected = [code_fingerprint(defined()), code_fingerprint(defined(SETS, "build"))]
    assert answers_elsewhere(program).split() == expected


class Missing:
    """A stand-in for a library that is not there."""

    def __getattr__(self, name: str) -> object:
        raise ImportError("needs flash-attn")

    @property
    def __wrapped__(self) -> object:
        raise RuntimeError("nothing in it")


class Endless:
    """Whatever is asked of it is another one."""

    def __getattr__(self, name: str) -> Endless:
        return Endless()


class Closed(Mapping):
    def __getitem__(self, key: object) -> object:
        raise OSError("closed")

    def __iter__(self) -> Iterator[object]:
        raise OSError("closed")

    def __len__(self) -> int:
        raise OSError("closed")


@pytest.mark.parametrize(
    "value",
    [
        Missing(),
        Endless(),
        Closed(),
        torch.empty(3, device="meta"),
        torch.ones(2, dtype=torch.complex64).conj(),
        np.array([(1, "a")], dtype=[("number", int), ("name", object)]),
        itertools.count(),
        torch.Generator(),
        os.environ,
        weakref.WeakKeyDictionary(),
        sys.__stderr__,
        iter([1]),
        Act,
    ],
    ids=lambda value: type(value).__name__,
)
@pytest.mark.filterwarnings("ignore")
def test_anything_may_be_referred_to(value: object) -> None:
    def build() -> object:
        return value

    assert code_fingerprint(build) == code_fingerprint(build)


def test_an_enumeration_counts_by_its_members() -> None:
    source = "from enum import Flag\nclass Act(Flag):\n    TANH = 1\n    GELU = 2\n"
    act = defined(source, "Act")
    before = code_fingerprint(act)
    _ = act.TANH | act.GELU  # a member that the class keeps from now on
    assert code_fingerprint(act) == before
    assert code_fingerprint(defined(source.replace("2", "4"), "Act")) != before


def test_an_import_that_exits_is_no_exit(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.syspath_prepend(str(tmp_path))
    (tmp_path / "needs_more.py").write_text("raise SystemExit('needs triton')")
    assert code_fingerprint(defined("def build():\n    import needs_more", "build"))
