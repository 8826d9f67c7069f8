"""Laws of a task's references: what they may look at."""

from __future__ import annotations

import torch
from torch import Tensor

from synthbench.contracts.batch import Batch
from synthbench.streams import Purpose, Stream
from synthbench.testing.law import Law, NotApplicable, Outcome, law
from synthbench.testing.tasks.trial import SIZE, TaskTrial
from synthbench.testing.workbench.comparison import close

LONGEST_PREFIX = 12
"""Positions at which sequences with equal beginnings are looked for."""
FEWEST_TWINS = 8
"""Examples that share what they show, without which nothing is said about a position."""


@law(
    "references-fit-interface",
    "references names its outputs from trivial, first, to optimal, last; each is one that a model "
    "could give.",
    "return {'trivial': output, ..., 'optimal': output}, each finite, floating-point and of the "
    "output's shape after the batch axis.",
    needs=("samples-fit-interface",),
)
def references_fit_interface(trial: TaskTrial) -> Outcome:
    """Names, shapes, types."""
    outputs = trial.references()
    names = list(outputs)
    missing = [name for name in ("trivial", "optimal") if name not in names]
    if missing:
        return f"there is no reference called {' or '.join(missing)} (references: {names})"
    if (names[0], names[-1]) != ("trivial", "optimal"):
        return f"the order is {', '.join(names)}"
    for name, output in outputs.items():
        expected = (SIZE, *trial.interface.output.shape)
        if tuple(output.shape) != expected:
            return f"{name} has shape {tuple(output.shape)}, expected {expected}"
        if not output.is_floating_point() or not output.isfinite().all():
            return f"{name} is {output.dtype} or holds numbers that are not finite"
    return None


@law(
    "references-ignore-labels",
    "No reference looks at the labels: other labels, same outputs.",
    "compute references from the world and batch.x; batch.y is what they are scored by.",
    needs=("references-fit-interface",),
)
def references_ignore_labels(trial: TaskTrial) -> Outcome:
    """The labels of another batch in place of the batch's own."""
    batch, other = trial.batch(0, Purpose.EVAL), trial.batch(1, Purpose.EVAL)
    if torch.equal(batch.y, other.y):
        return NotApplicable("all labels are equal")
    changed = trial.subject.references(trial.world(), batch._replace(y=other.y))
    read = [name for name, out in trial.references().items() if not close(changed[name], out)]
    return f"{read[0]} changes with the labels" if read else None


@law(
    "references-are-causal",
    "Where the output is causal, as in next-token tasks, no reference looks at later positions.",
    "compute the prediction at position t from x[:, :t + 1]; where nothing can be said yet, "
    "predict the uniform distribution. An encoder's output says causal=False.",
    needs=("references-ignore-labels",),
)
def references_are_causal(trial: TaskTrial) -> Outcome:
    """Later positions taken from another batch."""
    length = _positions(trial)
    if length is None:
        return NotApplicable("its output may depend on the whole input")
    batch, other = trial.batch(0, Purpose.EVAL), trial.batch(1, Purpose.EVAL)
    for t in sorted({0, length // 2, max(length - 2, 0)}):
        x = torch.cat([batch.x[:, : t + 1], other.x[:, t + 1 :]], dim=1)
        changed = trial.subject.references(trial.world(), batch._replace(x=x))
        for name, output in trial.references().items():
            if not close(changed[name][:, : t + 1], output[:, : t + 1]):
                return f"{name} at position {t} or before changes with the input after {t}"
    return None


@law(
    "optimal-is-achievable",
    "Two examples that show a model the same get the same optimal output.",
    "let optimal use the world and batch.x alone, and average over what they leave open; what "
    "reads batch.latents may be a reference of another name.",
    needs=("references-are-causal",),
)
def optimal_is_achievable(trial: TaskTrial) -> Outcome:
    """Examples of equal x; of equal beginnings where tokens are predicted one by one.

    There, a few first tokens may depend on what came before the sequence, so it is broken where
    it is at every position that can be judged.
    """
    size = 4 * trial.large
    batch = trial.subject.sample(trial.world(), Stream.from_seed(0, Purpose.EVAL), size)
    optimal = trial.subject.references(trial.world(), batch)["optimal"]
    length = _positions(trial)
    if length is None:
        judged = [_agree(batch.x, optimal)]
    else:
        ends = range(1, min(length, LONGEST_PREFIX) + 1)
        judged = [_agree(batch.x[:, :end], optimal[:, end - 1]) for end in ends]
    known = [verdict for verdict in judged if verdict is not None]
    if not known:
        if batch.latents and reads_latents(trial, "optimal"):
            trial.facts["optimal reads latents"] = "see that they follow from x and the world"
        return NotApplicable("no two of its examples are equal in x")
    if any(known):
        return None
    return "examples of equal x have different optimal outputs"


def _agree(shown: Tensor, output: Tensor) -> bool | None:
    """Whether rows that are equal in `shown` are in `output`; None if too few are equal."""
    _, group = torch.unique(shown.reshape(shown.shape[0], -1), dim=0, return_inverse=True)
    count = int(group.max()) + 1
    first = torch.full((count,), shown.shape[0]).scatter_reduce(
        0, group, torch.arange(shown.shape[0]), "amin"
    )
    twins = first[group] != torch.arange(shown.shape[0])
    if int(twins.sum()) < FEWEST_TWINS:
        return None
    return close(output[twins], output[first[group]][twins])


def _positions(trial: TaskTrial) -> int | None:
    """Length of the sequence where an output at every position sees what came so far alone."""
    given, wanted = trial.interface.input, trial.interface.output
    return wanted.positions if wanted.causal and given.shape[:1] == wanted.shape[:1] else None


def reads_latents(trial: TaskTrial, name: str) -> bool:
    """Whether a reference knows more than x and the world: its output changes with latents."""
    batch, other = trial.batch(0, Purpose.EVAL), trial.batch(1, Purpose.EVAL)
    swapped = Batch(batch.x, batch.y, other.latents)
    changed = trial.subject.references(trial.world(), swapped)[name]
    return not close(changed, trial.references()[name])


REFERENCE_LAWS: tuple[Law[TaskTrial], ...] = (
    references_fit_interface,
    references_ignore_labels,
    references_are_causal,
    optimal_is_achievable,
)
