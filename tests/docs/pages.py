"""The pages of the documentation, and what is in their fenced blocks."""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parents[2]
PAGES = sorted(
    [
        *ROOT.glob("*.md"),
        *ROOT.glob("docs/**/*.md"),
        *ROOT.glob("leaderboards/*.md"),
        *ROOT.glob("plugins/*.md"),
        *ROOT.glob("benchmarks/*.md"),
    ]
)
FENCE = re.compile(r"^```(\w*)([^\n]*)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
TITLE = re.compile(r'title="([^"]+)"')
ASSIGNMENT = re.compile(r"([A-Z_]+)=(\S*)")


@dataclass(frozen=True)
class Block:
    """One fenced block. title: the file whose whole text it is, if it says so."""

    language: str
    title: str | None
    text: str

    def lines(self) -> list[str]:
        """Of a shell block: its commands, also those that `&&` joins, without comments."""
        whole = [line for line in self.text.replace("\\\n", " ").splitlines()]
        commands = [line for line in whole if line.strip() and not line.startswith("#")]
        parts = [part.strip() for line in commands for part in line.split(" && ")]
        return [part.removeprefix(".venv/bin/") for part in parts]


@dataclass(frozen=True)
class Command:
    """One line of a shell block, taken apart."""

    words: tuple[str, ...]
    environment: dict[str, str]


def blocks(page: Path) -> list[Block]:
    """The fenced blocks of a page in order."""
    found = []
    for language, info, text in FENCE.findall(page.read_text()):
        title = TITLE.search(info)
        found.append(Block(language, title[1] if title else None, text))
    return found


def shell_lines(page: Path) -> Iterator[str]:
    """Every command of a page in order."""
    for block in blocks(page):
        if block.language == "sh":
            yield from block.lines()


def parse_command(line: str) -> Command:
    """Variables in front, then words; a comment behind does not count."""
    words, environment = shlex.split(line, comments=True), {}
    while words and (match := ASSIGNMENT.fullmatch(words[0])):
        environment[match[1]] = match[2]
        words = words[1:]
    return Command(tuple(words), environment)


WALKTHROUGHS = [
    page for page in PAGES if next(shell_lines(page), "").startswith("synthbench plugin new")
]
"""Pages that make a distribution: they run in an environment of their own."""
REPORTS = ROOT / "docs" / "papers"
"""Written by `docs/make_paper_reports.py`; `pytest -m slow tests/paper` runs the studies."""
RUNNING = [
    page
    for page in PAGES
    if page not in WALKTHROUGHS
    and REPORTS not in page.parents
    and {"sh", "python"} & {block.language for block in blocks(page)}
]
"""All the others in which something runs."""


def page_id(page: Path) -> str:
    """`docs/metrics.md`."""
    return str(page.relative_to(ROOT))
