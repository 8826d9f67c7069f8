"""Laws of a task's scale: trivial at one end, optimal at the other, and nothing beyond."""

from __future__ import annotations

from collections.abc import Iterator

import torch
from torch import Tensor
from torch.utils._pytree import tree_map

from synthbench.contracts.batch import Batch
from synthbench.engine.axis.over_replicas import over_replicas
from synthbench.engine.data.finite_data import FiniteData, drawn_samples
from synthbench.engine.data.sampling import as_batch, draw_worlds
from synthbench.engine.inspection.task import LEAST_GAP
from synthbench.plan.protocol import Protocol
from synthbench.streams import keys_of
from synthbench.testing.law import Law, Outcome, law
from synthbench.testing.tasks.reference_laws import reads_latents
from synthbench.testing.tasks.trial import TaskTrial
from synthbench.testing.workbench.example_network import ExampleNetwork
from synthbench.testing.workbench.training import Lesson, train, untrained

WORLDS = range(16)
LEARNERS = 8
"""Worlds in which a network is trained."""
STEPS, LARGEST_BATCH, NUMBERS_A_STEP = 160, 64, 2048
"""Of the training: steps, examples of a batch, and input numbers to which they are limited."""
KNOWN = 2048
"""Training examples of each learner."""
LEAST_ADVANTAGE = 0.01
"""Progress beyond 1 that is not blamed on rounding or on an approximate optimum."""
LEAST_Z = 5.0
CHUNKS = 8
"""Parts of a batch whose scatter tells how sure an advantage in its world is."""


@law(
    "optimal-beats-trivial",
    "On the samples of an ordinary evaluation, optimal and trivial are far apart.",
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
    scores = _reference_scores(trial)
    for name in ("trivial", "optimal"):
        trial.facts[f"score of {name}"] = f"{float(scores[name].mean()):.4g}"
    distance, error = abs(float((scores["optimal"] - scores["trivial"]).mean())), _gap_error(trial)
    if distance > LEAST_GAP * error and distance > 0:
        return None
    return (
        f"trivial scores {float(scores['trivial'].mean()):.4g} and optimal "
        f"{float(scores['optimal'].mean()):.4g}: {distance / max(error, 1e-12):.1f} standard "
        f"errors apart, {LEAST_GAP:g} are needed"
    )


def _gap_error(trial: TaskTrial) -> float:
    """Standard error of optimal minus trivial on an evaluation's samples, within a world."""
    batches = trial.together(WORLDS, trial.large)[1]
    outputs = trial.reference_outputs(WORLDS, trial.large)
    half = trial.large // 2
    gaps = []
    for part in (slice(0, half), slice(half, 2 * half)):
        shown = as_batch(tree_map(lambda leaf: leaf[:, part], batches))  # noqa: B023
        optimal, trivial = (
            trial.ranked(outputs[name][:, part], shown) for name in ("optimal", "trivial")
        )
        gaps.append(optimal - trivial)
    variance = float((gaps[0] - gaps[1]).square().mean()) / 2
    return float((variance * half / Protocol().evaluation_samples) ** 0.5)


@law(
    "exact-scores-agree",
    "exact_scores says what the references score on many samples.",
    "check the formula in exact_scores against the reference of that name, for these fields.",
    needs=("optimal-beats-trivial",),
)
def exact_scores_agree(trial: TaskTrial) -> Outcome:
    """The mean over many samples, within six standard errors."""
    scores = _reference_scores(trial)
    for name, exact in trial.subject.exact_scores().items():
        if name not in scores:
            return f"it gives a score for {name}, which is no reference"
        found = float(scores[name].mean())
        error = float(scores[name].std()) / len(WORLDS) ** 0.5
        if not abs(found - exact) <= LEAST_GAP * error + 1e-5:
            return f"{name} scores {found:.5g} on samples, exact_scores says {exact:.5g}"
    return None


@law(
    "nothing-beats-optimal",
    "No other reference, no change of the optimal output, no memory of training examples and no "
    "small trained network scores better than optimal.",
    "let optimal be Bayes' rule for the ranked score, given the world; if the best is not known, "
    "name a bound that holds.",
    needs=("optimal-beats-trivial", "exact-scores-agree", "optimal-is-achievable"),
)
def nothing_beats_optimal(trial: TaskTrial) -> Outcome:
    """Each candidate's advantage on the same samples, in units of progress.

    Its error is that of the samples; worlds may differ in what there is to gain.
    """
    batches = trial.together(WORLDS, trial.large)[1]
    outputs = trial.reference_outputs(WORLDS, trial.large)
    scores = _reference_scores(trial)
    gap = float((scores["optimal"] - scores["trivial"]).mean())
    optimal = _chunk_scores(trial, outputs["optimal"], batches)
    for name, output in _candidates(trial, outputs, batches):
        worlds = output.shape[0]
        advantage = (_chunk_scores(trial, output, batches) - optimal[:worlds]) / gap
        mean, best = float(advantage.mean()), float(optimal[:worlds].mean())
        if _is_clear(advantage):
            return f"{name} scores {best + mean * gap:.4g}, optimal {best:.4g} on the same samples"
    return None


@law(
    "none-worse-than-trivial",
    "No reference scores worse than trivial.",
    "check the sign of the reference; trivial is what can be said without learning anything.",
    needs=("nothing-beats-optimal",),
)
def none_worse_than_trivial(trial: TaskTrial) -> Outcome:
    """On the same samples, in units of progress, within the error of the samples."""
    batches = trial.together(WORLDS, trial.large)[1]
    outputs = trial.reference_outputs(WORLDS, trial.large)
    scores = {name: _chunk_scores(trial, out, batches) for name, out in outputs.items()}
    trivial = scores["trivial"]
    gap = float((scores["optimal"] - trivial).mean())
    for name, found in scores.items():
        if _is_clear((trivial - found) / gap):
            return (
                f"{name} scores {float(found.mean()):.4g}, trivial {float(trivial.mean()):.4g} on "
                "the same samples"
            )
    return None


def _is_clear(advantage: Tensor) -> bool:
    """Whether an advantage (R, CHUNKS), in progress, is beyond the error within its worlds."""
    error = float(advantage.var(dim=1).mean() / advantage.numel()) ** 0.5
    return bool(advantage.mean() > LEAST_Z * error + LEAST_ADVANTAGE)


def _chunk_scores(trial: TaskTrial, outputs: Tensor, batches: Batch) -> Tensor:
    """Ranked score of outputs (R, size, ...) on each part of their batches: (R, CHUNKS)."""
    worlds, chunk = outputs.shape[0], trial.large // CHUNKS

    def cut(leaf: Tensor) -> Tensor:
        return leaf[:worlds].reshape(worlds * CHUNKS, chunk, *leaf.shape[2:])

    shown = as_batch(tree_map(cut, batches))
    return trial.ranked(cut(outputs), shown).reshape(worlds, CHUNKS)


def _candidates(
    trial: TaskTrial, outputs: dict[str, Tensor], batches: Batch
) -> Iterator[tuple[str, Tensor]]:
    """Outputs (R, size, ...) that must not score better than optimal."""
    optimal = outputs["optimal"]
    fair = {n: out for n, out in outputs.items() if n != "optimal" and not reads_latents(trial, n)}
    yield from ((f"reference {name}", output) for name, output in fair.items())
    for scale in (-1.0, 0.5, 0.8, 1.25, 2.0):
        yield f"{scale:g} times the optimal output", scale * optimal
    for name, output in fair.items():
        yield f"the mean of optimal and {name}", (optimal + output) / 2
    keys = keys_of(list(WORLDS[:LEARNERS]))
    worlds = draw_worlds(trial.subject, keys)
    data = FiniteData(drawn_samples(trial.subject, worlds, keys, KNOWN), keys)
    if batches.y.shape == optimal.shape:
        yield "a memory of training examples", _remembered(data, batches)
    yield "a small network, trained", _learned(trial, data, batches)


def _remembered(data: FiniteData, batches: Batch) -> Tensor:
    """The mean label of the most similar training examples."""

    def of_one(x: Tensor, known: Tensor, y: Tensor) -> Tensor:
        distance = torch.cdist(x.flatten(1).float(), known.flatten(1).float(), p=1)
        nearest = (distance == distance.min(dim=1, keepdim=True).values).float()
        mean = nearest @ y.reshape(y.shape[0], -1).float() / nearest.sum(dim=1, keepdim=True)
        return mean.reshape(x.shape[0], *y.shape[1:])

    samples = data.samples
    return over_replicas(of_one, looped=True)(batches.x[:LEARNERS], samples.x, samples.y)


def _learned(trial: TaskTrial, data: FiniteData, batches: Batch) -> Tensor:
    """What a small network says after a short training."""
    numbers = max(1, torch.Size(trial.interface.input.shape).numel())
    size = min(max(NUMBERS_A_STEP // numbers, 8), LARGEST_BATCH)
    recipe = ExampleNetwork().recipe.model_copy(update={"batch_size": size, "lr": 0.02})
    model = ExampleNetwork(recipe=recipe)
    loss = next(iter(trial.subject.losses().values()))
    lesson = Lesson(loss, lambda steps: data.batches(steps, size))
    network = train(untrained(trial.subject, model, WORLDS[:LEARNERS]), model, lesson, STEPS)
    with torch.no_grad():
        return over_replicas(lambda weights, own, x: network.forward(weights, own, x))(
            network.parameters, network.buffers, batches.x[:LEARNERS]
        )


def _reference_scores(trial: TaskTrial) -> dict[str, Tensor]:
    """Ranked score of every reference in many worlds: (R,) float64."""
    batches = trial.together(WORLDS, trial.large)[1]
    outputs = trial.reference_outputs(WORLDS, trial.large)
    return {name: trial.ranked(output, batches) for name, output in outputs.items()}


OPTIMUM_LAWS: tuple[Law[TaskTrial], ...] = (
    optimal_beats_trivial,
    exact_scores_agree,
    nothing_beats_optimal,
    none_worse_than_trivial,
)
