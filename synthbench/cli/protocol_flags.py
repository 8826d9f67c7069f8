"""The flags of `synthbench eval` that change how cells are measured.

They are made from the protocol's fields: a flag says what the field's docstring says, and allows
what the field allows.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable
from functools import wraps
from typing import Annotated, Any, Literal, get_args, get_origin

import typer
from pydantic import ValidationError
from pydantic.fields import FieldInfo

from synthbench.errors import ConfigurationError, first_mistake
from synthbench.plan import counts
from synthbench.plan.protocol import Protocol
from synthbench.plan.protocol_grid import COUNTS

FLAGS = (
    "seeds",
    "first_seed",
    "initializations",
    "budget",
    "train_samples",
    "score",
    "evaluation_samples",
    "until",
    "precision",
)
"""The fields that have a flag, in the order of `--help`."""
OF_SUITES = ("seeds", "budget", "train_samples", "score", "evaluation_samples")
"""What a suite fixes unless a flag says otherwise."""


def parse_count(text: str) -> int:
    """`640k`, `1.5M` or `20000` as an integer, for a flag that takes one number of samples."""
    try:
        return counts.parse_count(text)
    except ConfigurationError as error:
        raise typer.BadParameter(str(error)) from None


def changed_protocol(make: Callable[[], Protocol]) -> Protocol:
    """What `make` returns; ConfigurationError, naming the flag, for a value that is not allowed."""
    try:
        return make()
    except ValidationError as error:
        where, message, given = first_mistake(error)
        option = "--" + where.replace("_", "-")
        raise ConfigurationError(f"{option} {given}: {message}") from None


def takes_protocol_flags(command: Callable[..., None]) -> Callable[..., None]:
    """A command whose parameter `changes` becomes the flags, and hears of those that were given.

    changes: protocol field -> text, which may stand for several values.
    """

    @wraps(command)
    def with_flags(**arguments: Any) -> None:
        flags = {name: arguments.pop(name) for name in FLAGS}
        given = {name: value for name, value in flags.items() if value is not None}
        command(**arguments, changes=given)

    parameters: list[inspect.Parameter] = []
    for parameter in inspect.signature(command, eval_str=True).parameters.values():
        parameters += map(_flag, FLAGS) if parameter.name == "changes" else [parameter]
    # Typer reads the first, and the second for what the first leaves open.
    with_flags.__dict__["__signature__"] = inspect.Signature(parameters)
    with_flags.__annotations__ = {each.name: each.annotation for each in parameters}
    return with_flags


def _flag(name: str) -> inspect.Parameter:
    """An option that takes text: it may stand for several values."""
    field = Protocol.model_fields[name]
    option = typer.Option(metavar=_metavar(name, field), help=_help(name, field))
    return inspect.Parameter(
        name,
        inspect.Parameter.POSITIONAL_OR_KEYWORD,
        default=None,
        annotation=Annotated[str | None, option],
    )


def _words(field: FieldInfo) -> tuple[str, ...]:
    """Those that a literal allows; none for a number."""
    return get_args(field.annotation) if get_origin(field.annotation) is Literal else ()


def _metavar(name: str, field: FieldInfo) -> str:
    if name in COUNTS:
        return "SAMPLES"
    return "TEXT" if _words(field) or name == "score" else "INTEGER"


def _help(name: str, field: FieldInfo) -> str:
    """The field's docstring, the words it takes, and its default where it has one."""
    parts = [" ".join((field.description or "").split())]
    if words := _words(field):
        parts.append(f"One of: {', '.join(words)}.")
    if field.default is not None:
        suites = ", or the suite's" if name in OF_SUITES else ""
        parts.append(f"Default: {field.default}{suites}.")
    return " ".join(parts)
