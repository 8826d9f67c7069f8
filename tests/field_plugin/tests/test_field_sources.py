"""The tasks are what a stranger can write: public names alone, one small module each."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest
import synthbench_field

MODULES = sorted(Path(synthbench_field.__file__).parent.glob("*.py"))
LONGEST = 130


@pytest.mark.parametrize("path", MODULES, ids=lambda path: path.stem)
def test_a_module_is_short_and_uses_nothing_private(path: Path) -> None:
    text = path.read_text()
    assert len(text.splitlines()) <= LONGEST
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.Attribute) and node.attr != "_replace":
            assert not node.attr.startswith("_"), node.attr
        if isinstance(node, ast.ImportFrom) and str(node.module).startswith("synthbench."):
            raise AssertionError(f"imports from {node.module}, which is not public")
