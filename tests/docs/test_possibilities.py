"""The tasks of "Beyond the simple task": short, and under the laws of all tasks."""

from __future__ import annotations

import re

import pytest
import torch

import synthbench as sb
from synthbench.testing import check_task
from tests.docs.pages import ROOT, blocks

PAGE = ROOT / "docs" / "task-possibilities.md"
LONGEST = 40
CLASS = re.compile(r"^class (\w+)\(sb\.Task\):\n(?:(?: .*)?\n)+", re.MULTILINE)


def tasks() -> list[tuple[str, str]]:
    """Name and text of every class of the page, with the imports before it."""
    return [
        (found[1], block.text[: found.start()] + found[0].rstrip() + "\n")
        for block in blocks(PAGE)
        for found in CLASS.finditer(block.text)
    ]


def test_each_is_short_and_the_page_has_one_for_each_possibility() -> None:
    sections = PAGE.read_text().count("\n## ")
    found = {name: text[text.index("class ") :] for name, text in tasks()}
    # Those about cells and about laws have none.
    assert len(found) == sections - 2 == 7
    assert max(len(text.splitlines()) for text in found.values()) <= LONGEST


@pytest.mark.slow
@pytest.mark.parametrize(("name", "text"), tasks(), ids=lambda value: value.split("\n")[0])
def test_each_obeys_every_law(name: str, text: str) -> None:
    names: dict[str, object] = {"sb": sb, "torch": torch, "__name__": "page"}
    exec(compile(text, str(PAGE), "exec"), names)
    found = names[name]
    assert isinstance(found, type) and issubclass(found, sb.Task)
    check_task(found(), constant_world=name == "RunningParity")
