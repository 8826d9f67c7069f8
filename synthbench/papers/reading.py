"""From the name or the file of a paper study to one all of whose references exist."""

from __future__ import annotations

from pathlib import Path

from pydantic import ValidationError

from synthbench.errors import (
    ConfigurationError,
    SynthbenchError,
    UnknownNameError,
    did_you_mean,
    first_mistake,
)
from synthbench.evaluation.studies.reading import check_entries, check_references
from synthbench.measurements.figures import check_measured
from synthbench.plan.paper_study import (
    PaperFigure,
    PaperStudy,
    StatedClaim,
    full_part,
    grid_part,
    names_a_file,
    parse_paper_study,
)
from synthbench.plan.study.file import StudyFile, parse_study
from synthbench.plan.study.measured_file import MEASUREMENTS, MeasuredFile, parse_measured
from synthbench.plan.study.toml_source import TomlSource
from synthbench.registry.kinds import MEASUREMENT, STUDY
from synthbench.registry.registry import Registry, installed
from synthbench.results.figures import check_taken
from synthbench.results.figures.encoding import Encoding
from synthbench.results.table.condition import columns_of


def find_paper_study(named: str, registry: Registry | None = None) -> PaperStudy:
    """The paper study of a name, or of a file.

    Raises UnknownNameError for another name, and what `check_paper_study` does. registry: where
    names are looked up; default: everything installed.
    """
    if names_a_file(named):
        return check_paper_study(Path(named))
    return check_paper_study((registry or installed()).study(named).path)


def check_paper_study(path: Path) -> PaperStudy:
    """The paper study of a file, of which everything exists that it names.

    Raises a SynthbenchError with file and line for what is wrong: a task, a model or a probe that
    is not installed, a kind of picture, a quantity that cannot be read.
    """
    source = TomlSource.read(path)
    study = parse_paper_study(source)
    for grid in study.grids:
        for part in (grid_part(source, grid), full_part(source, grid)):
            if part is not None:
                _check_part(part, study.grids[grid].small)
    for place, figure in enumerate(study.figures):
        for key, check in (("kind", _check_figure), ("probes", _check_probes)):
            try:
                check(study, figure)
            except SynthbenchError as error:
                raise source.located(("figures", place, key), error) from None
        if figure.where is not None:
            try:
                columns_of(figure.where)
            except ConfigurationError as error:
                raise source.located(("figures", place, "where"), error) from None
    for place, claim in enumerate(study.claims):
        _check_claim(source, place, claim)
    return study


def name_of(study: PaperStudy) -> str:
    """As a command finds it: the name of a plugin's study, or the file of another."""
    registry = installed()
    known = study.name in registry.names(STUDY)
    is_installed = known and registry.study(study.name).path == study.path
    return study.name if is_installed else str(study.path)


def encoding_of(figure: PaperFigure) -> Encoding:
    """What a figure of a study shows of its grid."""
    return Encoding(figure.x, figure.y, figure.value, figure.group, figure.probes)


def _check_part(part: TomlSource, grid: StudyFile | MeasuredFile) -> None:
    """Raise, with the line, unless what a part of a grid names exists and is allowed."""
    if isinstance(grid, MeasuredFile):
        check_entries(part, MEASUREMENTS, MEASUREMENT, parse_measured(part).measurements)
    else:
        check_references(part, parse_study(part))


def _check_figure(study: PaperStudy, figure: PaperFigure) -> None:
    (name,) = study.grids_of(figure)
    encoding = encoding_of(figure)
    check_taken(encoding, [figure.kind])
    if isinstance(study.grids[name].small, MeasuredFile):
        check_measured(figure.kind, encoding, scored=figure.score is not None)


def _check_probes(study: PaperStudy, figure: PaperFigure) -> None:
    """Raise UnknownNameError for a probe that the figure's grid does not have.

    Which numbers a probe measures is known when it has looked at a network.
    """
    (name,) = study.grids_of(figure)
    grid = study.grids[name].small
    if figure.kind != "probes" or isinstance(grid, MeasuredFile):
        return
    known = _probes_of(grid)
    if not known:
        raise UnknownNameError(f'the grid "{name}" has no probes')
    for each in figure.probes or ():
        probe = each.partition("/")[0]
        if probe not in known:
            raise UnknownNameError(
                f'the grid "{name}" has no probe "{probe}"{did_you_mean(probe, known)} '
                f"(probes: {', '.join(known)})"
            )


def _probes_of(grid: StudyFile) -> list[str]:
    """Names of the probes that look at a grid's cells, those of its suite too."""
    own = installed().suite(grid.suite).probes if grid.suite is not None else ()
    return [reference.split()[0] for reference in (*own, *grid.probes)]


def _check_claim(source: TomlSource, place: int, claim: StatedClaim) -> None:
    # Judging needs scipy, and only who runs or reports a study judges.
    from synthbench.claims import Claim
    from synthbench.claims.named_columns import named_columns

    try:
        if not named_columns(claim.quantity):
            raise ConfigurationError(
                f'"{claim.quantity}" measures nothing: write what replicas have, such as '
                "median(samples_to_target), and the number it is held against in `holds`"
            )
    except ConfigurationError as error:
        raise source.located(("claims", place, "quantity"), error) from None
    try:
        Claim(**claim.model_dump(exclude={"grid"}))
    except ValidationError as error:
        where, message, _ = first_mistake(error)
        raise source.located(("claims", place, where), ConfigurationError(message)) from None
