"""A paper study (TOML): grids that repeat a paper's experiments, its figures and its claims."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, TypeAlias, TypeVar

from pydantic import BeforeValidator, Field, PrivateAttr, ValidationError

from synthbench.contracts.frozen import Frozen
from synthbench.errors import (
    ConfigurationError,
    SynthbenchError,
    did_you_mean,
    first_mistake,
)
from synthbench.plan.name_pattern import NAME
from synthbench.plan.study.file import (
    StudyFile,
    parse_study,
    refuse_fields_of_the_protocol,
)
from synthbench.plan.study.measured_file import MEASUREMENTS, MeasuredFile, parse_measured
from synthbench.plan.study.toml_lines import KeyPath
from synthbench.plan.study.toml_source import TomlSource

if TYPE_CHECKING:
    from pydantic_core import ErrorDetails

E = TypeVar("E", bound=SynthbenchError)
SUFFIX = ".toml"
"""Of a file, where a name is a plugin's study."""
PLACED = ("name", "out")
"""What a study file says of its folder; that of a grid follows from the names."""
FULL, SAYS = "full", "says"
"""Keys of a grid beside those of a study file."""


def _listed(names: object) -> object:
    return (names,) if isinstance(names, str) else names


GridNames: TypeAlias = Annotated[tuple[str, ...], BeforeValidator(_listed)]
Lines: TypeAlias = Annotated[tuple[str, ...], BeforeValidator(_listed)]


class Grid(Frozen):
    """Cells that are trained together, or measurements, and what of them is larger in the paper."""

    says: str = ""
    """What it is, such as which quirk of the released code it has."""
    small: StudyFile | MeasuredFile
    """As it is run by default."""
    full: StudyFile | MeasuredFile
    """With the paper's sizes; the same where these are small."""


class PaperFigure(Frozen):
    """A picture of a grid, to be held beside one of the paper."""

    grid: GridNames = Field(default=(), max_length=1)
    """Which grid is drawn; the only one where there is one."""
    kind: str
    """Of `synthbench plot`."""
    source: str = ""
    """The paper's figure, such as Figure 2."""
    caption: str
    """What the paper's figure shows, and what to look for here."""
    x: str | None = None
    """As the options of `synthbench plot`, and so are y, value, group and score."""
    y: str | None = None
    value: str | None = None
    group: str | None = None
    probes: Lines | None = Field(default=None, min_length=1)
    """Of the kind `probes`: those that are drawn, or single numbers of them; default: all."""
    score: str | None = None
    where: str | None = None
    """Draw these configurations alone: a condition as of `synthbench metrics --where`."""


class StatedClaim(Frozen):
    """A sentence of the paper as a number that can be measured, and where that must lie."""

    name: str = Field(pattern=f"^{NAME}$", max_length=64)
    says: str
    """The sentence."""
    source: str
    """Where the paper says it: a section, a figure, a theorem."""
    grid: GridNames = ()
    """On which grid it is judged; on each, where several are named."""
    quantity: str
    """An expression over the table of the grid's replicas."""
    holds: str
    """On which side of which number it has to be, such as >= 0.9."""
    note: str = ""
    """What else a reader should know of the judgement."""


class PaperStudy(Frozen):
    """What a paper found, as grids to train or measure, figures to draw and claims to judge."""

    name: str = Field(pattern=f"^{NAME}$", max_length=64)
    title: str
    paper: str
    """Authors, year and where it is to be found."""
    summary: str
    departures: Lines = ()
    """In what the grids differ from the paper's experiments."""
    grids: Mapping[str, Grid] = Field(min_length=1)
    figures: tuple[PaperFigure, ...] = ()
    claims: tuple[StatedClaim, ...] = ()

    _path: Path = PrivateAttr(default=Path())

    @property
    def path(self) -> Path:
        """Its file."""
        return self._path

    def grids_of(self, part: PaperFigure | StatedClaim) -> tuple[str, ...]:
        """Names of the grids that a figure or a claim is about."""
        return part.grid or tuple(self.grids)[:1]


NO_NAME = "no name: lower-case words and numbers joined by '-', such as late-jump"
PARTS: dict[str, type[Frozen]] = {"figures": PaperFigure, "claims": StatedClaim}
"""The tables of a file that are lists."""


def names_a_file(named: str) -> bool:
    """Whether a word stands for the file of a study; otherwise it is the name of one."""
    return named.endswith(SUFFIX) or Path(named).is_file()


def read_paper_study(path: Path) -> PaperStudy:
    """Read a paper study.

    Raises ConfigurationError, with the line, for a key or a value that is wrong. Whether what it
    names is installed is not known here.
    """
    return parse_paper_study(TomlSource.read(path))


def parse_paper_study(source: TomlSource) -> PaperStudy:
    """The paper study of a file: as `read_paper_study`."""
    _refuse_unknown_keys(source)
    name = str(source.content.get("name", source.path.stem))
    written = source.content.get("grids", {})
    if not isinstance(written, Mapping):
        raise source.located(("grids",), ConfigurationError("write each as [grids.NAME]"))
    content = {
        **source.content,
        "name": name,
        "grids": {grid: _parse_grid(source, grid) for grid in written},
    }
    try:
        study = PaperStudy.model_validate(content)
    except ValidationError as error:
        raise _first(source, error) from None
    _check_names(source, study)
    study._path = source.path
    return study


def located_in(study: PaperStudy, path: KeyPath, error: E) -> E:
    """The error of what stands at a path of a study's file, with the file and the line.

    A file that has gone meanwhile leaves the error as it is.
    """
    try:
        return TomlSource.read(study.path).located(path, error)
    except ConfigurationError:
        return error


def grid_part(source: TomlSource, grid: str) -> TomlSource:
    """What a file says of a grid's small cells."""
    return source.part("grids", grid, without=(FULL, SAYS))


def full_part(source: TomlSource, grid: str) -> TomlSource | None:
    """What it says of the paper's sizes, if it does."""
    return source.part("grids", grid, FULL) if FULL in source.content["grids"][grid] else None


def _parse_grid(source: TomlSource, name: str) -> Grid:
    place = ("grids", name)
    if re.fullmatch(NAME, name) is None:
        raise source.located(
            place, ConfigurationError("a grid's name is lower-case words joined by '-'")
        )
    part, larger = grid_part(source, name), full_part(source, name)
    measured = MEASUREMENTS in part.content
    _refuse_keys(part, measured, (SAYS, FULL))
    if larger is not None:
        _refuse_keys(larger, measured, ())
    parse = parse_measured if measured else _parse_cells
    small = parse(part)
    changes = {} if larger is None else parse(larger).model_dump(exclude_unset=True)
    says = source.content["grids"][name].get(SAYS, "")
    try:
        return Grid(says=says, small=small, full=small.changed(changes))
    except ValidationError as error:
        message = first_mistake(error).message
        raise source.located((*place, SAYS), ConfigurationError(message)) from None


def _refuse_keys(source: TomlSource, measured: bool, beside: Sequence[str]) -> None:
    """Raise, with the line, for a key that a grid has not; beside: keys of no study file."""
    if measured:
        source.refuse_keys_beyond([*MeasuredFile.model_fields, *beside], "a grid that is measured")
        return
    for key in PLACED:
        if key in source.content:
            raise source.located(
                (key,),
                ConfigurationError("a grid has none: its results go to OUT/STUDY/GRID"),
            )
    refuse_fields_of_the_protocol(source)
    own = [key for key in StudyFile.model_fields if key not in PLACED]
    source.refuse_keys_beyond([*own, *beside, MEASUREMENTS], "a grid")


def _parse_cells(source: TomlSource) -> StudyFile:
    """What stands in a grid as a study file, without a place of its own."""
    file = parse_study(source)
    given = file.model_dump(exclude_unset=True)
    return StudyFile.model_validate({key: given[key] for key in given if key not in PLACED})


def _check_names(source: TomlSource, study: PaperStudy) -> None:
    """Raise for a grid that there is not, for one that has to be named, and for a second claim."""
    parts = [(("figures", place), each.grid) for place, each in enumerate(study.figures)]
    parts += [(("claims", place), each.grid) for place, each in enumerate(study.claims)]
    known = ", ".join(study.grids)
    for path, grids in parts:
        if not grids and len(study.grids) > 1:
            raise source.located(path, ConfigurationError(f"name its grid (grids: {known})"))
        for grid in grids:
            if grid not in study.grids:
                guess = did_you_mean(grid, study.grids)
                raise source.located(
                    (*path, "grid"),
                    ConfigurationError(f'there is no grid "{grid}"{guess} (grids: {known})'),
                )
    names = [claim.name for claim in study.claims]
    for place, name in enumerate(names):
        if name in names[:place]:
            raise source.located(
                ("claims", place, "name"),
                ConfigurationError(f'another claim is called "{name}"; choose another name'),
            )


def _refuse_unknown_keys(source: TomlSource) -> None:
    if "grids" not in source.content and source.content.keys() & StudyFile.model_fields.keys():
        message = f"this is the file of one grid, [grids.NAME]: synthbench eval {source.path}"
        raise source.located((), ConfigurationError(message))
    source.refuse_keys_beyond(PaperStudy.model_fields, "a paper study")


def _first(source: TomlSource, error: ValidationError) -> ConfigurationError:
    """The first thing that is wrong, at its line; a misspelt key before one that is missing."""
    found = error.errors()
    first = next((each for each in found if each["type"] == "extra_forbidden"), found[0])
    message = _worded(source, first) or first_mistake(error).message
    return source.located(first["loc"], ConfigurationError(message))


def _worded(source: TomlSource, mistake: ErrorDetails) -> str:
    """What is wrong, where pydantic would speak of its own types and patterns; else nothing."""
    place, given = mistake["loc"], mistake["input"]
    key = str(place[-1])
    match mistake["type"]:
        case "extra_forbidden":
            known = PARTS[str(place[0])].model_fields
            return f"there is no such key{did_you_mean(key, known)} (keys: {', '.join(known)})"
        case "missing":
            return f'it needs the key "{key}"'
        case "tuple_type" | "model_type" if place[0] in PARTS and len(place) < 3:
            return f"write each as [[{place[0]}]]"
        case "too_long" if key == "grid":
            return "a figure is of one grid; write another figure for another grid"
        case "string_pattern_mismatch" if key not in source.content and place == ("name",):
            return f'a study is called as its file, and "{given}" is {NO_NAME}: give it a `name`'
        case "string_pattern_mismatch":
            return f'"{given}" is {NO_NAME}'
    return ""
