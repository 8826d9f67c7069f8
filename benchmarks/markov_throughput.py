"""Replica-steps per second of the transformer cell of E. Edelman et al. 2024, side by side.

The cell: binary in-context Markov chains, length 100, batch 64; 2 layers of attention with one
head, width 16, layer norm, relative positions; AdamW with clipping. All three draw fresh chains
at every step and score 512 held-out sequences at the same evaluation points. Compilation is left
out of JAX's time; everything else, set-up and measuring the block size included, is in
SynthBench's. Also timed: what share of a training step the sampling of the data takes.

    pip install -c constraints.txt -e '.[bench]'
    python benchmarks/markov_throughput.py
"""

from __future__ import annotations

import argparse
import functools
import math
import platform
import statistics
import tempfile
import time
import warnings
from collections.abc import Callable
from itertools import pairwise
from pathlib import Path

import jax
import jax.numpy as jnp
import pytorch_lightning as pl
import torch
from rich.console import Console
from rich.table import Table
from torch import Tensor

import synthbench as sb
from synthbench.engine.axis.gradients import stacked_gradients
from synthbench.engine.axis.objective import Objective, recipe_loss
from synthbench.engine.axis.replicas import stacked_replicas
from synthbench.engine.data.sampling import as_batch, draw_batches, draw_worlds
from synthbench.engine.optimizers.build import build_optimizer, clip_per_replica
from synthbench.engine.training.device import find_device
from synthbench.plan.schedule import evaluation_steps
from synthbench.registry.registry import installed
from synthbench.streams import Purpose, keys_of

LENGTH, BATCH, WIDTH, LAYERS, HELD_OUT = 100, 64, 16, 2, 512
RATE, BETAS, DECAY, CLIP, STD = 5e-4, (0.9, 0.95), 0.1, 1.0, 0.02
TASK, MODEL = f"markov symbols=2 length={LENGTH}", "transformer"


def plain_chains(size: int) -> Tensor:
    """What one writes for a single seed: a loop over time."""
    rows = torch.distributions.Dirichlet(torch.ones(2)).sample((size, 2))
    leave = torch.stack([rows[:, 1, 0], rows[:, 0, 1]], 1)
    state = torch.multinomial(leave / leave.sum(1, keepdim=True), 1)[:, 0]
    states = [state]
    for _ in range(LENGTH):
        state = torch.multinomial(rows[torch.arange(size), state], 1)[:, 0]
        states.append(state)
    return torch.stack(states, 1)


def plain_torch(device: torch.device, steps: int, _: int) -> float:
    """One module, one optimizer, one seed."""
    start = time.perf_counter()
    torch.set_default_device(device)
    task, model = installed().task(TASK), installed().model(MODEL)
    module = model.build(task.interface).to(device)
    matrices = [p for p in module.parameters() if p.dim() > 1]
    others = [p for p in module.parameters() if p.dim() <= 1]
    groups = [{"params": matrices, "weight_decay": DECAY}, {"params": others, "weight_decay": 0.0}]
    optimizer = torch.optim.AdamW(groups, lr=RATE, betas=BETAS)
    held_out, points = plain_chains(HELD_OUT), set(evaluation_steps(steps, 0.05))

    def loss_of(x: Tensor) -> Tensor:
        return torch.nn.functional.cross_entropy(module(x[:, :-1]).mT, x[:, 1:])

    for step in range(steps + 1):
        if step in points:
            with torch.no_grad():
                loss_of(held_out).item()
        loss = loss_of(plain_chains(BATCH))
        optimizer.zero_grad()
        loss.backward()
        torch.nn.utils.clip_grad_norm_(module.parameters(), CLIP)
        optimizer.step()
    _wait(device)
    torch.set_default_device(None)
    return steps / (time.perf_counter() - start)


def synthbench(device: torch.device, steps: int, replicas: int) -> float:
    """The public API, end to end: inspection, block size, data, evaluation, record, figure."""
    protocol = sb.Protocol(
        budget=steps * BATCH, seeds=replicas, until="budget", evaluation_samples=HELD_OUT
    )
    settings = sb.Settings(sb.TrainerOptions(accelerator=device.type))
    with tempfile.TemporaryDirectory() as folder:
        start = time.perf_counter()
        sb.evaluate(TASK, MODEL, protocol=protocol, out=Path(folder), settings=settings)
        return replicas * steps / (time.perf_counter() - start)


def jax_chains(key, size):
    rows_key, start_key, walk_key = jax.random.split(key, 3)
    rows = jax.random.dirichlet(rows_key, jnp.ones(2), (size, 2))
    stationary = jnp.stack([rows[:, 1, 0], rows[:, 0, 1]], 1)
    start = jax.random.categorical(start_key, jnp.log(stationary))

    def move(state, key):
        state = jax.random.categorical(key, jnp.log(rows[jnp.arange(size), state]))
        return state, state

    _, states = jax.lax.scan(move, start, jax.random.split(walk_key, LENGTH))
    return jnp.concatenate([start[:, None], states.T], 1)


def jax_init(key):
    def normal(index, shape, std=STD):
        return std * jax.random.normal(jax.random.fold_in(key, index), shape)

    p = {"embedding": normal(0, (2, WIDTH)), "readout": normal(1, (WIDTH, 2))}
    for layer in range(LAYERS + 1):
        p[f"gain{layer}"], p[f"bias{layer}"] = jnp.ones(WIDTH), jnp.zeros(WIDTH)
    for layer in range(LAYERS):
        p[f"qkv{layer}"] = normal(10 + layer, (WIDTH, 3 * WIDTH))
        p[f"out{layer}"] = normal(20 + layer, (WIDTH, WIDTH), 0.01)
        p[f"distance{layer}"] = normal(30 + layer, (LENGTH, WIDTH))
    return p


def jax_norm(h, gain, bias):
    centred = h - h.mean(-1, keepdims=True)
    return gain * centred * jax.lax.rsqrt((centred**2).mean(-1, keepdims=True) + 1e-5) + bias


def jax_forward(p, x):
    h = p["embedding"][x]
    future = jnp.triu(jnp.full((LENGTH, LENGTH), -jnp.inf), 1)
    for layer in range(LAYERS):
        normed = jax_norm(h, p[f"gain{layer}"], p[f"bias{layer}"])
        q, k, v = jnp.split(normed @ p[f"qkv{layer}"], 3, -1)
        by_distance = q @ jnp.pad(p[f"distance{layer}"][::-1], ((1, 0), (0, 0))).T
        relative = by_distance.reshape(-1, LENGTH + 1, LENGTH)[:, 1:]
        scores = (q @ jnp.swapaxes(k, -1, -2) + relative) / math.sqrt(WIDTH) + future
        h = h + jax.nn.softmax(scores) @ v @ p[f"out{layer}"]
    return jax_norm(h, p[f"gain{LAYERS}"], p[f"bias{LAYERS}"]) @ p["readout"]


def jax_loss(p, x):
    predicted = jax.nn.log_softmax(jax_forward(p, x[:, :-1]))
    return -jnp.take_along_axis(predicted, x[:, 1:, None], -1).mean()


def jax_step(step, carry):
    p, first, second, key = carry
    g = jax.grad(jax_loss)(p, jax_chains(jax.random.fold_in(key, step), BATCH))
    norm = jnp.sqrt(sum((leaf**2).sum() for leaf in jax.tree.leaves(g)))
    g = jax.tree.map(lambda leaf: leaf * jnp.minimum(1.0, CLIP / (norm + 1e-6)), g)
    first = jax.tree.map(lambda m, leaf: BETAS[0] * m + (1 - BETAS[0]) * leaf, first, g)
    second = jax.tree.map(lambda v, leaf: BETAS[1] * v + (1 - BETAS[1]) * leaf**2, second, g)

    def update(w, m, v):
        m, v = m / (1 - BETAS[0] ** (step + 1)), v / (1 - BETAS[1] ** (step + 1))
        decay = DECAY if w.ndim > 1 else 0.0
        return w - RATE * (m / (jnp.sqrt(v) + 1e-8) + decay * w)

    return jax.tree.map(update, p, first, second), first, second, key


@functools.partial(jax.jit, donate_argnums=0)
@functools.partial(jax.vmap, in_axes=(0, None, None))
def jax_train(carry, start, stop):
    return jax.lax.fori_loop(start, stop, jax_step, carry)


def hand_written_jax(_: torch.device, steps: int, replicas: int) -> float:
    def split():
        return jax.random.split(jax.random.key(0), replicas)

    held_out = jax.jit(jax.vmap(lambda key: jax_chains(key, HELD_OUT)))(split())
    score = jax.jit(jax.vmap(jax_loss))

    def begin():
        # Everything here is donated to the first call.
        p = jax.jit(jax.vmap(jax_init))(split())
        return p, jax.tree.map(jnp.zeros_like, p), jax.tree.map(jnp.zeros_like, p), split()

    # Compile outside the measurement.
    jax.block_until_ready(score(jax_train(begin(), 0, 1)[0], held_out))
    start = time.perf_counter()
    carry = begin()
    for a, b in pairwise(evaluation_steps(steps, 0.05)):
        carry = jax_train(carry, a, b)
        jax.block_until_ready(score(carry[0], held_out))
    return replicas * steps / (time.perf_counter() - start)


def sampling_share(device: torch.device, replicas: int, steps: int = 32) -> tuple[float, float]:
    """Milliseconds per replica and step: drawing the data, and the step that uses them."""
    protocol = sb.Protocol(seeds=replicas, budget=steps * BATCH)
    cell = sb.Cell(installed().task(TASK), installed().model(MODEL), protocol)
    seeds = list(range(replicas))
    replicated = stacked_replicas(cell.model, cell.task.interface, seeds)
    parameters = {n: p.to(device) for n, p in replicated.parameters.items()}
    gradients_of = stacked_gradients(Objective(replicated, recipe_loss(cell.task, cell.model)))
    optimizer = build_optimizer(cell.model.recipe, parameters)
    keys = keys_of(seeds).to(device)
    worlds = draw_worlds(cell.task, keys)
    seconds = []
    for attempt in range(2):
        start = time.perf_counter()
        drawn = draw_batches(cell.task, worlds, keys, Purpose.TRAIN, range(steps), BATCH)
        _wait(device)
        middle = time.perf_counter()
        for step in range(steps):
            batch = as_batch([leaf[step] for leaf in drawn[:2]])
            gradients, _ = gradients_of(parameters, {}, batch)
            for name, parameter in parameters.items():
                parameter.grad = gradients[name]
            clip_per_replica(list(parameters.values()), CLIP)
            optimizer.step()
        _wait(device)
        # The first pass traces the step.
        if attempt:
            seconds = [middle - start, time.perf_counter() - middle]
    draw, train = (1e3 * s / steps / replicas for s in seconds)
    return draw, train


def _wait(device: torch.device) -> None:
    if device.type == "cuda":
        torch.cuda.synchronize(device)


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("--steps", type=int, default=600)
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--replicas", type=int, nargs="+", default=[8])
    parser.add_argument("--device", default="cpu")
    options = parser.parse_args()
    warnings.filterwarnings("ignore")
    device = find_device(options.device)
    contenders: list[tuple[str, Callable[[torch.device, int, int], float], list[int]]] = [
        ("plain PyTorch loop, one seed at a time", plain_torch, [1]),
        ("SynthBench, end to end", synthbench, options.replicas),
    ]
    if device.type == "cpu":
        # Wider ones are slower: 43 replica-steps/s at 4 and 8 where 2 has 50.
        jax_replicas = [1, 2]
        contenders.append(("hand-written JAX, jit(loop(vmap))", hand_written_jax, jax_replicas))
    synthbench(device, 10, 2)  # imports and first-call costs
    rates: dict[str, dict[int, list[float]]] = {n: {w: [] for w in ws} for n, _, ws in contenders}
    shares = []
    for _ in range(options.repeats):
        for name, run, widths in contenders:
            for width in widths:
                rates[name][width].append(run(device, options.steps, width))
        shares.append(sampling_share(device, options.replicas[0]))
    report(rates, shares, options.steps)


def report(
    rates: dict[str, dict[int, list[float]]], shares: list[tuple[float, float]], steps: int
) -> None:
    medians = {name: {w: statistics.median(r) for w, r in by.items()} for name, by in rates.items()}
    best = {name: max(by.items(), key=lambda item: item[1]) for name, by in medians.items()}
    plain = next(iter(best.values()))[1]
    table = Table(title=f"{steps} steps, {len(evaluation_steps(steps, 0.05))} evaluations")
    for heading in ("", "best R", "replica-steps/s", "x plain loop"):
        table.add_column(heading, justify="left" if not heading else "right")
    for name, (width, rate) in best.items():
        table.add_row(name, str(width), f"{rate:,.1f}", f"{rate / plain:.2f}")
    console = Console(width=100)
    console.print(table)
    for name, by in medians.items():
        console.print(name, {w: round(rate, 1) for w, rate in by.items()})
    ratios = [rate for _, rate in best.values()]
    console.print(f"SynthBench / plain loop: {ratios[1] / ratios[0]:.2f} (target 1.0)")
    if len(ratios) > 2:
        console.print(f"SynthBench / JAX: {ratios[1] / ratios[2]:.2f} (target 1.2)")
    draw, train = (statistics.median(part) for part in zip(*shares, strict=True))
    console.print(
        f"sampling {draw:.2f} ms, training {train:.2f} ms per replica and step: "
        f"{100 * draw / (draw + train):.1f}% of the time (target below 10%)"
    )
    versions = f"torch {torch.__version__}, Lightning {pl.__version__}, jax {jax.__version__}"
    console.print(
        f"{torch.get_num_threads()} threads, Python {platform.python_version()}, {versions}"
    )


if __name__ == "__main__":
    main()
