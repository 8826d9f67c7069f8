"""A suite's cells by a hand-written JAX program: what one writes who needs the numbers once.

One replica's training step is vmapped over all seeds of a cell and compiled; every replica is
scored at the evaluation points of SynthBench, on as many held-out samples; training stops when all
have solved the task twice in a row, or at the end of the budget. Compilation is not timed; worlds,
held-out samples, initialization, training and scores are. Nothing is recorded, drawn or resumed.

    python benchmarks/jax_cells.py feature-learning-v1 [--cells 1 2] [--together 8]
"""

from __future__ import annotations

import argparse
import json
import math
import tomllib
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jax_tasks import JaxTask, Sample, task_of
from side_by_side import timed

from synthbench.plan.schedule import evaluation_steps

SUITES = Path(__file__).parent.parent / "leaderboards"
RESOLUTION, HOLD, BATCH_OF_SCORES = 0.05, 2, 128
WIDTH, LAYERS, STD, OUTPUT_STD = 16, 2, 0.02, 0.01
BETAS, EPSILON, DECAY, CLIP = (0.9, 0.95), 1e-8, 0.1, 1.0

Parameters = dict[str, jax.Array]


class Perceptron:
    """`mlp width=100`: one hidden ReLU layer, torch's initialization; SGD of 0.1, batches of 32."""

    width, batch_size, rate = 100, 32, 0.1

    def __init__(self, task: JaxTask) -> None:
        self.inputs = task.sizes[1]

    def init(self, key: jax.Array) -> Parameters:
        def uniform(index: int, shape: tuple[int, ...], fan_in: int) -> jax.Array:
            bound = fan_in**-0.5
            chosen = jax.random.fold_in(key, index)
            return jax.random.uniform(chosen, shape, minval=-bound, maxval=bound)

        n, width = self.inputs, self.width
        return {
            "w": uniform(0, (n, width), n),
            "b": uniform(1, (width,), n),
            "v": uniform(2, (width,), width),
            "c": uniform(3, (), width),
        }

    def forward(self, p: Parameters, x: jax.Array) -> jax.Array:
        return jax.nn.relu(x @ p["w"] + p["b"]) @ p["v"] + p["c"]

    def moments(self, p: Parameters) -> tuple[Parameters, ...]:
        return ()

    def update(
        self, p: Parameters, gradient: Parameters, moments: tuple[Parameters, ...], step: jax.Array
    ) -> tuple[Parameters, tuple[Parameters, ...]]:
        return jax.tree.map(lambda w, g: w - self.rate * g, p, gradient), moments


class Transformer:
    """`transformer lr=0.002`: two layers of attention with relative positions; AdamW, clipped."""

    batch_size, rate = 64, 0.002

    def __init__(self, task: JaxTask) -> None:
        self.symbols, self.length = task.sizes

    def init(self, key: jax.Array) -> Parameters:
        def normal(index: int, shape: tuple[int, ...], std: float = STD) -> jax.Array:
            return std * jax.random.normal(jax.random.fold_in(key, index), shape)

        p = {
            "embedding": normal(0, (self.symbols, WIDTH)),
            "readout": normal(1, (WIDTH, self.symbols)),
        }
        for layer in range(LAYERS + 1):
            p[f"gain{layer}"], p[f"bias{layer}"] = jnp.ones(WIDTH), jnp.zeros(WIDTH)
        for layer in range(LAYERS):
            p[f"qkv{layer}"] = normal(10 + layer, (WIDTH, 3 * WIDTH))
            p[f"out{layer}"] = normal(20 + layer, (WIDTH, WIDTH), OUTPUT_STD)
            p[f"distance{layer}"] = normal(30 + layer, (self.length, WIDTH))
        return p

    def forward(self, p: Parameters, x: jax.Array) -> jax.Array:
        length = self.length
        # A product with one-hot rows: its gradient is a product too, not a scatter.
        h = jax.nn.one_hot(x, self.symbols) @ p["embedding"]
        future = jnp.triu(jnp.full((length, length), -jnp.inf), 1)
        for layer in range(LAYERS):
            normed = normalized(h, p[f"gain{layer}"], p[f"bias{layer}"])
            q, k, v = jnp.split(normed @ p[f"qkv{layer}"], 3, -1)
            q = q / math.sqrt(WIDTH)
            # Rows in reversed order, read one column further at each: Huang et al. 2018.
            products = q @ jnp.pad(p[f"distance{layer}"][::-1], ((1, 0), (0, 0))).T
            relative = products.reshape(-1, length + 1, length)[:, 1:]
            weights = jax.nn.softmax(q @ jnp.swapaxes(k, -1, -2) + relative + future)
            h = h + weights @ v @ p[f"out{layer}"]
        return normalized(h, p[f"gain{LAYERS}"], p[f"bias{LAYERS}"]) @ p["readout"]

    def moments(self, p: Parameters) -> tuple[Parameters, ...]:
        return jax.tree.map(jnp.zeros_like, p), jax.tree.map(jnp.zeros_like, p)

    def update(
        self, p: Parameters, gradient: Parameters, moments: tuple[Parameters, ...], step: jax.Array
    ) -> tuple[Parameters, tuple[Parameters, ...]]:
        norm = jnp.sqrt(sum((leaf**2).sum() for leaf in jax.tree.leaves(gradient)))
        g = jax.tree.map(lambda leaf: leaf * jnp.minimum(1.0, CLIP / (norm + 1e-6)), gradient)
        first, second = moments
        first = jax.tree.map(lambda m, leaf: BETAS[0] * m + (1 - BETAS[0]) * leaf, first, g)
        second = jax.tree.map(lambda v, leaf: BETAS[1] * v + (1 - BETAS[1]) * leaf**2, second, g)

        def moved(w: jax.Array, m: jax.Array, v: jax.Array) -> jax.Array:
            m, v = m / (1 - BETAS[0] ** (step + 1)), v / (1 - BETAS[1] ** (step + 1))
            decay = DECAY if w.ndim > 1 else 0.0
            return w - self.rate * (m / (jnp.sqrt(v) + EPSILON) + decay * w)

        return jax.tree.map(moved, p, first, second), (first, second)


def normalized(h: jax.Array, gain: jax.Array, bias: jax.Array) -> jax.Array:
    centred = h - h.mean(-1, keepdims=True)
    return gain * centred * jax.lax.rsqrt((centred**2).mean(-1, keepdims=True) + 1e-5) + bias


@dataclass(frozen=True)
class Program:
    """What one cell does, for one replica; vmapped and compiled by `compiled`."""

    task: JaxTask
    network: Perceptron | Transformer
    held_out: int

    def begin(self, key: jax.Array) -> tuple[Any, ...]:
        """State before the first step: parameters, moments, key, world."""
        init_key, world_key, train_key = jax.random.split(key, 3)
        p = self.network.init(init_key)
        return p, self.network.moments(p), train_key, self.task.world(world_key)

    def prepare(self, key: jax.Array, world: jax.Array) -> tuple[Sample, jax.Array, jax.Array]:
        """Held-out samples in batches (N / 128, 128, ...), and the scores of both ends."""
        sample = self.task.draw(jax.random.fold_in(key, 2**31), world, self.held_out)
        ends = [self.task.score(output, sample) for output in self.task.ends(world, sample)]
        size = math.gcd(self.held_out, BATCH_OF_SCORES)
        batches = jax.tree.map(lambda leaf: leaf.reshape(-1, size, *leaf.shape[1:]), sample)
        return batches, *ends

    def advance(self, state: tuple[Any, ...], start: int, stop: int) -> tuple[Any, ...]:
        """The optimizer steps from one evaluation point to the next."""
        *carry, key, world = state

        def loss_of(p: Parameters, sample: Sample) -> jax.Array:
            return self.task.loss(self.network.forward(p, sample["x"]), sample)

        def step(index: jax.Array, carry: list[Any]) -> list[Any]:
            p, moments = carry
            chosen = jax.random.fold_in(key, index)
            sample = self.task.draw(chosen, world, self.network.batch_size)
            return list(self.network.update(p, jax.grad(loss_of)(p, sample), moments, index))

        return *jax.lax.fori_loop(start, stop, step, carry), key, world

    def measure(self, p: Parameters, batches: Sample) -> tuple[jax.Array, jax.Array]:
        """Score and loss on the held-out samples, batch by batch: all at once leave the cache."""

        def of_batch(sample: Sample) -> tuple[jax.Array, jax.Array]:
            output = self.network.forward(p, sample["x"])
            return self.task.score(output, sample), self.task.loss(output, sample)

        scores, losses = jax.lax.map(of_batch, batches)
        return scores.mean(), losses.mean()


@dataclass(frozen=True)
class Compiled:
    """A program over all replicas of a cell."""

    begin: Any
    prepare: Any
    advance: Any
    measure: Any


def compiled(program: Program, seeds: int) -> Compiled:
    """Everything compiled, nothing run."""
    keys = jax.random.split(jax.random.key(0), seeds)
    begin = jax.jit(jax.vmap(program.begin))
    prepare = jax.jit(jax.vmap(program.prepare))
    advance = jax.jit(jax.vmap(program.advance, in_axes=(0, None, None)), donate_argnums=0)
    measure = jax.jit(jax.vmap(program.measure))
    state = jax.eval_shape(begin, keys)
    batches = jax.eval_shape(prepare, keys, state[-1])[0]
    return Compiled(
        begin.lower(keys).compile(),
        prepare.lower(keys, state[-1]).compile(),
        advance.lower(state, 0, 1).compile(),
        measure.lower(state[0], batches).compile(),
    )


def train(run: Compiled, keys: jax.Array, points: list[int], target: float) -> list[int | None]:
    """Steps at which each replica has solved the task, None where it has not."""
    state = run.begin(keys)
    batches, trivial, best = run.prepare(keys, state[-1])
    hits, solved = np.zeros(len(keys), int), np.full(len(keys), -1)
    for before, step in pairwise([0, *points]):
        if step:
            state = run.advance(state, before, step)
        score, _ = run.measure(state[0], batches)
        met = np.asarray((score - trivial) / (best - trivial) >= target)
        hits = np.where(met, hits + 1, 0)
        # Its time is that of the first of the evaluations that count.
        earlier = points[max(points.index(step) - HOLD + 1, 0)]
        solved = np.where((solved < 0) & (hits >= HOLD), earlier, solved)
        if (solved >= 0).all():
            break
    return [int(s) if s >= 0 else None for s in solved]


def run_cell(task: JaxTask, budget: int, replicas: list[int], held_out: int) -> dict[str, Any]:
    """Compile, then train one cell, in batches of so many replicas; seconds are of the training."""
    network = Transformer(task) if task.sizes[0] else Perceptron(task)
    points = evaluation_steps(budget // network.batch_size, RESOLUTION)
    program = Program(task, network, held_out)
    runs: dict[int, Compiled] = {}
    compilation = timed(lambda: runs.update({w: compiled(program, w) for w in set(replicas)}))
    solved: list[int | None] = []

    def train_all() -> None:
        keys = jax.random.split(jax.random.key(0), len(replicas))
        for key, width in zip(keys, replicas, strict=True):
            solved.extend(train(runs[width], jax.random.split(key, width), points, task.target))

    seconds = timed(train_all)
    samples = [None if s is None else s * network.batch_size for s in solved]
    return {**seconds._asdict(), "compilation": compilation.wall, "samples": samples}


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("suite")
    parser.add_argument("--cells", type=int, nargs="+", help="numbers, from 1; default: all")
    parser.add_argument("--together", type=int, help="replicas in a batch; default: all seeds")
    parser.add_argument("--report", type=Path, help="write the numbers as JSON")
    options = parser.parse_args()
    suite = tomllib.loads((SUITES / options.suite / "suite.toml").read_text())
    seeds, held_out = suite["seeds"], suite.get("evaluation_samples", 1024)
    together = options.together or seeds
    replicas = [min(together, seeds - first) for first in range(0, seeds, together)]
    found = {}
    for number, cell in enumerate(suite["cells"], start=1):
        if not options.cells or number in options.cells:
            task = task_of(cell["task"])
            found[number] = run_cell(task, cell["budget"], replicas, held_out)
            print(cell["task"], found[number], flush=True)
    if options.report:
        options.report.write_text(json.dumps(found))


if __name__ == "__main__":
    main()
