"""Snippets that are quick enough to run as they stand, and what must come out of them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from tests.docs.pages import ROOT, blocks


def run_snippets(page: str) -> dict[str, Any]:
    """Run a page's Python snippets in one namespace, which is returned."""
    names: dict[str, Any] = {}
    for block in blocks(ROOT / page):
        if block.language == "python":
            exec(block.text, names)
    return names


def test_those_of_the_readme(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    names = run_snippets("README.md")
    assert names["result"].record.summary.solved == 16
    assert len(names["data"]) > 16 and (tmp_path / "survival.png").exists()


def test_those_of_the_leaderboard_page(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """In a checkout, where the submissions are."""
    monkeypatch.chdir(ROOT)
    monkeypatch.setattr("datasets.config.HF_DATASETS_CACHE", tmp_path)
    names = run_snippets("docs/leaderboard.md")
    assert len(names["board"].entries) >= 2 and not names["board"].refused
    assert names["data"].num_rows > 32 * 10
    assert names["record"].summary.solved == sum(
        names["data"].to_pandas().groupby("replica").progress.last() >= 0.96
    )
