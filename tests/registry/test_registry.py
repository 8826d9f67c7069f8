"""References: parsing, validation, suggestions, and the way back."""

from __future__ import annotations

import json

import pytest

from synthbench.errors import ConfigurationError, RecordError, UnknownNameError
from synthbench.registry.kinds import KINDS, MODEL, TASK
from synthbench.registry.reference import split_reference
from synthbench.registry.registry import installed
from synthbench.registry.staging import EVENTS, HOOKS

REGISTRY = installed()


def test_a_reference_becomes_a_validated_object() -> None:
    task = REGISTRY.task("sparse-parity n=30 k=3 noise=0.05")
    assert (task.n, task.k, task.noise) == (30, 3, 0.05)
    assert task.label() == "sparse-parity n=30 k=3 noise=0.05"


def test_recipe_fields_stand_beside_the_models_own() -> None:
    model = REGISTRY.model("mlp width=8 lr=0.05 optimizer=adamw clip=1.0")
    assert (model.width, model.recipe.lr, model.recipe.optimizer) == (8, 0.05, "adamw")
    assert model.recipe.loss == "hinge", "the model's own recipe is the base"
    assert model.label() == "mlp width=8 optimizer=adamw lr=0.05 clip=1"
    assert REGISTRY.model("mlp loss=none").recipe.loss is None


@pytest.mark.parametrize(
    "reference",
    ["mlp", "mlp width=8 lr=0.05 loss=square", "mlp init=sparse bias=false warmup=10 loss=none"],
)
def test_a_label_rebuilds_its_model(reference: str) -> None:
    model = REGISTRY.model(reference)
    assert REGISTRY.model(model.label()) == model
    assert REGISTRY.rebuild(MODEL, model.describe()) == model


def test_every_kind_has_a_hook_and_every_hook_that_registers_a_kind() -> None:
    assert {kind.hook for kind in KINDS} == set(HOOKS) - set(EVENTS)


def test_what_is_no_reference_is_given_back() -> None:
    model = REGISTRY.get(MODEL, "mlp width=8")
    assert REGISTRY.get(MODEL, model) is model


def test_another_version_is_not_rebuilt() -> None:
    description = {**REGISTRY.task("sparse-parity").describe(), "version": 7}
    with pytest.raises(RecordError, match="of version 1 here, 7 in the record"):
        REGISTRY.rebuild(TASK, description)


@pytest.mark.parametrize(
    ("kind", "reference", "message"),
    [
        (
            "task",
            "sparse-partiy",
            'unknown task "sparse-partiy"; did you mean "sparse-parity"? (synth',
        ),
        ("task", "nothing-like-it", 'unknown task "nothing-like-it" (synthbench list tasks)'),
        ("model", "mpl", 'unknown model "mpl"; did you mean "mlp"?'),
        ("probe", "movement", "unknown probe"),
    ],
)
def test_unknown_names_get_suggestions(kind: str, reference: str, message: str) -> None:
    with pytest.raises(UnknownNameError) as caught:
        getattr(REGISTRY, kind)(reference)
    assert str(caught.value).startswith(message)


@pytest.mark.parametrize(
    ("reference", "message"),
    [
        (
            "sparse-parity n=-1",
            '"sparse-parity" n = -1: input should be greater than or equal to 1',
        ),
        ("sparse-parity n=4 k=5", '"sparse-parity" k must be at most n=4, got 5'),
        (
            "sparse-parity nois=0.1",
            'has no field "nois"; did you mean "noise"? (fields: target,',
        ),
        ("sparse-parity n=many", "n = 'many': input should be a valid integer"),
        ("sparse-parity noise=nan", "noise = 'nan': input should be a finite number"),
        ("sparse-parity n", "cannot read \"n\" in 'sparse-parity n': write field=value"),
        ("sparse-parity smal n=9", 'or a preset: small, barak, merrill; did you mean "small"?'),
        ("sparse-parity n=9 small", "cannot read \"small\" in 'sparse-parity n=9 small'"),
        ("sparse-parity n=3 n=4", 'field "n" is given twice'),
        ("sparse-parity n='3", "no closing quotation"),
        ("", "a reference must begin with a name"),
    ],
)
def test_bad_references_say_what_is_allowed(reference: str, message: str) -> None:
    with pytest.raises(ConfigurationError) as caught:
        REGISTRY.task(reference)
    assert message.lower() in str(caught.value).lower()
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("reference", "message"),
    [
        ("mlp widht=3", 'did you mean "width"?'),
        ("mlp lr=0", "lr = 0: input should be greater than 0"),
        ("mlp optimizer=adm", 'unknown optimizer "adm"; did you mean "adam"? (optimizers: sgd,'),
        ("mlp optimizer=3", "must be one of sgd, adam, adamw, or an Optimizer object"),
        ("mlp optimizer.momentum=0.9", "needs an optimizer of a plugin, and this is sgd"),
        ("mlp optimizer=adam optimizer.x=1", "needs an optimizer of a plugin, and this is adam"),
        ("mlp optimizer=muon optimizer.momentun=1", 'did you mean "momentum"?'),
        ("mlp optimizer=muon optimizer.momentum=2", '"muon" momentum = 2: input should be less'),
        ("mlp optimizer=muon momentum=0.9", "written optimizer.field=value"),
        ("mlp optimizer=adam momentum=0.9", "momentum and nesterov need optimizer=sgd"),
        ("mlp recipe=3", 'no field "recipe"'),
    ],
)
def test_bad_models_say_what_is_allowed(reference: str, message: str) -> None:
    with pytest.raises((ConfigurationError, UnknownNameError)) as caught:
        REGISTRY.model(reference)
    assert message in str(caught.value)
    assert "\n" not in str(caught.value)


def test_an_optimizer_of_a_plugin_is_part_of_the_reference_and_of_the_record() -> None:
    reference = "mlp width=8 optimizer=muon optimizer.momentum=0.9 optimizer.adamw=readout lr=0.02"
    model = REGISTRY.model(reference)
    assert model.recipe.optimizer == REGISTRY.optimizer("muon momentum=0.9 adamw=readout")
    assert model.label() == reference and REGISTRY.model(model.label()) == model
    stored = json.loads(json.dumps(model.describe()))
    assert stored["recipe"]["optimizer"]["name"] == "muon"
    assert REGISTRY.rebuild(MODEL, stored) == model
    stored["recipe"]["optimizer"]["version"] = 99
    with pytest.raises(RecordError, match='optimizer "muon" is of version 1 here, 99 in the'):
        REGISTRY.rebuild(MODEL, stored)


def test_tokens_are_split_like_a_shell() -> None:
    assert split_reference("name a='x y' b=1=2") == ("name", None, {"a": "x y", "b": "1=2"})
    assert split_reference("name small a=1") == ("name", "small", {"a": "1"})
