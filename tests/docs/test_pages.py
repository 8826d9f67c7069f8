"""What the documentation points to, names and quotes is there."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
import typer

import synthbench as sb
from synthbench.cli.main import app
from synthbench.plan.space import Range
from synthbench.registry.kinds import MODEL, PROBE, TASK
from synthbench.registry.registry import installed
from tests.docs.exempt import exempt
from tests.docs.pages import PAGES, ROOT, blocks, page_id, parse_command, shell_lines

README = ROOT / "README.md"
CONTRIBUTING = (ROOT / "CONTRIBUTING.md").read_text()
LINK = re.compile(r"\]\(([^)#\s]+)(?:#[^)]*)?\)")
INLINE = re.compile(r"(?<!`)`(synthbench [^`]+)`(?!`)")
PLACEHOLDER = re.compile(r"\.\.\.|\b[A-Z]{3,}\b|\|")
"""`synthbench eval SUITE --model ...` is a form, not a command."""

QUOTED = {
    "docs/sparse-parity.md": "plugins/synthbench_parity/task.py",
}
"""Pages that hold a whole file."""


@pytest.mark.parametrize("page", PAGES, ids=page_id)
def test_links_lead_somewhere(page: Path) -> None:
    for target in LINK.findall(page.read_text()):
        assert target.startswith("https://") or (page.parent / target).exists(), target


@pytest.mark.parametrize("page", PAGES, ids=page_id)
def test_commands_within_the_text_are_commands(page: Path) -> None:
    """Those in blocks run; these are parsed: command, flags, and every reference in them."""
    text = re.sub(r"^```.*?^```$", "", page.read_text(), flags=re.MULTILINE | re.DOTALL)
    for line in INLINE.findall(text):
        if not PLACEHOLDER.search(line):
            parse(" ".join(line.split()))


@pytest.mark.parametrize("page", sorted((ROOT / "docs" / "tasks").glob("*.md")), ids=page_id)
def test_commands_of_the_tasks_pages_are_commands(page: Path) -> None:
    """Without `-m slow` they do not run."""
    for line in shell_lines(page):
        if exempt(line) is None:
            parse(line)


def parse(line: str) -> None:
    """Raise unless the command exists and takes these arguments."""
    _, *words = parse_command(line).words
    command = typer.main.get_command(app)
    while isinstance(command, typer.core.TyperGroup):
        words = [word for word in words if word != "--no-plugins"]
        if not words or words[0].startswith("--"):
            return
        name, *words = words
        command = command.commands[name]
    if not words:
        return
    given = command.make_context(name, words).params
    for kind in (TASK, MODEL, PROBE):
        references = given.get(kind.word) or []
        for reference in [references] if isinstance(references, str) else references:
            if reference.split()[0] in installed().names(kind):
                space = installed().space(kind, reference)
                fixed = not any(isinstance(value, Range) for value in space.fields.values())
                for point in space.points() if fixed else []:
                    installed().get(kind, point)


def test_the_two_commands_are_there_whole() -> None:
    run, test = (
        line
        for block in blocks(README)
        for line in block.text.splitlines()
        if block.language == "sh" and "-m venv" in line
    )
    assert run.startswith("python3 -m venv .venv && ") and run.endswith(
        "synthbench eval quickstart"
    )
    assert test.startswith("python3 -m venv .venv && ") and test.endswith("python -m pytest")


def test_places_named_in_contributing_exist() -> None:
    table = CONTRIBUTING[CONTRIBUTING.index("| place |") :].partition("\n\n")[0]
    for row in table.splitlines()[2:]:
        folder = Path()
        for name in re.findall(r"`([^`]+)`", row.split("|")[1]):
            path = Path(name) if "/" in name else folder / name
            assert (ROOT / path).exists(), name
            folder = path.parent


def test_every_module_of_the_core_has_a_place_in_contributing() -> None:
    table = CONTRIBUTING[CONTRIBUTING.index("| place |") :].partition("\n\n")[0]
    named = set(re.findall(r"`(?:synthbench/)?([\w/]+?)(?:/|\.py)`", table))
    core = ROOT / "synthbench"
    folders = {path.parent.name for path in core.glob("*/__init__.py")}
    modules = {path.stem for path in core.glob("*.py")} - {"__init__", "__main__"}
    assert folders | modules <= named, sorted((folders | modules) - named)


@pytest.mark.parametrize("page", QUOTED)
def test_a_file_that_is_quoted_whole_is_as_it_is(page: str) -> None:
    file = ROOT / QUOTED[page]
    assert file.read_text() in [block.text for block in blocks(ROOT / page)]


def test_what_contributing_quotes_of_the_example_plugin_is_there() -> None:
    example = ROOT / "tests" / "example_plugin"
    quoted = [block for block in blocks(ROOT / "CONTRIBUTING.md") if block.title]
    assert len(quoted) >= 2
    for block in quoted:
        assert block.text in (example / str(block.title)).read_text(), block.title


def test_every_public_name_is_in_the_reference() -> None:
    text = (ROOT / "docs" / "api.md").read_text()
    missing = [name for name in sb.__all__ if f"::: synthbench.{name}\n" not in text]
    assert not missing


def test_every_page_is_looked_at() -> None:
    """No page of Markdown lies where these tests do not see it, but those of the example."""
    folders = [ROOT / name for name in ("docs", "leaderboards", "plugins", "benchmarks", "tests")]
    every = {*ROOT.glob("*.md"), *(page for f in folders for page in f.rglob("*.md"))}
    inside = {page for page in every if {"example_plugin", ".pytest_cache"} & set(page.parts)}
    assert every - inside == set(PAGES)
