"""Tasks with a fault in their scores or losses."""

from __future__ import annotations

import torch

import synthbench as sb
from tests.testing.tasks.sound import Dictator, Successor
from tests.testing.tasks.wider import Spurious


class SlashedScore(Dictator):
    """A score whose name is a path."""

    def score(self, output, batch):
        return {f"test/{name}": value for name, value in super().score(output, batch).items()}


class SummedScore(Dictator):
    """The number of correct answers."""

    def score(self, output, batch):
        return {"correct": super().score(output, batch)["accuracy"] * len(output)}

    def exact_scores(self):
        return {}


class RootScore(Successor):
    """A root of a mean: no mean."""

    def score(self, output, batch):
        return {"rmse": super().score(output, batch)["cross-entropy"].sqrt()}


class Percentage(Dictator):
    """An accuracy of up to 100."""

    def score(self, output, batch):
        return {"accuracy": 100 * super().score(output, batch)["accuracy"]}

    def exact_scores(self):
        return {name: 100 * score for name, score in super().exact_scores().items()}


class LogOfZero(Successor):
    """A logarithm of a probability that may be 0."""

    def score(self, output, batch):
        chosen = torch.gather(torch.softmax(output, -1), 2, batch.y[:, :, None])
        return {"cross-entropy": -torch.log(chosen).mean()}


class LoseTheGradient(Dictator):
    """A loss of predicted classes."""

    def losses(self):
        return {"errors": lambda out, batch: (torch.sign(out) != batch.y).float().mean()}


class SummedLoss(Dictator):
    """A loss that grows with the batch."""

    def losses(self):
        return {"hinge": lambda out, batch: torch.relu(1 - batch.y * out).sum()}


class Broadcasts(Dictator):
    """Labels (B, 1) against outputs (B,)."""

    def losses(self):
        return {"square": lambda out, batch: (batch.y[:, None] - out).square().mean()}


class ZeroOneLabels(Dictator):
    """Labels 0 and 1 with the losses for -1 and +1: half of the examples teach nothing."""

    def sample(self, world, rng, size):
        batch = super().sample(world, rng, size)
        return sb.Batch(batch.x, (batch.y + 1) / 2)

    def score(self, output, batch):
        return super().score(output, sb.Batch(batch.x, 2 * batch.y - 1))


class Uphill(Dictator):
    """A loss with the wrong sign."""

    def losses(self):
        return {"hinge": lambda out, batch: torch.relu(1 + batch.y * out).mean()}


class WorstGroup(Spurious):
    """The worst of two groups, batch by batch; where one is missing it is 0."""

    def score(self, output, batch):
        hits, minority = sb.accuracy(output, batch.y).values, batch.latents["minority"]
        groups = [minority.float(), (~minority).float()]
        shares = [(hits * g).sum() / g.sum().clamp(min=1) for g in groups]
        return {"worst-group": torch.minimum(*shares)}

    def aggregate(self, scores):
        return scores


class ImportanceWeighted(Spurious):
    """The accuracy on the minority, by weights of 10 that are right on average."""

    def test_sets(self):
        return {"": sb.TestSet(sample=self.sample)}

    def score(self, output, batch):
        hits, minority = sb.accuracy(output, batch.y).values, batch.latents["minority"]
        return {"accuracy": hits.mean(), "decorrelated": (10 * hits * minority).mean()}

    def aggregate(self, scores):
        return scores

    def exact_scores(self):
        return {"trivial": 0.5, "optimal": 1.0}


class NegativeWeights(Spurious):
    """Weights that are below 0."""

    def score(self, output, batch):
        found = super().score(output, batch)
        signed = batch.y.sign()
        return found | {"minority": sb.Mean(found["minority"].values, signed)}


class CurveFirst(Successor):
    """A curve in the place of the score that is ranked."""

    def score(self, output, batch):
        missed = -torch.log_softmax(output, -1).gather(2, batch.y[:, :, None])[:, :, 0]
        return {"by-position": missed.mean(0)}


class UnevenMean(Spurious):
    """One weight for all values."""

    def score(self, output, batch):
        values = sb.accuracy(output, batch.y).values
        return {"accuracy": sb.Mean(values, torch.ones_like(values[:1]))}

    def aggregate(self, scores):
        return scores


class AtSign(Dictator):
    """A score that looks as if it were on another test set."""

    def score(self, output, batch):
        return {f"{n}@test": value for n, value in super().score(output, batch).items()}


SCORE_FAULTS: dict[type[sb.Task], str] = {
    SlashedScore: "score-names",
    SummedScore: "scores-are-means",
    RootScore: "scores-are-means",
    Percentage: "scores-in-range",
    LogOfZero: "scores-in-range",
    LoseTheGradient: "losses-are-differentiable",
    SummedLoss: "losses-are-means",
    Broadcasts: "losses-are-means",
    ZeroOneLabels: "every-example-has-a-gradient",
    Uphill: "losses-prefer-optimal",
    WorstGroup: "scores-are-means",
    ImportanceWeighted: "scores-in-range",
    NegativeWeights: "scores-are-means",
    CurveFirst: "score-names",
    UnevenMean: "score-names",
    AtSign: "score-names",
}
"""Fault -> the law that must find it."""
