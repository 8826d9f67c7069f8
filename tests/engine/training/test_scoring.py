"""Scores over whole test sets, against enumeration from the trained weights."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import pytorch_lightning as pl
import torch

import synthbench as sb
from synthbench.engine.axis.way import BY_DEFAULT
from synthbench.engine.data.held_out import held_out_sets
from synthbench.engine.data.sampling import draw_worlds
from synthbench.engine.training.block import split_blocks
from synthbench.engine.training.block_training import train_block
from synthbench.engine.training.score_totals import ScoreTotals, score_parts
from synthbench.errors import ConfigurationError, InterfaceError, TaskError
from synthbench.plan.cell import Cell
from synthbench.streams import keys_of
from tests.engine.authored import SmallNet
from tests.engine.wide_tasks import Blobs, ModularSum, Pairs, Points, Recurrent, RunningParity
from tests.engine.wide_tasks import Spurious as SpuriousTask

QUICK = sb.Protocol(budget=640, seeds=3, evaluation_samples=256, resolution=0.5, until="budget")
KEPT = sb.Settings(sb.TrainerOptions(accelerator="cpu"), keep_weights=True, replicas_per_block=3)


def trained(task, builder, protocol=QUICK, recipe=None, *, out):
    model = sb.as_model(builder, recipe or sb.Recipe(optimizer="adam", lr=0.01))
    (result,) = sb.evaluate_cells([Cell(task, model, protocol)], out, KEPT)
    return result


def last(result, column):
    return [values[-1] for values in result.measured.trajectories.by_replica(column)]


def inputs_of(result, place, seed):
    """All examples of a test set, as one replica was scored on them."""
    cell = result.cell
    keys = keys_of([seed])
    worlds = draw_worlds(cell.task, keys)
    batches = list(held_out_sets(cell.task)[place].batches(worlds, keys, cell.protocol))
    return torch.cat([b.x[0] for b in batches]), torch.cat([b.y[0] for b in batches])


def test_held_out_accuracy_is_that_over_all_remaining_pairs(out) -> None:
    recipe = sb.Recipe(optimizer="adam", lr=0.01, batch_size="full")
    result = trained(ModularSum(p=7), Pairs, QUICK.model_copy(update={"budget": 24 * 30}),
                     recipe, out=out)  # fmt: skip
    assert result.record.batch_size == 24 and result.record.steps == 30
    for r in range(3):
        network = result.network(r).requires_grad_(False)
        for place, column in ((0, "accuracy"), (1, "accuracy@all")):
            x, y = inputs_of(result, place, r)
            right = int((network(x).argmax(1) == y).sum())
            assert last(result, column)[r] == right / len(y)
        task = result.cell.task
        train = task.train_set(task.world(sb.Stream.from_seed(r, sb.Purpose.WORLD)))
        right = int((network(train.x).argmax(1) == train.y).sum())
        assert last(result, "train_accuracy")[r] == right / 24


def test_groups_curves_and_the_worst_group_against_enumeration(out) -> None:
    result = trained(SpuriousTask(n=8), lambda: SmallNet(8), out=out)
    for r in range(3):
        network = result.network(r).requires_grad_(False)
        x, y = inputs_of(result, 1, r)
        assert len(x) == 256
        right = ((network(x) * y).sign() + 1) / 2
        agree = x[:, -1] == y
        groups = [float(right[agree].double().mean()), float(right[~agree].double().mean())]
        assert last(result, "majority@uniform")[r] == groups[0]
        assert last(result, "minority@uniform")[r] == groups[1]
        assert last(result, "worst-group@uniform")[r] == min(groups)
        curve = [float(right[x[:, place] > 0].double().mean()) for place in range(8)]
        np.testing.assert_allclose(last(result, "by-place@uniform")[r], curve, rtol=1e-12)
        # Of a sampler too: all batches are pooled before they are divided.
        x, y = inputs_of(result, 0, r)
        agree, right = x[:, -1] == y, ((network(x) * y).sign() + 1) / 2
        assert last(result, "minority")[r] == float(right[~agree].double().mean())


def test_the_worst_group_may_be_ranked(out) -> None:
    result = trained(SpuriousTask(n=6, worst_first=True), lambda: SmallNet(6), out=out)
    assert result.record.summary.score == "worst-group"
    (scores, *_) = [replica.references for replica in result.record.replicas]
    assert scores["spurious"]["worst-group"] == 0 and scores["optimal"]["worst-group"] == 1


def test_other_lengths_have_scores_references_and_progress_of_their_own(out) -> None:
    task = RunningParity(length=5, longer=(8,))
    result = trained(task, Recurrent, out=out)
    for r in range(3):
        x, y = inputs_of(result, 1, r)
        assert x.shape[1] == 8
        right = (result.network(r)(x).argmax(-1) == y).double()
        assert last(result, "accuracy@length-8")[r] == pytest.approx(float(right.mean()), abs=1e-12)
        levels = result.record.replicas[r].references
        trivial, best = (levels[n]["accuracy@length-8"] for n in ("trivial", "optimal"))
        expected = (float(right.mean()) - trivial) / (best - trivial)
        assert last(result, "progress@length-8")[r] == pytest.approx(expected)
        assert len(last(result, "at")[r]) == 5 and len(last(result, "at@length-8")[r]) == 8


def test_a_probe_may_measure_a_curve(out) -> None:
    class RowNorms(sb.Probe):
        """Norm of each first-layer neuron."""

        name = "row-norms"

        def measure(self, view):
            return {"all": view.parameters["first.weight"].norm(dim=1)}

    model = sb.as_model(lambda: SmallNet(6), sb.Recipe(optimizer="adam", lr=0.01))
    cell = Cell(SpuriousTask(n=6), model, QUICK, (RowNorms(),))
    (result,) = sb.evaluate_cells([cell], out, KEPT)
    assert result.measured.trajectories.curves[-1] == "row-norms/all"
    for r, found in enumerate(last(result, "row-norms/all")):
        expected = result.network(r).first.weight.detach().norm(dim=1).double().numpy()
        np.testing.assert_allclose(found, expected, rtol=1e-6)
    assert result.metrics.probes == {}


def test_a_test_set_may_have_references_of_its_own(out) -> None:
    class Reversed(SpuriousTask):
        """On the uniform set strategies answer by the other sign."""

        name = "reversed"

        def test_sets(self):
            sets = super().test_sets()
            other = replace(sets["uniform"], references=self.other)
            return {**sets, "uniform": other}

        def other(self, world, batch):
            found = self.references(world, batch)
            return {**found, "spurious": found["optimal"] * batch.x[:, 0] ** 2}

        def exact_scores(self):
            return {**super().exact_scores(), "spurious@uniform": 1.0}

    result = trained(Reversed(n=6), lambda: SmallNet(6), out=out)
    for replica in result.record.replicas:
        assert replica.references["spurious"]["accuracy@uniform"] == 1
        assert replica.references["spurious"]["accuracy"] < 0.9


def test_another_test_set_may_be_ranked_and_decides_when_to_stop(out) -> None:
    task = RunningParity(length=4, longer=(5,))
    protocol = QUICK.model_copy(
        update={"until": "solved", "score": "accuracy@length-5", "budget": 63 * 32}
    )
    result = trained(task, Recurrent, protocol, sb.Recipe(optimizer="adam", lr=0.05), out=out)
    record, found = result.record, result.measured.trajectories
    assert record.summary.score == found.ranked == "accuracy@length-5"
    assert last(result, "progress") == last(result, "progress@length-5")
    solved = [replica.outcome == "solved" for replica in record.replicas]
    assert any(solved)
    for r, values in enumerate(found.by_replica("progress")):
        assert (values[-2:] >= task.target).all() == solved[r]


def test_scores_that_do_not_exist_or_are_curves_cannot_be_ranked(out) -> None:
    for score, message in (("accuracy@lenght-8", "did you mean"), ("at", "is a curve")):
        with pytest.raises(ConfigurationError, match=message):
            trained(RunningParity(length=5, longer=(8,)), Recurrent,
                    QUICK.model_copy(update={"score": score}), out=out)  # fmt: skip


def test_models_of_one_length_refuse_several() -> None:
    class OneLength(sb.Model):
        name = "one-length"
        inputs = (sb.Tokens,)
        outputs = (sb.TokenLogits,)

        def build(self, interface):
            return Recurrent()

    with pytest.raises(InterfaceError, match=r"one length.*6, 9, 12"):
        Cell(RunningParity(), OneLength(), QUICK).check()


def test_progress_is_relative_to_the_best_of_the_classifiers_fitted_on_the_same_rows(out) -> None:
    recipe = sb.Recipe(optimizer="adam", lr=0.01, batch_size="full")
    protocol = QUICK.model_copy(update={"budget": 30 * 20, "seeds": 2})
    result = trained(Blobs(rows=30), Points, protocol, recipe, out=out)
    assert result.record.ceiling == "best-known"
    assert list(result.record.environment.libraries) == ["scikit-learn"]
    task = result.cell.task
    for r, replica in enumerate(result.record.replicas):
        world = task.world(sb.Stream.from_seed(r, sb.Purpose.WORLD))
        rest = sb.Batch(world["x"][30:], world["y"][30:])
        own = {
            name: float(sb.accuracy(predict(rest.x), rest.y).values.double().mean())
            for name, predict in sb.fitted_classifiers(task.train_set(world), 3).items()
        }
        found = {name: scores["accuracy"] for name, scores in replica.references.items()}
        assert {name: found[name] for name in own} == pytest.approx(own, abs=1e-9)
        assert found["best-known"] == max(found.values())
        progress = (last(result, "accuracy")[r] - found["trivial"]) / (
            found["best-known"] - found["trivial"]
        )
        assert last(result, "progress")[r] == pytest.approx(progress)


def test_a_raw_score_may_be_the_target(out) -> None:
    task = SpuriousTask(n=6, target_score=0.8)
    protocol = QUICK.model_copy(update={"until": "solved", "resolution": 0.1, "budget": 6_400})
    result = trained(task, lambda: SmallNet(6), protocol, out=out)
    for r, values in enumerate(result.measured.trajectories.by_replica("accuracy")):
        held = (values[:-1] >= 0.8) & (values[1:] >= 0.8)
        solved = result.record.replicas[r].outcome == "solved"
        assert solved == bool(held.any()) and (not solved or held[-1])


@pytest.mark.parametrize("target", [0.5, 1.5])
def test_a_raw_target_lies_between_trivial_and_optimal(target, out) -> None:
    with pytest.raises(ConfigurationError, match=r"not between trivial .* and optimal"):
        trained(SpuriousTask(n=6, target_score=target), lambda: SmallNet(6), out=out)


def test_a_mean_whose_parts_differ_is_named(out) -> None:
    class Misshapen(SpuriousTask):
        name = "misshapen"

        def score(self, output, batch):
            found = super().score(output, batch)
            return {"accuracy": found["accuracy"]._replace(weights=output[:3])}

        def aggregate(self, scores):
            return scores

    with pytest.raises(TaskError, match='score "accuracy" is a Mean of values'):
        trained(Misshapen(n=6), lambda: SmallNet(6), out=out)


def test_fitted_references_need_a_finite_training_set(out) -> None:
    class Endless(Blobs):
        name = "endless"

        def train_set(self, world):
            return None

        def sample(self, world, rng, size):
            rows = rng.integers(200, (size,))
            return sb.Batch(world["x"][rows], world["y"][rows])

    with pytest.raises(TaskError, match="finite training set"):
        trained(Endless(), Points, out=out)


@pytest.mark.parametrize("cuts", [(5, 12), (1, 19), (10, 10)])
def test_means_do_not_depend_on_how_examples_fall_into_batches(cuts) -> None:
    torch.manual_seed(0)
    values, weights = torch.rand(20, 3), (torch.rand(20, 3) > 0.6).float()
    values[weights == 0] = torch.nan
    totals = ScoreTotals()
    for start, stop in zip((0, *cuts), (*cuts, 20), strict=True):
        rows = slice(start, stop)
        parts = score_parts({"m": sb.Mean(values[rows], weights[rows])})
        totals.add({"m": tuple(part[None] for part in parts["m"])}, stop - start)
    kept = torch.where(weights > 0, values.double(), 0)
    torch.testing.assert_close(totals.means()["m"][0], kept.sum(0) / weights.double().sum(0))


def test_a_group_that_no_example_belongs_to_is_undefined_but_ends_nothing(out) -> None:
    class Empty(SpuriousTask):
        name = "empty-group"

        def score(self, output, batch):
            found = super().score(output, batch)
            return {**found, "nobody": found["majority"]._replace(
                weights=torch.zeros_like(output))}  # fmt: skip

    result = trained(Empty(n=6), lambda: SmallNet(6), out=out)
    assert result.record.summary.diverged == 0
    assert np.isnan(last(result, "nobody")).all()
    assert result.record.replicas[0].references["optimal"]["nobody"] is None


def test_results_do_not_depend_on_the_block(out) -> None:
    model = sb.as_model(lambda: SmallNet(6), sb.Recipe(optimizer="adam", lr=0.01))
    cell = Cell(SpuriousTask(n=6), model, QUICK.model_copy(update={"seeds": 3}))
    wide, narrow = (
        sb.evaluate_cells([cell], out / str(width), replace(KEPT, replicas_per_block=width))[0]
        for width in (3, 2)
    )
    first, second = (each.measured.trajectories.table for each in (wide, narrow))
    assert first.equals(second)


class ShiftingBlobs(Blobs):
    """Blobs of which all have one label until the fourth step."""

    name = "shifting-blobs"

    def train_set(self, world):
        return None

    def sample(self, world, rng, size):
        rows = rng.integers(200, (size,))
        return sb.Batch(world["x"][rows], world["y"][rows])

    def sample_at(self, world, rng, size, step):
        drawn = self.sample(world, rng, size)
        return drawn._replace(y=torch.where(step < 4, torch.zeros_like(drawn.y), drawn.y))


class Stopped(pl.Callback):
    """Ends a training after some evaluations, with a checkpoint behind it."""

    def __init__(self, path: Path, evaluations: int) -> None:
        self.path, self.left = path, evaluations

    def on_train_epoch_end(self, trainer, module) -> None:
        self.left -= 1
        if not self.left:
            trainer.save_checkpoint(self.path)
            raise InterruptedError


def test_what_is_fitted_on_a_curriculum_is_the_same_after_a_resumption(tmp_path) -> None:
    recipe = sb.Recipe(optimizer="adam", lr=0.01, batch_size="full")
    protocol = QUICK.model_copy(update={"budget": 40 * 20, "train_samples": 40, "seeds": 2})
    cell = Cell(ShiftingBlobs(), sb.as_model(Points, recipe), protocol)
    (block,) = split_blocks(cell.replica_seeds(), 2)
    options = sb.TrainerOptions(accelerator="cpu")
    unbroken = train_block(cell, block, options, BY_DEFAULT, tmp_path / "none.ckpt")
    path = tmp_path / "killed.ckpt"
    with pytest.raises(InterruptedError):
        stopped = replace(options, callbacks=(Stopped(path, 6),))
        train_block(cell, block, stopped, BY_DEFAULT, path)
    resumed = train_block(cell, block, options, BY_DEFAULT, path)
    assert resumed.references == unbroken.references
    assert resumed.table.equals(unbroken.table)


class SometimesHopeless(Blobs):
    """Blobs of which only one class is held out in the first world; the last is as ever."""

    name = "sometimes-hopeless"

    def world(self, rng):
        found = super().world(rng)
        rest = found["y"].clone()
        rest[self.rows :] = 0
        first = (found["x"][0, 0] < self.edge).to(rest.dtype)
        return {**found, "y": first * rest + (1 - first) * found["y"]}

    edge: float = 0.0

    def references(self, world, batch):
        one = torch.zeros_like(batch.y)
        return {"trivial": sb.one_hot(one, 3, torch.float32)}


def test_a_hopeless_first_replica_does_not_turn_the_target_round(out) -> None:
    plain = Blobs()
    firsts = [
        float(plain.world(sb.Stream.from_seed(seed, sb.Purpose.WORLD))["x"][0, 0])
        for seed in range(20)
    ]
    seed = next(i for i in range(18) if firsts[i] < 0 < min(firsts[i + 1], firsts[i + 2]))
    recipe = sb.Recipe(optimizer="adam", lr=0.01, batch_size="full")
    protocol = QUICK.model_copy(
        update={"budget": 30 * 40, "first_seed": seed, "until": "solved", "resolution": 0.2}
    )
    task = SometimesHopeless(target_score=0.7)
    result = trained(task, Points, protocol, recipe, out=out)
    assert result.record.target.higher_is_better
    scores = result.measured.trajectories.by_replica("accuracy")
    hopeless = result.measured.trajectories.by_replica("progress")[0]
    assert (hopeless == 0).all() and result.record.summary.diverged == 0
    for replica, own in zip(result.record.replicas, scores, strict=True):
        held = bool((own[-2:] >= 0.7).all()) and len(own) > 1
        assert (replica.outcome == "solved") == held
    assert any(replica.outcome == "solved" for replica in result.record.replicas[1:])
    assert result.metrics.regret.value is not None
