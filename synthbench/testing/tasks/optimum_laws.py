"""Laws of a task's scale: trivial at one end, optimal at the other, and nothing beyond."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from torch import Tensor
from torch.utils._pytree import tree_map

from synthbench.contracts.batch import Batch
from synthbench.engine.inspection.task import LEAST_GAP
from synthbench.metrics.score_names import base_name, set_name
from synthbench.plan.protocol import Protocol
from synthbench.plan.task_facts import aggregates
from synthbench.testing.law import Law, NotApplicable, Outcome, law
from synthbench.testing.tasks.fitted_ceiling import fitted_gap
from synthbench.testing.tasks.learners import LEARNERS, WORLDS, learned, remembered
from synthbench.testing.tasks.reference_laws import causal_length, reads_latents
from synthbench.testing.tasks.trial import TaskTrial

LEAST_ADVANTAGE = 0.01
"""Progress beyond 1 that is not blamed on rounding or on an approximate optimum."""
LEAST_Z = 5.0
CHUNKS = 8
"""Parts of a batch whose scatter tells how sure an advantage in its world is."""


@law(
    "optimal-beats-trivial",
    "On the samples of an ordinary evaluation, optimal (or what the task says is its ceiling) "
    "and trivial are far apart.",
    "check that both are scored as a model would be; where noise leaves little to learn, a task "
    "needs other fields, or its evaluation more samples.",
    needs=(
        "references-fit-interface",
        "vmapped-equals-looped",
        "scores-in-range",
        "steps-give-other-data",
        "examples-are-independent",
    ),
)
def optimal_beats_trivial(trial: TaskTrial) -> Outcome:
    """In standard errors of the difference, as the engine asks before it trains."""
    top = trial.subject.ceiling
    scores = _reference_scores(trial)
    if top not in scores:
        return _fitted_beats_trivial(trial)
    for name in ("trivial", top):
        trial.facts[f"score of {name}"] = f"{float(scores[name].nanmean()):.4g}"
    distance, error = abs(float((scores[top] - scores["trivial"]).nanmean())), _gap_error(trial)
    if distance > LEAST_GAP * error and distance > 0:
        return None
    return (
        f"trivial scores {float(scores['trivial'].nanmean()):.4g} and {top} "
        f"{float(scores[top].nanmean()):.4g}: {distance / max(error, 1e-12):.1f} standard "
        f"errors apart, {LEAST_GAP:g} are needed"
    )


def _fitted_beats_trivial(trial: TaskTrial) -> Outcome:
    """The same where the ceiling is fitted, or the best of what is."""
    found = fitted_gap(trial)
    if isinstance(found, NotApplicable):
        return found
    trial.facts[f"score of {trial.subject.ceiling}"] = f"{found.ceiling:.4g}"
    trial.facts["score of trivial"] = f"{found.trivial:.4g}"
    if abs(found.ceiling - found.trivial) > 1e-9:
        return None
    return f"trivial and {trial.subject.ceiling} score {found.trivial:.4g}"


def _gap(trial: TaskTrial) -> float | NotApplicable:
    """Ceiling minus trivial in the ranked score."""
    scores, top = _reference_scores(trial), trial.subject.ceiling
    if top in scores:
        return float((scores[top] - scores["trivial"]).nanmean())
    found = fitted_gap(trial)
    return found if isinstance(found, NotApplicable) else found.ceiling - found.trivial


def _gap_error(trial: TaskTrial) -> float:
    """Standard error of ceiling minus trivial on an evaluation's samples, within a world."""
    batches = trial.together(WORLDS, trial.large)[1]
    outputs = trial.reference_outputs(WORLDS, trial.large)
    half = trial.large // 2
    gaps = []
    for part in (slice(0, half), slice(half, 2 * half)):
        shown = Batch(*tree_map(lambda leaf: leaf[:, part], batches))  # noqa: B023
        best, trivial = (
            trial.ranked(outputs[name][:, part], shown)
            for name in (trial.subject.ceiling, "trivial")
        )
        gaps.append(best - trivial)
    variance = float((gaps[0] - gaps[1]).square().nanmean()) / 2
    return float((variance * half / Protocol().evaluation_samples) ** 0.5)


@law(
    "exact-scores-agree",
    "exact_scores says what the references score on many samples, on each test set it names.",
    "check the formula in exact_scores against the reference of that name, for these fields; on "
    "another test set than the first, the key is reference@name.",
    needs=("optimal-beats-trivial",),
)
def exact_scores_agree(trial: TaskTrial) -> Outcome:
    """The mean over many samples, within six standard errors."""
    places = {held_out.name: place for place, held_out in enumerate(trial.sets)}
    for key, exact in trial.subject.exact_scores().items():
        name, place = base_name(key), places.get(set_name(key))
        if place is None:
            return f"it gives a score for {key}, which is on no test set"
        scores = _reference_scores(trial, place)
        if name not in scores:
            return f"it gives a score for {name}, which is no reference"
        found = _on_all(trial, name, place)
        error = _nan_std(scores[name]) / len(WORLDS) ** 0.5
        if not abs(found - exact) <= LEAST_GAP * error + 1e-5:
            return f"{key} scores {found:.5g} on samples, exact_scores says {exact:.5g}"
    return None


def _on_all(trial: TaskTrial, name: str, place: int) -> float:
    """What a reference scores in all worlds: on average, or where scores are aggregated as one.

    The worst of some groups is lower, the fewer examples it is the worst on.
    """
    if not aggregates(trial.subject):
        return float(_reference_scores(trial, place)[name].nanmean())
    batches = trial.together(WORLDS, trial.large, place)[1]
    output = trial.reference_outputs(WORLDS, trial.large, place)[name]
    joined = Batch(*tree_map(lambda leaf: leaf.flatten(0, 1)[None], batches))
    return float(trial.ranked(output.flatten(0, 1)[None], joined))


def _nan_std(values: Tensor) -> float:
    known = values[values.isfinite()]
    return float(known.std()) if len(known) > 1 else 0.0


@law(
    "nothing-beats-optimal",
    "No other reference, no change of the optimal output, no memory of training examples and no "
    "small trained network scores better than optimal.",
    "let optimal be Bayes' rule for the ranked score, given the world; if the best is not known, "
    "say so: `ceiling` names another reference, such as an oracle, or best-known.",
    needs=("optimal-beats-trivial", "exact-scores-agree", "optimal-is-achievable"),
)
def nothing_beats_optimal(trial: TaskTrial) -> Outcome:
    """Each candidate's advantage on the same samples, in units of progress.

    Its error is that of the samples; worlds may differ in what there is to gain. On test sets
    but the first, what beats the optimum of the training distribution is reported.
    """
    if trial.subject.ceiling != "optimal":
        return NotApplicable(f'its ceiling is "{trial.subject.ceiling}", not the optimum')
    for place, held_out in enumerate(trial.sets[1:], start=1):
        found = _beaten(trial, place, _fair(trial, place).items())
        if found:
            trial.facts[f"optimal is beaten on {held_out.name}"] = found
    return _beaten(trial, 0, _candidates(trial)) or None


def _beaten(trial: TaskTrial, place: int, candidates: Iterable[tuple[str, Tensor]]) -> str:
    """What is clearly better than optimal on a test set; or nothing."""
    batches = trial.together(WORLDS, trial.large, place)[1]
    scores = _reference_scores(trial, place)
    gap = float((scores["optimal"] - scores["trivial"]).nanmean())
    if not abs(gap) > 0:
        return ""
    outputs = trial.reference_outputs(WORLDS, trial.large, place)
    optimal = _chunk_scores(trial, outputs["optimal"], batches)
    for name, output in candidates:
        worlds = output.shape[0]
        advantage = (_chunk_scores(trial, output, batches) - optimal[:worlds]) / gap
        mean, best = float(advantage.nanmean()), float(optimal[:worlds].nanmean())
        if _is_clear(advantage):
            return f"{name} scores {best + mean * gap:.4g}, optimal {best:.4g} on the same samples"
    return ""


@law(
    "none-worse-than-trivial",
    "No reference scores worse than trivial.",
    "check the sign of the reference; trivial is what can be said without learning anything.",
    needs=("nothing-beats-optimal",),
)
def none_worse_than_trivial(trial: TaskTrial) -> Outcome:
    """On the same samples, in units of progress, within the error of the samples."""
    gap = _gap(trial)
    if isinstance(gap, NotApplicable):
        return gap
    batches = trial.together(WORLDS, trial.large)[1]
    outputs = trial.reference_outputs(WORLDS, trial.large)
    scores = {name: _chunk_scores(trial, out, batches) for name, out in outputs.items()}
    trivial = scores["trivial"]
    for name, found in scores.items():
        if _is_clear((trivial - found) / gap):
            return (
                f"{name} scores {float(found.nanmean()):.4g}, trivial "
                f"{float(trivial.nanmean()):.4g} on the same samples"
            )
    return None


def _is_clear(advantage: Tensor) -> bool:
    """Whether an advantage (R, CHUNKS), in progress, is beyond the error within its worlds.

    NaN: a part on which the score is undefined.
    """
    count = advantage.isfinite().sum(dim=1)
    apart = (advantage - advantage.nanmean(dim=1, keepdim=True)).square().nansum(dim=1)
    scatter = float((apart / (count - 1))[count > 1].mean())
    error = (scatter / int(count.sum())) ** 0.5
    return bool(advantage.nanmean() > LEAST_Z * error + LEAST_ADVANTAGE)


def _chunk_scores(trial: TaskTrial, outputs: Tensor, batches: Batch) -> Tensor:
    """Ranked score of outputs (R, size, ...) on each part of their batches: (R, CHUNKS)."""
    worlds, chunk = outputs.shape[0], trial.large // CHUNKS

    def cut(leaf: Tensor) -> Tensor:
        return leaf[:worlds].reshape(worlds * CHUNKS, chunk, *leaf.shape[2:])

    shown = Batch(*tree_map(cut, batches))
    return trial.ranked(cut(outputs), shown).reshape(worlds, CHUNKS)


def _fair(trial: TaskTrial, place: int) -> dict[str, Tensor]:
    """Outputs (R, size, ...) of references that know no more than optimal may."""
    outputs = trial.reference_outputs(WORLDS, trial.large, place)
    return {
        name: output
        for name, output in outputs.items()
        if name != "optimal" and not reads_latents(trial, name, place)
    }


def _candidates(trial: TaskTrial) -> Iterator[tuple[str, Tensor]]:
    """Outputs (R, size, ...) that must not score better than optimal."""
    optimal = trial.reference_outputs(WORLDS, trial.large)["optimal"]
    fair = _fair(trial, 0)
    yield from ((f"reference {name}", output) for name, output in fair.items())
    for scale in (-1.0, 0.5, 0.8, 1.25, 2.0):
        yield f"{scale:g} times the optimal output", scale * optimal
    for name, output in fair.items():
        yield f"the mean of optimal and {name}", (optimal + output) / 2
    batches = trial.together(WORLDS, trial.large)[1]
    x = batches.x[:LEARNERS]
    if batches.y.shape == optimal.shape and causal_length(trial.interface) is None:
        yield "a memory of training examples", remembered(trial, x)
    network = learned(trial, x)
    if network is not None:
        yield "a small network, trained", network


def _reference_scores(trial: TaskTrial, place: int = 0) -> dict[str, Tensor]:
    """Ranked score of every reference in many worlds: (R,) float64."""
    batches = trial.together(WORLDS, trial.large, place)[1]
    outputs = trial.reference_outputs(WORLDS, trial.large, place)
    return {name: trial.ranked(output, batches) for name, output in outputs.items()}


OPTIMUM_LAWS: tuple[Law[TaskTrial], ...] = (
    optimal_beats_trivial,
    exact_scores_agree,
    nothing_beats_optimal,
    none_worse_than_trivial,
)
