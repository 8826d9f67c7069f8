"""Laws of a task's scores."""

from __future__ import annotations

import re
from collections.abc import Iterator

import torch
from torch import Tensor

from synthbench.contracts.batch import Batch
from synthbench.contracts.scores import Mean, Score
from synthbench.engine.training.score_totals import Part, ScoreTotals, score_parts
from synthbench.metrics.reserved_columns import TAKEN, misnamed
from synthbench.streams import Purpose
from synthbench.testing.law import Law, Outcome, law
from synthbench.testing.tasks.everything_drawn import words
from synthbench.testing.tasks.trial import SEEDS, SIZE, TaskTrial
from synthbench.testing.workbench.comparison import close, rows

CUTS = (24, 40)
"""Where a batch of SIZE is cut in two unequal parts."""
SCALES = (0.0, 1.0, 100.0)
SHARE = re.compile(r"(.*-)?(accuracy|share)")
EDGE = 1e-6
"""By which rounding may take a share beyond 0 and 1."""


@law(
    "score-names",
    "Scores are numbers, curves or weighted means, with names that can be columns of a "
    "trajectory; the first is a number.",
    "return {name: scalar tensor}, (T,) for a curve, or Mean(values, weights) of equal shapes; a "
    "name has neither '/' nor '@', and is none of " + ", ".join(sorted(TAKEN)) + ".",
    needs=("samples-fit-interface",),
)
def score_names(trial: TaskTrial) -> Outcome:
    """Names and shapes, of what score returns and of what aggregate makes of it."""
    scores = trial.subject.score(trial.generic_output(), trial.held_out(0, 0))
    reported = _reported(trial, trial.generic_output(), trial.held_out(0, 0))
    wrong = misnamed([*scores, *reported])
    if wrong is not None:
        return f"a score is called {wrong!r}"
    for name, score in scores.items():
        if isinstance(score, Mean) and score.values.shape != score.weights.shape:
            shapes = (tuple(score.values.shape), tuple(score.weights.shape))
            return f"score {name} has values of shape {shapes[0]} and weights of {shapes[1]}"
        most = 2 if isinstance(score, Mean) else 1
        shape = _values(score).shape
        if not most - 1 <= len(shape) <= most:
            return f"score {name} has shape {tuple(shape)}"
    for name, value in reported.items():
        if value.dim() > 1:
            return f"score {name} has shape {tuple(value.shape)} after aggregate"
    first = next(iter(reported.items()), None)
    if first is None:
        return "aggregate returns no score"
    if first[1].dim():
        return f"the first score, {first[0]}, is a curve, which cannot be ranked"
    return None


@law(
    "scores-are-means",
    "Every score is a mean over the batch, or a Mean whose sums are, so that batches of a test "
    "set can be put together.",
    "use .mean() over the batch, not .sum(), and compute nothing across examples: a score of two "
    "batches together must be the average of theirs. A mean over some of the examples is a Mean "
    "with weights; what is computed of several means, such as the worst group, belongs in "
    "aggregate.",
    needs=("score-names", "references-fit-interface"),
)
def scores_are_means(trial: TaskTrial) -> Outcome:
    """Training and held-out batches against their two parts, for outputs of several kinds."""
    task = trial.subject
    for where, batch, output in _answered(trial):
        whole = score_parts(task.score(output, batch))
        for cut in CUTS:
            first = score_parts(task.score(output[:cut], rows(batch, 0, cut)))
            second = score_parts(task.score(output[cut:], rows(batch, cut, SIZE)))
            for name, part in whole.items():
                together = _put_together((first[name], cut), (second[name], SIZE - cut))
                if not close(part, together, 1e-5):
                    said = _number(part), _number(together)
                    return (
                        f"score {name} is {said[0]} on a batch of {where}, {said[1]} of its two "
                        "parts together"
                    )
    return _weights_depend(trial)


def _put_together(first: tuple[Part, int], second: tuple[Part, int]) -> Part:
    """Of two parts of a batch, with their sizes: the average, or the sums of a Mean."""
    (left, m), (right, n) = first, second
    if isinstance(left, Tensor) and isinstance(right, Tensor):
        return (m * left + n * right) / (m + n)
    return left[0] + right[0], left[1] + right[1]


def _weights_depend(trial: TaskTrial) -> Outcome:
    """Weights below 0; that they depend on the output is a fact: the score may be undefined."""
    task, batch = trial.subject, trial.held_out(0, 0)
    scored = [task.score(scale * trial.generic_output(), batch) for scale in (1.0, -3.0)]
    for name, score in scored[0].items():
        if not isinstance(score, Mean):
            continue
        if not score.weights.isfinite().all() or bool((score.weights < 0).any()):
            return f"the weights of score {name} are not all finite and at least 0"
        if not close(score.weights, _weights(scored[1][name])):
            trial.facts[f"weights of score {name}"] = (
                "depend on the output: a ratio, undefined where they are all 0"
            )
    return None


Answered = tuple[str, Batch, Tensor]
"""What the batch is of, the batch, and an output for it."""


def _answered(trial: TaskTrial) -> Iterator[Answered]:
    """Batches with generic outputs, and with what the references say."""
    yield from ((w, trial.batch(0), out) for w, out in _generic(trial, 0, "training examples"))
    for place, held_out in enumerate(trial.sets):
        for seed in SEEDS[:2]:
            batch = trial.held_out(place, seed)
            for where, output in _generic(trial, place, words(held_out)):
                yield where, batch, output
            for output in trial.references(seed, place).values():
                yield words(held_out), batch, output


def _generic(trial: TaskTrial, place: int, where: str) -> Iterator[tuple[str, Tensor]]:
    output = trial.generic_output(place=place)
    # Of two sizes, so that the parts differ by more than chance; and of one sign.
    yield where, torch.cat([output[: CUTS[0]], 4 * output[CUTS[0] :]])
    yield where, output.abs()


@law(
    "scores-in-range",
    "Scores are finite whatever a network says, and a share is between 0 and 1.",
    "take logarithms by log_softmax or of clamped numbers, and divide by no count that can be 0; "
    "an accuracy is a share, not a percentage. A share of some of the examples is a Mean: values "
    "0 or 1, weight 1 where it is asked and 0 elsewhere; importance weights go beyond 1.",
    needs=("scores-are-means",),
)
def scores_in_range(trial: TaskTrial) -> Outcome:
    """Outputs that are all zero, ordinary and large, and references where a share is at most 1."""
    shares = _shares(trial)
    for where, batch, place in _batches(trial):
        outputs = {
            f"outputs of size {scale:g}": scale * trial.generic_output(place=place)
            for scale in SCALES
        }
        if where != "training examples":
            outputs |= {f"reference {n}": out for n, out in trial.references(0, place).items()}
        for kind, output in outputs.items():
            for name, score in trial.subject.score(output, batch).items():
                counted = _values(score)[_weights(score) != 0]
                if not counted.isfinite().all():
                    wrong = counted[~counted.isfinite()]
                    return f"score {name} is {float(wrong[0]):.4g} for {kind}"
            for name, value in _reported(trial, output, batch).items():
                found = value[value.isfinite()]
                low = 0.0 if SHARE.fullmatch(name) else -torch.inf
                within = bool(((found >= low - EDGE) & (found <= 1 + EDGE)).all())
                if name in shares and not within:
                    return f"score {name} is {_number(found)} for {kind}, in {where}"
    return None


def _shares(trial: TaskTrial) -> set[str]:
    """Scores that are shares: by name, or because optimal scores 1 and no reference more."""
    names = set(_reported(trial, trial.generic_output(), trial.held_out(0, 0)))
    top = trial.subject.ceiling
    known = [trial.references(seed) for seed in SEEDS]
    if top not in known[0]:
        return {name for name in names if SHARE.fullmatch(name)}
    scored = {
        reference: [
            _reported(trial, outputs[reference], trial.held_out(0, seed))
            for seed, outputs in zip(SEEDS, known, strict=True)
        ]
        for reference in known[0]
    }
    return {
        name
        for name in names
        if SHARE.fullmatch(name)
        or (
            _is_about(scored[top], name, 1.0)
            and all(_is_between(found, name) for found in scored.values())
            and _mean(scored["trivial"], name) < 1 - 3 * _error(scored[top], name) - EDGE
        )
    }


def _mean(scored: list[dict[str, Tensor]], name: str) -> float:
    return float(torch.stack([scores[name].double() for scores in scored]).nanmean())


def _error(scored: list[dict[str, Tensor]], name: str) -> float:
    values = torch.stack([scores[name].double() for scores in scored]).reshape(-1)
    values = values[values.isfinite()]
    return float(values.std() / len(values) ** 0.5) if len(values) > 1 else 0.0


def _is_about(scored: list[dict[str, Tensor]], name: str, value: float) -> bool:
    return abs(_mean(scored, name) - value) <= 3 * _error(scored, name) + EDGE


def _is_between(scored: list[dict[str, Tensor]], name: str) -> bool:
    slack = 3 * _error(scored, name) + EDGE
    return -slack <= _mean(scored, name) <= 1 + slack


def _batches(trial: TaskTrial) -> Iterator[tuple[str, Batch, int]]:
    yield "training examples", trial.batch(0, Purpose.TRAIN), 0
    for place, held_out in enumerate(trial.sets):
        yield words(held_out), trial.held_out(place, 0), place


def _reported(trial: TaskTrial, output: Tensor, batch: Batch) -> dict[str, Tensor]:
    """What is reported of one output, without vmap: () or (T,) each."""
    totals = ScoreTotals()
    totals.add(score_parts(trial.subject.score(output, batch)), len(output))
    return dict(trial.subject.aggregate(totals.means()))


def _values(score: Score) -> Tensor:
    return score.values if isinstance(score, Mean) else score


def _weights(score: Score) -> Tensor:
    return score.weights if isinstance(score, Mean) else torch.ones_like(score)


def _number(part: Part) -> str:
    """The number of a score that is furthest from zero; of a Mean, as it would be divided."""
    value = part if isinstance(part, Tensor) else part[0] / part[1]
    flat = value.reshape(-1)
    return f"{float(flat[flat.abs().argmax()]):.6g}"


SCORE_LAWS: tuple[Law[TaskTrial], ...] = (score_names, scores_are_means, scores_in_range)
