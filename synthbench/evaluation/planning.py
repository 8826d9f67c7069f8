"""What will be trained: from tasks, models, probes and suites, or their names, to cells."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import NamedTuple, cast

from pydantic import ValidationError

from synthbench.contracts.configuration import Configuration
from synthbench.contracts.model import Model
from synthbench.contracts.preset import Preset
from synthbench.contracts.probe import Probe
from synthbench.contracts.task import Task
from synthbench.errors import ConfigurationError, first_mistake
from synthbench.plan.cell import Cell
from synthbench.plan.protocol import Protocol
from synthbench.plan.suite import Suite, cell_protocol, suite_protocol
from synthbench.registry.bare_model import Builder, as_model
from synthbench.registry.reference import split_reference
from synthbench.registry.registry import installed

NO_MODEL = (
    "name a suite, or a task and a model: synthbench eval quickstart, or synthbench eval --task "
    "'sparse-parity n=30 k=3' --model mlp; a preset, --task 'sparse-parity small', brings a model"
)


class Participants(NamedTuple):
    """The models that are trained, and the probes that look on."""

    models: Sequence[str | Model | Builder] = ()
    probes: Sequence[str | Probe] = ()


def with_preset(task: object, given: Participants) -> tuple[Participants, dict[str, int]]:
    """Who takes part on a task, and the fields of the protocol that its preset sets.

    Where no model is given, that of the preset is, and its probes with it; one that is given too
    is as given. Raises ConfigurationError where there is no model either.
    """
    preset = installed().preset(task) or Preset()
    defaults = preset.protocol()
    if given.models:
        return given, defaults
    if preset.model is None:
        raise ConfigurationError(NO_MODEL)
    named = {resolve_probe(probe).name for probe in given.probes}
    added = [probe for probe in preset.probes if split_reference(probe).name not in named]
    return Participants((preset.model,), (*added, *given.probes)), defaults


def preset_protocol(task: object) -> dict[str, int]:
    """The fields of the protocol that the preset of a task's reference sets; none without one."""
    return (installed().preset(task) or Preset()).protocol()


def plan_suite(
    suite: Suite,
    models: Sequence[str | Model | Builder],
    protocol: Protocol | None = None,
    numbers: Sequence[int] = (),
) -> list[Cell]:
    """The cells of a suite for the given models: for each task, every model.

    models: as `evaluate` takes them. protocol: default `suite_protocol(suite)`. What a row of the
    suite says applies unless the protocol names its own. numbers: only these cells of the
    suite, counted from 1; default all. Raises ConfigurationError for a cell that it does not have.
    """
    if numbers and max(numbers) > len(suite.cells):
        raise ConfigurationError(
            f'suite "{suite.name}" has cells 1 to {len(suite.cells)}, there is no cell '
            f"{max(numbers)}"
        )
    registry = installed()
    for row in suite.cells:
        if registry.preset(row.task) is not None:
            raise ConfigurationError(
                f"suite \"{suite.name}\" names a preset, '{row.task}'; write its fields, so that "
                "the suite stays what it is"
            )
    shared = protocol or suite_protocol(suite)
    return [
        Cell(
            registry.task(row.task),
            resolve_model(model),
            cell_protocol(row, shared),
            tuple(registry.probe(probe) for probe in suite.probes),
        )
        for number, row in enumerate(suite.cells, start=1)
        for model in models
        if not numbers or number in numbers
    ]


def plan_cells(
    tasks: Sequence[str | Task],
    models: Sequence[str | Model | Builder],
    protocol: Protocol,
    probes: Sequence[str | Probe] = (),
) -> list[Cell]:
    """The cells of some tasks and models, measured alike: for each task, every model.

    tasks, models, probes: as `evaluate` takes them.
    """
    measured = tuple(resolve_probe(probe) for probe in probes)
    given = [resolve_task(task) for task in tasks]
    networks = [resolve_model(model) for model in models]
    return [Cell(task, model, protocol, measured) for task in given for model in networks]


def resolve_task(task: object) -> Task:
    """The task that was given, itself or by reference; ConfigurationError for anything else."""
    if isinstance(task, str | Task):
        return installed().task(task)
    raise _not_an_object(task, "task", "'sparse-parity n=30 k=3'")


def resolve_model(model: object) -> Model:
    """The model that was given, itself, by reference or as a bare module's builder."""
    if isinstance(model, str | Model):
        return installed().model(model)
    if isinstance(model, type) and issubclass(model, Model):
        raise _not_an_object(model, "model", "'mlp width=200'")
    return as_model(cast(Builder, model))


def resolve_probe(probe: object) -> Probe:
    """The probe that was given, itself or by reference; ConfigurationError for anything else."""
    if isinstance(probe, str | Probe):
        return installed().probe(probe)
    raise _not_an_object(probe, "probe", "'weight-movement'")


def with_shorthands(
    protocol: Protocol | None,
    shorthands: Mapping[str, int | None],
    defaults: Mapping[str, int] = {},
) -> Protocol:
    """The protocol with the shorthands that were given; ConfigurationError for a second word.

    defaults: fields that hold where neither names them.
    """
    given = {name: value for name, value in shorthands.items() if value is not None}
    shared = {} if protocol is None else protocol.model_dump(exclude_unset=True)
    for name in given:
        if name in shared:
            raise ConfigurationError(
                f"{name} is named twice: leave out {name}={given[name]}, or {name} in the protocol"
            )
    try:
        return Protocol(**{**defaults, **shared, **given})
    except ValidationError as error:
        where, message, refused = first_mistake(error)
        raise ConfigurationError(f"{where} = {refused!r}: {message}") from None


def _not_an_object(given: object, kind: str, example: str) -> ConfigurationError:
    if isinstance(given, type) and issubclass(given, Configuration):
        own = given.__name__
        return ConfigurationError(f"got the class {own}; pass an object of it, such as {own}()")
    return ConfigurationError(
        f"a {kind} is an object or a reference such as {example}; got {given!r}"
    )
