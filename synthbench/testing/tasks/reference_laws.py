"""Laws of a task's references: what they may look at."""

from __future__ import annotations

import torch
from torch import Tensor

from synthbench.contracts.batch import Batch
from synthbench.contracts.interface import Interface
from synthbench.contracts.task import Task
from synthbench.engine.data.held_out import HeldOut
from synthbench.metrics.ceiling import BEST_KNOWN
from synthbench.plan.task_facts import fits_references
from synthbench.testing.examination import raised
from synthbench.testing.law import Law, NotApplicable, Outcome, law
from synthbench.testing.tasks.everything_drawn import words
from synthbench.testing.tasks.trial import SIZE, TaskTrial
from synthbench.testing.workbench.comparison import close


@law(
    "references-fit-interface",
    "references names its outputs from trivial, first, to optimal (or what the task says is its "
    "ceiling), last; each is one that a model could give, on every test set.",
    "return {'trivial': output, ..., 'optimal': output}, each finite, floating-point and of the "
    "output's shape after the batch axis; `ceiling` names another reference than optimal.",
    needs=("samples-fit-interface",),
)
def references_fit_interface(trial: TaskTrial) -> Outcome:
    """Names, shapes, types; of fitted ones too."""
    task = trial.subject
    fitted = fitted_outputs(trial)
    for place, held_out in enumerate(trial.sets):
        outputs = trial.references(place=place)
        wrong = _misnamed(task, list(outputs), list(fitted))
        wrong = wrong or _misshapen(outputs, held_out.interface)
        if wrong:
            return f"in {words(held_out)}: {wrong}" if place else wrong
    return _misshapen(fitted, trial.sets[0].interface)


def _misnamed(task: Task, names: list[str], fitted: list[str]) -> str | None:
    top = task.ceiling
    known = [*names, *fitted, *([BEST_KNOWN] if top == BEST_KNOWN else [])]
    # What is fitted on a protocol's training set is not known here.
    later = not fitted and fits_references(task)
    wanted = ("trivial",) if later and top != "optimal" else ("trivial", top)
    missing = [name for name in wanted if name not in known]
    if missing:
        return f"there is no reference called {' or '.join(missing)} (references: {known})"
    # What is fitted comes after all others.
    if names[0] != "trivial" or (top in names and names[-1] != top):
        return f"the order is {', '.join(names)}"
    return None


def _misshapen(outputs: dict[str, Tensor], interface: Interface) -> str | None:
    expected = (SIZE, *interface.output.shape)
    for name, output in outputs.items():
        if tuple(output.shape) != expected:
            return f"{name} has shape {tuple(output.shape)}, expected {expected}"
        if not output.is_floating_point() or not output.isfinite().all():
            return f"{name} is {output.dtype} or holds numbers that are not finite"
    return None


def fitted_outputs(trial: TaskTrial) -> dict[str, Tensor]:
    """What predictors fitted on the training set say of a batch of the first test set."""
    train = trial.train_set()
    if train is None or not fits_references(trial.subject):
        return {}
    x = trial.held_out(0, 0).x
    return {name: f(x) for name, f in trial.subject.fitted_references(train).items()}


@law(
    "references-ignore-labels",
    "No reference looks at the labels: other labels, same outputs.",
    "compute references from the world and batch.x; batch.y is what they are scored by.",
    needs=("references-fit-interface",),
)
def references_ignore_labels(trial: TaskTrial) -> Outcome:
    """The labels of another batch in place of the batch's own, on every test set."""
    judged = False
    for place in range(len(trial.sets)):
        batch, other = trial.held_out(place, 0), trial.held_out(place, 1)
        if torch.equal(batch.y.nan_to_num(), other.y.nan_to_num()):
            continue
        judged = True
        changed = trial.sets[place].references(trial.world(), batch._replace(y=other.y))
        outputs = trial.references(place=place)
        read = [name for name, out in outputs.items() if not close(changed[name], out)]
        if read:
            return f"{read[0]} changes with the labels"
    return None if judged else NotApplicable("all labels are equal")


@law(
    "references-are-causal",
    "Where the output port is causal, no reference looks at later positions of the input.",
    "compute the prediction at position t from x[:, :t + 1]; where nothing can be said yet, "
    "predict the uniform distribution. An output that may look at the whole sequence says so: "
    "ClassLogits for one answer at the end, or causal=False.",
    needs=("references-ignore-labels",),
)
def references_are_causal(trial: TaskTrial) -> Outcome:
    """Later positions taken from another batch, on every test set."""
    judged = False
    for place, held_out in enumerate(trial.sets):
        length = causal_length(held_out.interface)
        if length is None:
            continue
        judged = True
        for t in sorted({0, length // 2, max(length - 2, 0)}):
            wrong = _looks_ahead(trial, held_out, place, t)
            if wrong:
                return wrong
    return None if judged else NotApplicable("its output is not one for each position, in order")


def _looks_ahead(trial: TaskTrial, held_out: HeldOut, place: int, t: int) -> str | None:
    """Which reference changes up to position t with what comes after it."""
    batch, other = trial.held_out(place, 0), trial.held_out(place, 1)
    x = torch.cat([batch.x[:, : t + 1], other.x[:, t + 1 :]], dim=1)
    try:
        changed = held_out.references(trial.world(), batch._replace(x=x))
    except Exception as error:
        return (
            f"{raised(error)}. The law splices two sequences, so references see inputs that "
            "sample never gives; let them ignore what cannot be, or declare the output port "
            "not causal"
        )
    for name, output in trial.references(place=place).items():
        if not close(changed[name][:, : t + 1], output[:, : t + 1]):
            return f"{name} at position {t} or before changes with the input after {t}"
    return None


def causal_length(interface: Interface) -> int | None:
    """How many positions there are, where every one is followed by a causal output."""
    given, wanted = interface.input, interface.output
    if wanted.causal and given.positions is not None and given.positions == wanted.positions:
        return given.positions
    return None


def reads_latents(trial: TaskTrial, name: str, place: int = 0) -> bool:
    """Whether a reference knows more than x and the world: its output changes with latents."""
    batch, other = trial.held_out(place, 0), trial.held_out(place, 1)
    swapped = Batch(batch.x, batch.y, other.latents)
    changed = trial.sets[place].references(trial.world(), swapped)[name]
    return not close(changed, trial.references(place=place)[name])


REFERENCE_LAWS: tuple[Law[TaskTrial], ...] = (
    references_fit_interface,
    references_ignore_labels,
    references_are_causal,
)
