"""A study file (TOML): the cells of a study as people write them, and where a mistake stands."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any, TypeAlias

from pydantic import AfterValidator, BeforeValidator, Field, ValidationError

from synthbench.contracts.frozen import Frozen
from synthbench.errors import ConfigurationError, first_mistake
from synthbench.plan.field_values import FieldType, read_values
from synthbench.plan.protocol import Protocol
from synthbench.plan.protocol_grid import allowed_values
from synthbench.plan.space import values_of
from synthbench.plan.study.toml_source import TomlSource
from synthbench.plan.study.written_values import entry_text, native_value, value_text


def _listed(entries: object) -> object:
    """One entry alone is a list of one."""
    return [entries] if isinstance(entries, str | Mapping) else entries


def _numbers(given: object) -> object:
    """One number, or several as they are written of a field: `[0,0.5]`, `linear(0..0.8,5)`."""
    if isinstance(given, str):
        try:
            return values_of(read_values(given, FieldType(numbers="real")))
        except ConfigurationError as error:
            raise ValueError(str(error)) from None
    return given if isinstance(given, list | tuple) else [given]


def _folder_name(name: str) -> str:
    if name in (".", "..") or not name.isprintable() or set(name) & set("/\\"):
        raise ValueError(f"{name!r} cannot be the name of a folder")
    return name


Entry: TypeAlias = Annotated[str, BeforeValidator(entry_text)]
Entries: TypeAlias = Annotated[tuple[Entry, ...], BeforeValidator(_listed)]
ENTRIES = ("tasks", "models", "probes")
Text: TypeAlias = Annotated[str, BeforeValidator(value_text)]


class StudyFile(Frozen):
    """What `synthbench eval` evaluates, as flags or a file say it."""

    name: Annotated[str, AfterValidator(_folder_name)] = ""
    """Of the folder with the results; none: the file's own, the suite's or those of the tasks."""
    out: str = "runs"
    """The folder in which that one lies."""
    suite: str | None = None
    """A suite, in place of tasks."""
    cells: tuple[Annotated[int, Field(ge=1)], ...] = ()
    """Only these cells of the suite, from 1; none: all."""
    tasks: Entries = ()
    """References such as 'sparse-parity n=[20,30] k=3', or tables with a name and fields."""
    models: Entries = ()
    """The same of models; none: those of the suite."""
    probes: Entries = ()
    """Measured while training, beside those of the suite."""
    protocol: Mapping[str, Text] = {}
    """Fields of the protocol, each with one value or several."""
    teacher: str | tuple[str, ...] | None = None
    """On whose outputs every model is trained: a folder, or a model of the same task; none: on the
    labels. Of several every model is taught by each."""
    temperature: float | None = None
    """Divides the logits of teacher and student."""
    hard: float | None = None
    """Share of the recipe's own loss beside the teacher's."""
    start: str | None = None
    """With whose weights every model begins."""
    mask: str | None = None
    """Whose smallest weights are pruned."""
    sparsity: Annotated[
        tuple[float, ...] | None, Field(min_length=1), BeforeValidator(_numbers)
    ] = None
    """Share of the weights that the mask removes, or several."""
    mask_scope: str | None = None
    """global: pruned among all weights together; layer: in each tensor."""
    keep_weights: str | tuple[int, ...] | None = None
    """last, all or optimizer steps."""

    def changed(self, changes: Mapping[str, Any]) -> StudyFile:
        """With other values of some fields, and of those of the protocol that they name.

        Raises ConfigurationError for a value that a field does not take.
        """
        protocol = {**self.protocol, **changes.get("protocol", {})}
        own = self.model_dump(exclude_unset=True)
        try:
            return StudyFile.model_validate({**own, **changes, "protocol": protocol})
        except ValidationError as error:
            where, message, given = first_mistake(error)
            raise ConfigurationError(f"{where} = {given!r}: {message}") from None


def parse_study(source: TomlSource) -> StudyFile:
    """The study of a file; ConfigurationError, with the line, for a key or value that is wrong.

    References are not looked up: which names there are is not known here.
    """
    _refuse_unknown_keys(source)
    file = source.read_as(StudyFile)
    for field, text in file.protocol.items():
        try:
            allowed_values(field, text)
        except ConfigurationError as error:
            raise source.located(("protocol", field), error) from None
    return file if file.name else file.changed({"name": source.path.stem})


def study_toml(file: StudyFile) -> str:
    """The text of a file that says the same; what is not given is not in it."""
    # One flag needs it, and every command reads this module.
    import tomlkit

    document = tomlkit.document()
    for key, value in file.model_dump(exclude_unset=True, mode="json").items():
        if key in ENTRIES:
            entries = tomlkit.array()
            entries.extend(value)
            document[key] = entries.multiline(True)
        elif key != "protocol":
            document[key] = value
    if file.protocol:
        document["protocol"] = {key: native_value(text) for key, text in file.protocol.items()}
    return tomlkit.dumps(document)


def refuse_fields_of_the_protocol(source: TomlSource) -> None:
    """Raise ConfigurationError, with the line, for a protocol's field that stands outside it."""
    for key in source.content:
        if key in Protocol.model_fields:
            message = f"this is a field of the protocol: protocol = {{ {key} = ... }}"
            raise source.located((key,), ConfigurationError(message))


def _refuse_unknown_keys(source: TomlSource) -> None:
    if "grids" in source.content:
        raise source.located(
            (), ConfigurationError(f"this is a paper study: synthbench study run {source.path}")
        )
    refuse_fields_of_the_protocol(source)
    source.refuse_keys_beyond(StudyFile.model_fields, "a study")
