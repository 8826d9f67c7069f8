"""The flags of `synthbench eval` that name cells on which others stand, and weights to keep."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, NamedTuple

from synthbench.errors import ConfigurationError

if TYPE_CHECKING:
    from synthbench.evaluation.kept_weights import KeepWeights
    from synthbench.evaluation.source_references import StandsOn
    from synthbench.plan.cell import Cell


class SourceFlags(NamedTuple):
    """What was typed after --teacher, --start, --mask and their companions."""

    teacher: str | None
    temperature: float | None
    hard: float | None
    start: str | None
    mask: str | None
    sparsity: float | None
    mask_scope: str | None


def parse_keep_weights(text: str | None) -> KeepWeights:
    """`last`, `all`, or steps such as `0,500,2000`; not given: none."""
    if text is None or text in ("last", "all"):
        return text or False
    steps = [part.strip() for part in text.split(",")]
    if not all(step.isdecimal() for step in steps):
        raise ConfigurationError(
            f"--keep-weights {text}: name last, all or optimizer steps such as 0,500,2000"
        )
    return tuple(int(step) for step in steps)


def standing_cells(cells: Sequence[Cell], flags: SourceFlags) -> list[Cell]:
    """The cells, each on what the flags name for it."""
    from synthbench.evaluation.source_references import stand

    on = _sources(flags)
    return [stand(cell, on) for cell in cells]


def _sources(flags: SourceFlags) -> StandsOn:
    from synthbench.evaluation.source_references import StandsOn, split_moment, split_moments
    from synthbench.plan.sources import Mask, Teacher

    _check_companions(flags)
    teacher = mask = None
    if flags.teacher is not None:
        name, moments = split_moments(flags.teacher)
        heat = 1.0 if flags.temperature is None else flags.temperature
        teacher = Teacher(name, moments, temperature=heat, hard=flags.hard or 0.0)
    if flags.mask is not None and flags.sparsity is not None:
        name, moment = split_moment(flags.mask, "mask")
        scope = flags.mask_scope or "global"
        mask = Mask(name, moment, sparsity=flags.sparsity, scope=scope)  # type: ignore[arg-type]
    return StandsOn(teacher, flags.start, mask)


def _check_companions(flags: SourceFlags) -> None:
    """Raise for a flag whose companion is missing."""
    if flags.mask is not None and flags.sparsity is None:
        raise ConfigurationError(
            "--mask needs --sparsity, the share of weights that is removed, such as 0.8"
        )
    for flag, needed in (
        ("temperature", "teacher"),
        ("hard", "teacher"),
        ("sparsity", "mask"),
        ("mask_scope", "mask"),
    ):
        given, other = getattr(flags, flag), getattr(flags, needed)
        if given is not None and other is None:
            raise ConfigurationError(f"--{flag.replace('_', '-')} goes with --{needed}; name one")
