"""`synthbench show` of fields and of the optimizers that are built in."""

from __future__ import annotations

import pytest

from synthbench.contracts.elementwise import ELEMENTWISE
from synthbench.contracts.recipe import Recipe
from synthbench.plan.protocol import Protocol
from synthbench.registry.explained import allowed_values, field_names
from synthbench.registry.kinds import MODEL
from synthbench.registry.registry import installed
from tests.cli.command import run_command


def shown(capsys, monkeypatch, name: str) -> str:
    """What is shown, its lines joined."""
    code, out, err = run_command(capsys, monkeypatch, "show", name, columns=80)
    assert code == 0, err
    assert max(len(line) for line in out.splitlines()) <= 80
    return " ".join(out.split())


def test_a_field_of_the_recipe_and_the_models_that_begin_elsewhere(capsys, monkeypatch) -> None:
    text = shown(capsys, monkeypatch, "lr")
    assert "lr (recipe field, of every model) Peak learning rate." in text
    assert "default 0.1 allowed a number above 0 written beside" in text
    registry = installed()
    for name in registry.names(MODEL):
        usual = registry.find(MODEL, name).model_fields["recipe"].default.lr
        if usual == Recipe().lr:
            continue
        # In the list behind its default, which ends where the next default begins.
        listed = text.partition(f" {usual:g} for ")[2].partition(" for ")[0]
        assert name in listed.replace(",", " ").split(), name


def test_a_field_of_the_protocol_with_a_flag_and_one_without(capsys, monkeypatch) -> None:
    text = shown(capsys, monkeypatch, "first-seed")
    assert "protocol field" in text and "synthbench eval --first-seed" in text
    assert "whole number at least 0" in text
    text = shown(capsys, monkeypatch, "resolution")
    assert "Protocol(resolution=...)" in text and "above 0 and at most 1" in text


def test_a_field_of_models_says_whose_it_is(capsys, monkeypatch) -> None:
    text = shown(capsys, monkeypatch, "kernel")
    assert "kernel = models meaning" in text
    assert "4 short-convolution Positions that the convolution" in text


def test_a_name_that_is_a_field_of_several_things_shows_all(capsys, monkeypatch) -> None:
    text = shown(capsys, monkeypatch, "momentum")
    assert "recipe field" in text and "0.95 muon" in text
    assert shown(capsys, monkeypatch, "optimizer.momentum") == text


@pytest.mark.parametrize("name", ELEMENTWISE)
def test_a_built_in_optimizer(name: str, capsys, monkeypatch) -> None:
    text = shown(capsys, monkeypatch, name)
    found = ELEMENTWISE[name]
    assert f"{name} (optimizer) {found.summary} {found.rule}" in text
    assert found.paper in text and "built in" in text
    for field in found.fields:
        assert f" {field} " in text


def test_the_list_of_optimizers_begins_with_those_built_in(capsys, monkeypatch) -> None:
    _, out, _ = run_command(capsys, monkeypatch, "list", "optimizers", columns=80)
    names = [line.split()[0] for line in out.splitlines() if line.startswith((" sgd", " adam"))]
    assert names == ["sgd", "adam", "adamw"]


def test_every_field_can_be_asked_for(capsys, monkeypatch) -> None:
    registry = installed()
    names = field_names(registry)
    assert {*Recipe.model_fields, *Protocol.model_fields, "width", "symbols"} <= set(names)
    for name in names:
        if not registry.kinds_of(name):
            assert shown(capsys, monkeypatch, name)


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("batch_size", "a whole number at least 1 or full"),
        ("clip", "a number above 0 or none"),
        ("nesterov", "true or false"),
        ("decayed", "all or matrices"),
        ("momentum", "a number at least 0 and below 1"),
        ("optimizer", "sgd, adam, adamw, grokfast or muon"),
        ("loss", "a word or none"),
    ],
)
def test_what_is_allowed_in_words(name: str, words: str) -> None:
    assert allowed_values(installed(), Recipe.model_fields[name]) == words
