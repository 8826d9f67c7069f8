"""From a study file, or flags that say the same, to a study."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, Literal, cast

from synthbench.errors import ConfigurationError, SynthbenchError
from synthbench.evaluation.kept_weights import KeepWeights
from synthbench.evaluation.source_references import NOBODY, split_moment, split_moments
from synthbench.evaluation.studies.plan import spanned
from synthbench.evaluation.studies.study import Study, Taught
from synthbench.plan.sources import LAST, Mask, Teacher
from synthbench.plan.study.file import StudyFile, parse_study
from synthbench.plan.study.toml_lines import KeyPath
from synthbench.plan.study.toml_source import TomlSource
from synthbench.plan.study.written_values import entry_text
from synthbench.registry.kinds import MEASUREMENT, MODEL, PROBE, SUITE, TASK, Kind
from synthbench.registry.registry import installed

REFERENCES: dict[str, Kind[Any]] = {"tasks": TASK, "models": MODEL, "probes": PROBE}
"""The keys of a study file that hold references."""
COMPANIONS = {"temperature": "teacher", "hard": "teacher", "sparsity": "mask", "mask_scope": "mask"}
"""Fields of a study that say more of another one."""


def read_study(path: Path | str) -> Study:
    """The study of a file.

    Raises a SynthbenchError that names the file and the line of what is wrong with it.
    """
    return as_study(read_study_file(Path(path)))


def read_study_file(path: Path) -> StudyFile:
    """The content of a study file, all of whose references exist and are allowed."""
    source = TomlSource.read(path)
    file = parse_study(source)
    check_references(source, file)
    return file


def check_references(source: TomlSource, file: StudyFile) -> None:
    """Raise a SynthbenchError, with the line, unless what a file names exists and is allowed.

    source: of the file, as `parse_study` took it.
    """
    for key, kind in REFERENCES.items():
        check_entries(source, key, kind, getattr(file, key))
    if file.suite is not None and (error := _refused(SUITE, file.suite)):
        raise source.located(("suite",), error)
    for field in ("keep_weights", *COMPANIONS, "mask"):
        try:
            _check(file, field, str)
        except ConfigurationError as error:
            raise source.located((field,), error) from None


def check_entries(source: TomlSource, key: str, kind: Kind[Any], entries: Sequence[str]) -> None:
    """Raise a SynthbenchError, with the line, for a reference under a key that is not allowed."""
    for place, reference in enumerate(entries):
        if error := _refused(kind, reference):
            raise source.located(_culprit(source, key, place, (kind, error)), error)


def flag_of(field: str) -> str:
    """`--mask-scope`: the flag that sets a field of a study."""
    return f"--{field.replace('_', '-')}"


def as_study(file: StudyFile) -> Study:
    """The study that a file, or what flags say, stands for.

    Raises ConfigurationError, which names the flag, for what needs another one.
    """
    for field in (*COMPANIONS, "mask"):
        _check(file, field, flag_of)
    masks = []
    if file.mask is not None and file.sparsity is not None:
        name, moment = split_moment(file.mask, "mask")
        scope = cast("Literal['global', 'layer']", file.mask_scope or "global")
        masks = [Mask(name, moment, sparsity=each, scope=scope) for each in file.sparsity]
    return Study(
        tasks=file.tasks,
        models=file.models,
        protocol=file.protocol,
        probes=file.probes,
        suite=file.suite,
        suite_cells=file.cells,
        teacher=_teachers(file),
        start=file.start,
        mask=masks or None,
        keep_weights=parse_keep_weights(file.keep_weights, flag_of),
        name=file.name,
        out=file.out,
    )


def parse_keep_weights(
    given: str | tuple[int, ...] | None, named: Callable[[str], str] = str
) -> KeepWeights:
    """`last`, `all`, or steps such as `0,500,2000`; not given: none.

    named: the field as the caller's user knows it, for the message of a ConfigurationError.
    """
    if not isinstance(given, str) or given in (LAST, "all"):
        return given or False
    steps = [part.strip() for part in given.split(",")]
    if not all(step.isdecimal() for step in steps):
        raise ConfigurationError(
            f"{named('keep_weights')} {given}: name last, all or optimizer steps such as 0,500,2000"
        )
    return tuple(int(step) for step in steps)


def _teachers(file: StudyFile) -> Taught | list[Taught]:
    """The one that is named, or those."""
    if isinstance(file.teacher, tuple):
        return [_teacher(file, each) for each in file.teacher]
    return _teacher(file, file.teacher)


def _teacher(file: StudyFile, given: str | None) -> Teacher[Any] | None:
    if given in (None, NOBODY):
        return None
    name, moments = split_moments(given)
    heat = 1.0 if file.temperature is None else file.temperature
    return Teacher(name, moments, temperature=heat, hard=file.hard or 0.0)


def _check(file: StudyFile, field: str, named: Callable[[str], str]) -> None:
    """Raise ConfigurationError unless a field that is given has its companion, and can be read."""
    if getattr(file, field) is None:
        return
    if field == "keep_weights":
        parse_keep_weights(file.keep_weights, named)
    elif field == "mask" and file.sparsity is None:
        raise ConfigurationError(
            f"{named('mask')} needs {named('sparsity')}, the share of weights that is removed, "
            "such as 0.8"
        )
    elif field in COMPANIONS and getattr(file, COMPANIONS[field]) is None:
        raise ConfigurationError(f"{named(field)} goes with {named(COMPANIONS[field])}; name one")


def _refused(kind: Kind[Any], reference: str) -> SynthbenchError | None:
    try:
        if kind in (TASK, MODEL, MEASUREMENT):
            spanned(kind, reference)
        elif kind == SUITE:
            installed().suite(reference)
        else:
            installed().get(kind, reference)
    except SynthbenchError as error:
        return error
    return None


def _culprit(
    source: TomlSource, key: str, place: int, refused: tuple[Kind[Any], SynthbenchError]
) -> KeyPath:
    """The path of the field that alone is refused for the same reason, or of the whole entry."""
    entries, (kind, error) = source.content[key], refused
    entry = entries[place] if isinstance(entries, list) else entries
    if isinstance(entry, Mapping):
        for field in entry:
            alone = entry_text({"name": entry["name"], field: entry[field]})
            if str(_refused(kind, alone)) == str(error):
                return (key, place, field)
    return (key, place)
