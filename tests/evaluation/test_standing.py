"""Cells that stand on others: warm starts, lottery tickets, teachers; kept weights.

`pytest -m slow` adds other optimizers and scopes of tickets, and rounds of pruning.
"""

from __future__ import annotations

import shutil
from dataclasses import replace
from pathlib import Path

import pytest
import pytorch_lightning as pl
import torch
from safetensors.torch import load_file

import synthbench as sb
from synthbench.errors import ConfigurationError, InterfaceError, ModelError, RecordError
from synthbench.plan.schedule import evaluation_steps
from synthbench.records.content import record_bytes
from synthbench.registry.registry import installed
from synthbench.streams import Purpose, Stream

STEPS, SEEDS, BATCH = 60, 4, 16
ADAM = "mlp width=8 optimizer=adam lr=0.01 batch_size=16"
SGD = "mlp width=8 momentum=0.9 batch_size=16"


def cell_of(model: str, **changes) -> sb.Cell:
    fields = {
        "budget": STEPS * BATCH,
        "seeds": SEEDS,
        "evaluation_samples": 128,
        "until": "budget",
        "resolution": 0.5,
        **changes,
    }
    task = installed().task("sparse-parity n=8 k=2")
    return sb.Cell(task, installed().model(model), sb.Protocol(**fields))


@pytest.fixture(scope="module")
def all_kept(settings: sb.Settings) -> sb.Settings:
    return replace(settings, keep_weights="all")


@pytest.fixture(scope="module")
def adam(all_kept: sb.Settings, tmp_path_factory: pytest.TempPathFactory) -> sb.CellResult:
    """The source of several tests; its folder is only read."""
    return sb.evaluate_cells([cell_of(ADAM)], tmp_path_factory.mktemp("adam"), all_kept)[0]


def beside(result: sb.CellResult, out: Path) -> Path:
    """A folder in which that cell is already."""
    return Path(shutil.copytree(result.folder.parent, out))


def weights_of(result: sb.CellResult, at: int | None = None) -> dict[str, torch.Tensor]:
    if at is None:
        return load_file(result.folder / "weights.safetensors")
    kept = load_file(result.folder / "checkpoints.safetensors")
    own = f"{at}/"
    return {n.removeprefix(own): t for n, t in kept.items() if n.startswith(own)}


def same(first: dict[str, torch.Tensor], second: dict[str, torch.Tensor]) -> bool:
    return first.keys() == second.keys() and all(
        first[n].numpy().tobytes() == second[n].numpy().tobytes() for n in first
    )


def same_files(first: sb.CellResult, second: sb.CellResult, name: str) -> bool:
    return (first.folder / name).read_bytes() == (second.folder / name).read_bytes()


# Kept weights


def test_all_evaluations_are_kept_and_the_last_is_the_final(adam: sb.CellResult) -> None:
    cell, result = cell_of(ADAM), adam
    kept = load_file(result.folder / "checkpoints.safetensors")
    points = evaluation_steps(STEPS, cell.protocol.resolution)
    assert {int(name.split("/")[0]) for name in kept} == set(points)
    assert same(weights_of(result, STEPS), weights_of(result))
    # Step 0: the modules as they were built.
    for replica, seeds in enumerate(cell.replica_seeds()):
        from synthbench.engine.axis.replicas import build_modules

        (module,) = build_modules(cell.model, cell.task.interface, [seeds.init])
        for name, parameter in module.named_parameters():
            assert torch.equal(weights_of(result, 0)[name][replica], parameter)
    # Every snapshot scores what the trajectory says.
    for step in (0, points[5], STEPS):
        network = result.network(1, step=step)
        loss = _loss(cell, network, 1)
        rows = result.trajectories.to_pandas()
        row = rows[(rows.replica == 1) & (rows.step == step)]
        assert float(loss) == pytest.approx(float(row["loss"].iloc[0]), rel=1e-5)


def _loss(cell: sb.Cell, network: torch.nn.Module, replica: int) -> torch.Tensor:
    seeds, protocol = cell.replica_seeds()[replica], cell.protocol
    world = cell.task.world(Stream.from_seed(seeds.world, Purpose.WORLD))
    losses = []
    for call in range(protocol.evaluation_samples // protocol.evaluation_batch):
        rng = Stream.from_seed(seeds.eval, Purpose.EVAL, call)
        batch = cell.task.sample(world, rng, protocol.evaluation_batch)
        losses.append(cell.task.losses()["hinge"](network(batch.x), batch).detach())
    return torch.stack(losses).mean()


def test_a_step_means_the_last_evaluation_at_or_before_it(out: Path, settings: sb.Settings) -> None:
    cell = cell_of(SGD)
    (result,) = sb.evaluate_cells([cell], out, replace(settings, keep_weights=(0, 49)))
    points = evaluation_steps(STEPS, cell.protocol.resolution)
    before = max(p for p in points if p <= 49)
    kept = load_file(result.folder / "checkpoints.safetensors")
    assert {int(name.split("/")[0]) for name in kept} == {0, before}
    assert result.network(0, step=before) is not None
    assert result.network(0, step=49).state_dict().keys() == result.network(0).state_dict().keys()
    with pytest.raises(RecordError, match=r"no weights of step 9 \(kept: 0, .*last\)"):
        result.network(0, step=9)
    assert sb.evaluate_cells([cell], out, replace(settings, keep_weights=(0,)))[0].reused
    more = sb.evaluate_cells([cell], out, replace(settings, keep_weights=(20,)))[0]
    assert not more.reused
    steps = {n.split("/")[0] for n in load_file(more.folder / "checkpoints.safetensors")}
    assert len(steps) == 3, "what was kept stays kept"


def test_stopped_replicas_keep_their_last_weights(small_cell, out: Path, all_kept) -> None:
    coarse = small_cell.protocol.model_copy(update={"resolution": 0.2})
    (result,) = sb.evaluate_cells([replace(small_cell, protocol=coarse)], out, all_kept)
    last = result.trajectories.to_pandas().groupby("replica")["step"].max()
    final = weights_of(result)
    for replica, step in last.items():
        for at in (step, small_cell.steps):
            for name, tensor in weights_of(result, at).items():
                assert torch.equal(tensor[replica], final[name][replica])
    assert last.nunique() > 1


@pytest.mark.parametrize("keep", ["first", (-1,), (), ("0",), 3, (True,)])
def test_what_cannot_be_kept(keep, out: Path, settings: sb.Settings) -> None:
    with pytest.raises(ConfigurationError, match="keep_weights must be True, False, last, all"):
        sb.evaluate_cells([cell_of(SGD)], out, replace(settings, keep_weights=keep))


# Starts


@pytest.mark.parametrize("model", [ADAM, pytest.param(SGD, marks=pytest.mark.slow)])
def test_a_start_at_0_is_the_source_again(
    model: str, adam: sb.CellResult, out: Path, all_kept
) -> None:
    source = cell_of(model)
    beside(adam, out)
    started = replace(source, start=sb.Weights(source, 0))
    first, second = sb.evaluate_cells([source, started], out, all_kept)
    assert first.folder != second.folder
    for name in ("trajectories.parquet", "weights.safetensors", "checkpoints.safetensors"):
        assert same_files(first, second, name), name
    assert second.record.sources.keys() == {"start"} and not first.record.sources
    assert second.record.plan["start"] == {"cell": source.plan(), "at": 0}


def test_a_warm_start_begins_where_the_source_was(out: Path, all_kept) -> None:
    source = cell_of(ADAM)
    at = source.evaluated_at(30)
    assert isinstance(at, int)
    warm = replace(cell_of(SGD), start=sb.Weights(source, 30))
    (result,) = sb.evaluate_cells([warm], out, all_kept)
    (trained,) = [r for r in sb.read_results(out) if r.folder != result.folder]
    assert same(weights_of(result, 0), weights_of(trained, at)), "trained first, into out"
    assert {"0", str(at)} & {
        n.split("/")[0] for n in load_file(trained.folder / "checkpoints.safetensors")
    } == {str(at)}
    (again,) = sb.evaluate_cells([warm], out, all_kept)
    assert again.reused


# Masks


@pytest.mark.parametrize(
    ("model", "scope"),
    [
        (f"{SGD} weight_decay=0.01", "global"),
        pytest.param(f"{SGD} clip=0.5", "layer", marks=pytest.mark.slow),
        pytest.param(
            "mlp width=8 optimizer=muon batch_size=16 lr=0.02", "global", marks=pytest.mark.slow
        ),
    ],
)
def test_a_rewound_lottery_ticket(model: str, scope, out: Path, all_kept) -> None:
    source = cell_of(model)
    ticket = replace(
        source, start=sb.Weights(source, 20), mask=sb.Mask(source, sparsity=0.6, scope=scope)
    )
    dense, pruned = sb.evaluate_cells([source, ticket], out, all_kept)
    final, early = weights_of(dense), weights_of(dense, source.evaluated_at(20))
    matrices = [n for n, t in final.items() if t.dim() >= 3]
    for replica in range(SEEDS):
        size = {n: final[n][replica].abs() for n in matrices}
        pools = [torch.cat([size[n].flatten() for n in matrices])] if scope == "global" else []
        for name in matrices:
            pool = pools[0] if pools else size[name].flatten()
            # Continuous weights have no ties: all above the threshold stay.
            edge = pool.sort().values[round(0.6 * len(pool)) - 1]
            mask = (size[name] > edge).float()
            assert torch.equal(weights_of(pruned, 0)[name][replica], mask * early[name][replica])
            for step in evaluation_steps(STEPS, source.protocol.resolution):
                now = weights_of(pruned, step)[name][replica]
                assert (now[mask == 0] == 0).all() and (now[mask == 1] != 0).all()
    others = [n for n in final if n not in matrices]
    assert others
    assert all(torch.equal(weights_of(pruned, 0)[n], early[n]) for n in others), "biases stay"


@pytest.mark.slow
def test_pruning_in_rounds_removes_more_each_time(out: Path, all_kept) -> None:
    source = cell_of(SGD)
    once = replace(source, start=sb.Weights(source, 0), mask=sb.Mask(source, sparsity=0.5))
    twice = replace(source, start=sb.Weights(source, 0), mask=sb.Mask(once, sparsity=0.75))
    first, second = sb.evaluate_cells([once, twice], out, all_kept)
    for name, tensor in weights_of(first).items():
        if tensor.dim() >= 3:
            assert (weights_of(second)[name][tensor == 0] == 0).all()
    gone = [
        sum((t == 0).sum() for t in weights_of(r).values() if t.dim() >= 3) for r in (first, second)
    ]
    count = sum(t.numel() for t in weights_of(first).values() if t.dim() >= 3)
    assert gone == [round(0.5 * count / SEEDS) * SEEDS, round(0.75 * count / SEEDS) * SEEDS]


# Teachers


def test_a_teacher_who_is_not_listened_to_changes_nothing(
    adam: sb.CellResult, out: Path, all_kept
) -> None:
    source = cell_of(ADAM)
    student = replace(source, teacher=sb.Teacher(source, hard=1.0))
    alone, taught = sb.evaluate_cells([source, student], beside(adam, out), all_kept)
    for name in ("trajectories.parquet", "weights.safetensors", "checkpoints.safetensors"):
        assert same_files(alone, taught, name), name


def by_hand(student: sb.Cell, teachers: list[torch.nn.Module], replica: int) -> dict:
    """Distillation of one replica as one writes it in plain torch, in double precision."""
    from synthbench.engine.axis.replicas import build_modules

    assert student.teacher is not None
    seeds, recipe = student.replica_seeds()[replica], student.model.recipe
    (module,) = build_modules(student.model, student.task.interface, [seeds.init])
    module.double()
    optimizer = torch.optim.SGD(
        module.parameters(), recipe.lr, recipe.momentum, weight_decay=recipe.weight_decay
    )
    world = student.task.world(Stream.from_seed(seeds.world, Purpose.WORLD))
    heat, hard = student.teacher.temperature, student.teacher.hard
    for step in range(student.steps):
        rng = Stream.from_seed(seeds.train, Purpose.TRAIN, step)
        batch = student.task.sample(world, rng, BATCH)
        x, y = batch.x.double(), batch.y.double()
        # Equal parts of the steps, in order.
        teacher = teachers[int(step / student.steps * len(teachers))]
        with torch.no_grad():
            soft = torch.sigmoid(teacher(x) / heat)
        output = module(x)
        entropy = torch.special.xlogy(soft, soft) + torch.special.xlogy(1 - soft, 1 - soft)
        crossed = torch.nn.functional.binary_cross_entropy_with_logits(
            output / heat, soft, reduction="none"
        )
        divergence = (crossed + entropy).mean() * heat**2
        own = torch.relu(1 - y * output).mean()
        optimizer.zero_grad()
        ((1 - hard) * divergence + hard * own).backward()
        optimizer.step()
    return {name: p.detach() for name, p in module.named_parameters()}


@pytest.mark.parametrize(
    ("at", "temperature", "hard"),
    [
        ("last", 3.0, 0.25),
        ((0, 20, "last"), 1.0, 0.0),
        pytest.param("last", 1.0, 0.0, marks=pytest.mark.slow),
    ],
)
def test_soft_labels_are_those_of_a_plain_loop(at, temperature, hard, out: Path, all_kept) -> None:
    source = cell_of("mlp width=12 lr=0.2 batch_size=16", precision="64-true")
    student = cell_of(SGD, precision="64-true")
    student = replace(student, teacher=sb.Teacher(source, at, temperature=temperature, hard=hard))
    teacher, taught = sb.evaluate_cells([source, student], out, all_kept)
    moments = at if isinstance(at, tuple) else (at,)
    for replica in (SEEDS - 1,):
        networks = [teacher.network(replica, None if m == "last" else m).double() for m in moments]
        for net, moment in zip(networks, moments, strict=True):
            step = source.evaluated_at(moment)
            kept = weights_of(teacher, None if step == "last" else step)
            with torch.no_grad():
                for name, parameter in net.named_parameters():
                    parameter.copy_(kept[name][replica])
        expected = by_hand(student, networks, replica)
        for name, tensor in expected.items():
            found = weights_of(taught)[name][replica]
            torch.testing.assert_close(found, tensor, rtol=1e-8, atol=1e-10)


def pupil() -> sb.Cell:
    """A cell that stands on another in every way."""
    source = cell_of(ADAM)
    return replace(
        cell_of(SGD), teacher=sb.Teacher(source, (10, "last")), start=sb.Weights(source, 5),
        mask=sb.Mask(source, sparsity=0.3),
    )  # fmt: skip


@pytest.fixture(scope="module")
def in_threes(
    adam: sb.CellResult, all_kept: sb.Settings, tmp_path_factory: pytest.TempPathFactory
) -> sb.CellResult:
    """It, trained without interruption in blocks of three and one."""
    out = beside(adam, tmp_path_factory.mktemp("threes") / "runs")
    return sb.evaluate_cells([pupil()], out, replace(all_kept, replicas_per_block=3))[0]


def test_a_student_is_the_same_in_any_block(
    in_threes: sb.CellResult, out: Path, all_kept: sb.Settings
) -> None:
    """Its source too is trained in blocks of another width."""
    (in_twos,) = sb.evaluate_cells([pupil()], out, replace(all_kept, replicas_per_block=2))
    for name in ("trajectories.parquet", "weights.safetensors", "checkpoints.safetensors"):
        assert same_files(in_twos, in_threes, name), name


class Stop(pl.Callback):
    """Interrupts after some evaluations, as Ctrl-C does."""

    def __init__(self, after: int) -> None:
        self.left = after

    def on_validation_end(self, *_) -> None:
        self.left -= 1
        if self.left == 0:
            raise KeyboardInterrupt


def test_a_student_that_was_interrupted_ends_as_if_it_had_not_been(
    in_threes: sb.CellResult, out: Path, all_kept: sb.Settings
) -> None:
    unbroken, source, student = in_threes, cell_of(ADAM), pupil()
    settings = replace(all_kept, replicas_per_block=3)
    sb.evaluate_cells([source], out / "broken", replace(settings, keep_weights=(5, 10)))
    points = len(evaluation_steps(STEPS, source.protocol.resolution))
    for after in (points // 2, points // 2):
        options = sb.TrainerOptions("cpu", callbacks=(Stop(after),), checkpoint_seconds=0)
        with pytest.raises((KeyboardInterrupt, SystemExit)):
            sb.evaluate_cells([student], out / "broken", replace(settings, trainer=options))
        assert list((out / "broken").rglob("block-*.ckpt"))
    (broken,) = sb.evaluate_cells([student], out / "broken", settings)
    for name in ("trajectories.parquet", "weights.safetensors", "checkpoints.safetensors"):
        assert same_files(unbroken, broken, name), name


def test_tokens_are_taught_by_logits(out: Path, settings: sb.Settings) -> None:
    result = sb.evaluate(
        "markov length=6 last=4", "transformer layers=1 batch_size=4",
        protocol=sb.Protocol(budget=64, seeds=2, evaluation_samples=256),
        teacher="transformer layers=1 batch_size=4 lr=0.01@8,last",
        out=out, settings=settings,
    )  # fmt: skip
    assert result.record.plan["teacher"]["at"] == [8, "last"]
    assert result.record.plan["teacher"]["cell"]["protocol"]["until"] == "budget"
    losses = result.trajectories.to_pandas()["train_loss"].dropna()
    assert (losses >= 0).all() and len(losses)


def test_a_bare_module_teaches(out: Path, settings: sb.Settings) -> None:
    class Wide(torch.nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.first, self.second = torch.nn.Linear(8, 32), torch.nn.Linear(32, 1)

        def forward(self, x):
            return self.second(self.first(x).relu()).squeeze(-1)

    protocol = cell_of(SGD).protocol
    task = "sparse-parity n=8 k=2"
    teacher = sb.evaluate(
        task, Wide, protocol=protocol, out=out, settings=replace(settings, keep_weights=(30,))
    )
    taught = sb.evaluate(
        task, SGD, protocol=protocol, out=out, settings=settings,
        teacher=sb.Teacher(teacher, (30, "last")),
    )  # fmt: skip
    assert taught.record.plan["teacher"]["cell"]["model"]["name"] == "wide"
    (read,) = [r for r in sb.read_results(out) if r.folder == teacher.folder]
    with pytest.raises(ConfigurationError, match="not from an installed plugin"):
        sb.evaluate(task, SGD, protocol=protocol, out=out, settings=settings, teacher=read)


# Finished sources by folder, and mistakes


def test_a_folder_is_a_source(out: Path, settings: sb.Settings) -> None:
    source = cell_of(ADAM)
    (result,) = sb.evaluate_cells([source], out / "a", replace(settings, keep_weights=(20,)))
    (read,) = sb.read_results(out / "a")
    named = {"task": source.task, "model": SGD, "protocol": source.protocol, "settings": settings}
    kept = replace(settings, keep_weights="all")
    by_text = sb.evaluate(**{**named, "settings": kept}, start=f"{result.folder}@20", out=out / "b")
    by_object = sb.evaluate(**named, start=sb.Weights(read, 20), out=out / "b")
    assert by_object.reused and by_object.folder == by_text.folder
    assert len(sb.read_results(out / "b")) == 1, "nothing was trained beside it"
    assert same(weights_of(by_text, 0), weights_of(result, source.evaluated_at(20)))
    with pytest.raises(RecordError, match=r"no weights of step 4 \(kept: .*--keep-weights 4"):
        sb.evaluate(**named, start=sb.Weights(read, 4), out=out / "b")


@pytest.mark.parametrize(
    ("changes", "error", "message"),
    [
        (lambda c: {"start": sb.Weights(cell_of(SGD, seeds=5))}, ConfigurationError,
         "start must have the same replicas: 5 seeds from 0 there, 4 seeds from 0 here"),
        (lambda c: {"start": sb.Weights(c, 61)}, ConfigurationError, "beyond the 60 steps"),
        (lambda c: {"start": sb.Weights(cell_of("mlp width=9 batch_size=16"))}, ModelError,
         r"start .* does not fit .*: hidden.0.weight has shape \(9, 8\) there, \(8, 8\) here"),
        (lambda c: {"mask": sb.Mask(cell_of("mlp depth=2 width=9 batch_size=16"))}, ModelError,
         r"mask .* does not fit .*: hidden.0.weight has shape"),
        (lambda c: {"teacher": sb.Teacher(replace(c, task=c.task.model_copy(update={"n": 9})))},
         InterfaceError, r"was trained for signs \(n=9\)"),
    ],
)  # fmt: skip
def test_mistakes_are_one_line(changes, error, message, out: Path, settings) -> None:
    cell = cell_of(SGD)
    with pytest.raises(error, match=message) as caught:
        sb.evaluate_cells([replace(cell, **changes(cell))], out, settings)
    assert "\n" not in str(caught.value) and not out.exists()


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: sb.Weights(None, -1), "at must be an optimizer step"),
        (lambda: sb.Weights(None, "first"), "at must be an optimizer step"),
        (lambda: sb.Teacher(None, ()), "a teacher needs a step or last"),
        (lambda: sb.Teacher(None, temperature=0), "temperature must be above 0"),
        (lambda: sb.Teacher(None, hard=1.5), "hard must be from 0 to 1"),
        (lambda: sb.Mask(None, sparsity=1.0), "sparsity must be at least 0 and below 1"),
        (lambda: sb.Mask(None, scope="row"), "scope must be global or layer"),
    ],
)
def test_sources_check_their_fields(make, message: str) -> None:
    with pytest.raises(ConfigurationError, match=message):
        make()


def test_a_cell_stands_on_cells() -> None:
    with pytest.raises(ConfigurationError, match="teacher of a Cell names a Cell, got 'mlp'"):
        replace(cell_of(SGD), teacher=sb.Teacher("mlp"))


def test_a_cell_alone_has_the_plan_it_always_had() -> None:
    assert cell_of(SGD).plan().keys() == {"plan_version", "task", "model", "probes", "protocol"}


@pytest.mark.slow
def test_a_source_that_was_trained_anew_is_taken_anew(out: Path, settings: sb.Settings) -> None:
    source = cell_of(SGD)
    student = replace(cell_of(ADAM), start=sb.Weights(source))
    first = sb.evaluate_cells([student], out, settings)[0]
    assert sb.evaluate_cells([student], out, settings)[0].reused
    path = first.folder / "record.json"
    sources = {**first.record.sources, "start": "0" * 64}
    record = first.record.model_copy(update={"sources": sources})
    path.write_bytes(record_bytes(record))
    assert not sb.evaluate_cells([student], out, settings)[0].reused
