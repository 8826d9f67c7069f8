"""Configurations to try, proposed by Optuna's samplers."""

from __future__ import annotations

import math
import warnings
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal, cast, get_args

from synthbench.errors import ConfigurationError, did_you_mean
from synthbench.plan.space import Range, Several, Space
from synthbench.tuning.rounding import rounded_text

if TYPE_CHECKING:
    from optuna.distributions import BaseDistribution
    from optuna.samplers import BaseSampler
    from optuna.study import Study
    from optuna.trial import FrozenTrial, Trial

SamplerName = Literal["quasi-random", "grid", "random", "tpe"]
ROUND = 4
"""Configurations that TPE proposes before it hears how they did."""
MISSES = 1000
"""Proposals in a row of what was proposed before, after which there is taken to be nothing new."""


@dataclass(frozen=True)
class Proposal:
    """One configuration: the texts of the searched fields, and the reference of the whole."""

    fields: Mapping[str, str]
    reference: str


class Proposer:
    """Proposes configurations of a space, each once; a function of space, sampler and seed.

    So asking for more later goes on where the earlier ones ended. What TPE proposes depends on what
    it was told, too. round: how many to ask for before telling how they did; None: any number.
    """

    def __init__(self, space: Space, sampler: SamplerName, seed: int) -> None:
        """Raises ConfigurationError for the grid of a range without a count."""
        self.round = ROUND if sampler == "tpe" else None
        self._space = space
        self._distributions = _distributions(space)
        self._study = _study(_sampler(space, sampler, seed, self._distributions))
        self._asked: dict[str, Trial] = {}
        self._told: dict[str, float] = {}

    def ask(self, count: int) -> list[Proposal]:
        """So many configurations that were not proposed before; fewer where the space ends."""
        found: list[Proposal] = []
        misses = 0
        while len(found) < count and len(self._asked) < size(self._space) and misses < MISSES:
            trial = self._study.ask(self._distributions)
            proposal = self._proposal(trial.params)
            if proposal.reference in self._asked:
                misses += 1
                self._repeat(trial, proposal)
            else:
                misses = 0
                self._asked[proposal.reference] = trial
                found.append(proposal)
        return found

    def tell(self, proposal: Proposal, loss: float | None) -> None:
        """How a proposed configuration did: less is better; None: it failed. Only TPE listens."""
        from optuna.trial import TrialState

        if self.round is None:
            return
        trial = self._asked[proposal.reference]
        if loss is None:
            self._study.tell(trial, state=TrialState.FAIL)
        else:
            self._study.tell(trial, loss)
            self._told[proposal.reference] = loss

    def _proposal(self, values: Mapping[str, Any]) -> Proposal:
        fields = {
            key: rounded_text(values[key], each) if isinstance(each, Range) else values[key]
            for key, each in self._space.fields.items()
            if not isinstance(each, str)
        }
        return Proposal(fields, self._space.point(fields))

    def _repeat(self, trial: Trial, proposal: Proposal) -> None:
        """Tell at once what is known of a configuration that is proposed again."""
        from optuna.trial import TrialState

        if self.round is None:
            return
        if proposal.reference in self._told:
            self._study.tell(trial, self._told[proposal.reference])
        else:
            self._study.tell(trial, state=TrialState.FAIL)


def read_sampler(text: str) -> SamplerName:
    """The sampler of that name; ConfigurationError for another."""
    allowed = get_args(SamplerName)
    if text in allowed:
        return cast("SamplerName", text)
    raise ConfigurationError(
        f'unknown sampler "{text}"{did_you_mean(text, allowed)} (samplers: {", ".join(allowed)})'
    )


def size(space: Space) -> float:
    """Number of configurations; infinite with a range."""
    ranges = any(isinstance(each, Range) for each in space.fields.values())
    return math.inf if ranges else space.count


def refuse_ranges(space: Space) -> None:
    """Raise ConfigurationError, as for a grid, where a field has a range without a count."""
    for key, each in space.fields.items():
        if isinstance(each, Range):
            raise ConfigurationError(
                f'"{space.name}" {key} = {each} has no end of values, which a grid needs; give a '
                f"count, such as {str(each)[:-1]},7), or take another --sampler"
            )


def _distributions(space: Space) -> dict[str, BaseDistribution]:
    return {
        key: _distribution(each) for key, each in space.fields.items() if not isinstance(each, str)
    }


def _distribution(values: Several | Range) -> BaseDistribution:
    from optuna.distributions import CategoricalDistribution, FloatDistribution, IntDistribution

    if isinstance(values, Several):
        return CategoricalDistribution(values.values)
    log = values.scale == "log"
    if values.whole:
        return IntDistribution(int(values.low), int(values.high), log=log)
    return FloatDistribution(values.low, values.high, log=log)


def _sampler(
    space: Space, name: SamplerName, seed: int, distributions: Mapping[str, BaseDistribution]
) -> BaseSampler:
    from optuna.samplers import GridSampler, QMCSampler, RandomSampler, TPESampler

    class QuasiRandomSampler(QMCSampler):
        """Sobol points from the first trial on; Optuna's own draws that one at random."""

        def infer_relative_search_space(
            self, study: Study, trial: FrozenTrial
        ) -> dict[str, BaseDistribution]:
            return dict(distributions)

    if name == "grid":
        refuse_ranges(space)
        choices = {k: each.values for k, each in space.fields.items() if isinstance(each, Several)}
        return GridSampler(choices, seed=seed)
    if name == "random":
        return RandomSampler(seed=seed)
    if name == "tpe":
        return TPESampler(seed=seed)
    with warnings.catch_warnings():
        # Optuna has called it experimental since 2022.
        warnings.filterwarnings("ignore", message="QMCSampler is experimental")
        return QuasiRandomSampler(scramble=True, seed=seed)


def _study(sampler: BaseSampler) -> Study:
    import optuna

    before = optuna.logging.get_verbosity()
    # It would say on stderr that a study was created.
    optuna.logging.set_verbosity(optuna.logging.WARNING)
    try:
        return optuna.create_study(sampler=sampler)
    finally:
        optuna.logging.set_verbosity(before)
