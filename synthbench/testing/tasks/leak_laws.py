"""Laws that keep held-out examples apart from those that are trained on."""

from __future__ import annotations

import torch
from torch import Tensor

from synthbench.streams import Purpose
from synthbench.testing.law import Law, Outcome, law
from synthbench.testing.tasks.everything_drawn import words
from synthbench.testing.tasks.sample_laws import LEAST_Z, more_alike
from synthbench.testing.tasks.trial import SEEDS, SIZE, TaskTrial

ORDINARY = 4096
"""Training examples of a short training."""
STEPS_TOGETHER = 4
FEWEST = 64
"""Different inputs, below which a network that knows each of them looks like one that learnt."""
WORTH_SAYING = 0.1
"""Share of held-out examples among those of a short training from which it is said."""


@law(
    "train-and-eval-disjoint",
    "Held-out examples are not among the training examples, except by chance, nor is the "
    "population so small that most are.",
    "draw from the rng that sample is given: its purpose, train or eval, is part of it. Where "
    "there are finitely many examples, divide them in world (rng.split) and give a train_set and "
    "a test set TestSet(whole=...) that have no row in common.",
    needs=("steps-give-other-data",),
)
def train_and_eval_disjoint(trial: TaskTrial) -> Outcome:
    """By row number, train against eval stream of one seed; and by sets of rows.

    Test sets but the first may hold training rows, such as "train" and "all pairs"; how many
    they hold is reported.
    """
    if not trial.has_train_set:
        found = _same_numbers(trial)
        if found:
            return f"{found} in training and held-out batches of one seed"
    for place in range(1, len(trial.sets)):
        held_out = trial.sets[place]
        if held_out.interface.input.shape == trial.interface.input.shape:
            share = _shares(trial, place, 0)[0]
            trial.facts[f"training examples in {words(held_out)}"] = f"{share:.0%}"
    return _leaks(trial) if trial.has_train_set else _covers(trial)


def _same_numbers(trial: TaskTrial) -> str:
    """What a training and a held-out batch of one seed have in common, row by row."""
    if trial.sets[0].is_whole or trial.batch(0).x.shape != trial.held_out(0, 0).x.shape:
        return ""
    following = {seed: (seed + 1) % len(SEEDS) for seed in SEEDS}
    held_out = {seed: trial.batch(seed, Purpose.EVAL) for seed in SEEDS}
    pairs = [(trial.batch(seed), held_out[seed]) for seed in SEEDS]
    strangers = [(trial.batch(seed), held_out[following[seed]]) for seed in SEEDS]
    return more_alike(pairs, strangers)


def _leaks(trial: TaskTrial) -> Outcome:
    """Rows of a finite training set in the first test set."""
    for seed in SEEDS[:3]:
        share, chance, count = _shares(trial, 0, seed)
        error = (2 * chance * (1 - chance) / count) ** 0.5
        strict = trial.sets[0].is_whole
        if share > (0 if strict else chance + LEAST_Z * error):
            return f"{share:.1%} of {words(trial.sets[0])} are rows of the training set, in x"
    return None


def _covers(trial: TaskTrial) -> Outcome:
    """Held-out examples of a small population among fresh training examples."""
    if trial.batch(0).x.shape != trial.held_out(0, 0).x.shape:
        return None
    share, chance, count = _shares(trial, 0, 0)
    middle = (share + chance) / 2
    if share - chance > LEAST_Z * (2 * middle * (1 - middle) / count) ** 0.5:
        return (
            f"{share:.0%} of held-out examples are among {ORDINARY:,} training examples of their "
            f"own seed, {chance:.0%} among those of another"
        )
    if share > WORTH_SAYING:
        trial.facts["small population"] = (
            f"{share:.0%} of held-out examples are among {ORDINARY:,} training examples; to "
            "measure generalization to others, give a train_set and a whole test set"
        )
    rows = _training_rows(trial, 0)
    different = len(torch.unique(rows.reshape(len(rows), -1), dim=0))
    if different < FEWEST:
        return (
            f"there are {different} different inputs among {ORDINARY:,} training examples, and "
            f"{share:.0%} of held-out examples are among them"
        )
    return None


def _shares(trial: TaskTrial, place: int, seed: int) -> tuple[float, float, int]:
    """Share of a test set's rows that are trained on, that by chance, and how many rows.

    seed: of the world where there is a training set, else of the stream. By chance: with the
    training examples of the next seed.
    """
    rows = _test_rows(trial, place, seed)
    own, other = (_training_rows(trial, each) for each in (seed, seed + 1))
    return _share(rows, own), _share(rows, other), len(rows)


def _test_rows(trial: TaskTrial, place: int, seed: int) -> Tensor:
    held_out, world = trial.sets[place], trial.world(seed if trial.has_train_set else 0)
    if held_out.test_set.whole is not None:
        return held_out.test_set.whole(world).x
    return trial.draw_held_out(world, place, seed, 4 * SIZE).x


def _training_rows(trial: TaskTrial, seed: int) -> Tensor:
    found = trial.train_set(seed)
    if found is not None:
        return found.x
    size = ORDINARY // STEPS_TOGETHER
    drawn = [trial.batch(seed, step=step, size=size).x for step in range(STEPS_TOGETHER)]
    return torch.cat(drawn)


def _share(rows: Tensor, among: Tensor) -> float:
    """Share of rows (N, ...) that are equal to one of others (M, ...)."""
    joined = torch.cat([rows, among]).reshape(len(rows) + len(among), -1)
    _, numbers = torch.unique(joined, dim=0, return_inverse=True)
    return float(torch.isin(numbers[: len(rows)], numbers[len(rows) :]).double().mean())


LEAK_LAWS: tuple[Law[TaskTrial], ...] = (train_and_eval_disjoint,)
