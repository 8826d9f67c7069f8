"""What README and CONTRIBUTING say is true."""

from __future__ import annotations

import re
import shlex
from pathlib import Path

import pytest
import typer

from synthbench.cli.main import app
from synthbench.registry import installed

ROOT = Path(__file__).parent.parent
README = (ROOT / "README.md").read_text()
PAGES = [
    ROOT / name
    for name in (
        "README.md",
        "CONTRIBUTING.md",
        "plugins/README.md",
        "docs/leaderboard.md",
        "docs/metrics.md",
        "leaderboards/README.md",
        "leaderboards/RULES.md",
        "docs/hidden-progress.md",
        "docs/wandb.md",
    )
]


def blocks(language: str, text: str = README) -> list[str]:
    return re.findall(rf"```{language}\n(.*?)```", text, re.DOTALL)


def test_the_two_commands_are_there_whole() -> None:
    run, test = (line for block in blocks("sh") for line in block.splitlines() if "-m venv" in line)
    assert run.startswith("python3 -m venv .venv && ") and run.endswith(
        "synthbench eval quickstart"
    )
    assert test.startswith("python3 -m venv .venv && ") and test.endswith("python -m pytest")


def test_python_snippets_run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    for snippet in blocks("python"):
        names: dict = {}
        exec(snippet, names)
        assert names["result"].record.summary.solved == 16
        assert len(names["data"]) > 16 and (tmp_path / "survival.png").exists()


def test_the_snippets_of_the_leaderboard_page_run(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """In a checkout, where the submissions are."""
    monkeypatch.chdir(ROOT)
    monkeypatch.setattr("datasets.config.HF_DATASETS_CACHE", tmp_path)
    (snippet,) = blocks("python", (ROOT / "docs" / "leaderboard.md").read_text())
    names: dict = {}
    exec(snippet, names)
    assert len(names["board"].entries) >= 2 and not names["board"].refused
    assert names["data"].num_rows > 32 * 10
    assert names["record"].summary.solved == sum(
        names["data"].to_pandas().groupby("replica").progress.last() >= 0.96
    )


def test_shell_snippets_use_flags_that_exist() -> None:
    commands = typer.main.get_command(app).commands
    pages = [block for page in PAGES for block in blocks("sh", page.read_text())]
    lines = [
        re.sub(r"^([A-Z_]+=\S+ )+", "", line)
        for block in pages
        for line in block.replace("\\\n", " ").splitlines()
    ]
    found = [shlex.split(line, comments=True) for line in lines if line.startswith("synthbench ")]
    assert len(found) >= 12
    registry = installed()
    for _, name, *arguments in found:
        command = commands[name]
        while isinstance(command, typer.core.TyperGroup):
            name, *arguments = arguments
            command = command.commands[name]
        given = command.make_context(name, arguments).params
        for kind, parse in (("task", registry.task), ("model", registry.model),
                            ("probe", registry.probe)):  # fmt: skip
            references = given.get(kind) or []
            for reference in [references] if isinstance(references, str) else references:
                parse(reference)


@pytest.mark.parametrize("page", PAGES, ids=lambda p: p.name)
def test_links_lead_somewhere(page: Path) -> None:
    for target in re.findall(r"\]\(([^)#]+)\)", page.read_text()):
        assert target.startswith("https://") or (page.parent / target).exists(), target


def test_places_named_in_contributing_exist() -> None:
    text = (ROOT / "CONTRIBUTING.md").read_text()
    table = text[text.index("| place |") : text.index("What is public")]
    for row in table.strip().splitlines()[2:]:
        folder = Path()
        for name in re.findall(r"`([^`]+)`", row.split("|")[1]):
            path = Path(name) if "/" in name else folder / name
            assert (ROOT / path).exists(), name
            folder = path.parent
