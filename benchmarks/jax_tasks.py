"""The tasks of two suites as one writes them in JAX for one replica: data, loss, score, references.

Parity (Barak et al. 2022), in-context Markov chains (E. Edelman et al. 2024) and induction copying
(Olsson et al. 2022), by the definitions of `synthbench_parity` and `synthbench_markov`. Random
numbers are JAX's own, so that the data are other draws of the same distributions.
"""

from __future__ import annotations

import shlex
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import jax
import jax.numpy as jnp

Sample = dict[str, jax.Array]
"""x, y and, of chains, the true probabilities of every next symbol."""
BURN_IN = 256
SURE = 30.0


@dataclass(frozen=True)
class JaxTask:
    """One task, each function of one replica.

    world: key -> hidden truth; draw: (key, world, size) -> sample; loss, score: (output, sample)
    -> number; ends: (world, sample) -> outputs of the trivial and of the best predictor. Solved is
    `target` of the way from the one's score to the other's. sizes: symbols (or 0) and length of x.
    """

    world: Callable[[jax.Array], jax.Array]
    draw: Callable[[jax.Array, jax.Array, int], Sample]
    loss: Callable[[jax.Array, Sample], jax.Array]
    score: Callable[[jax.Array, Sample], jax.Array]
    ends: Callable[[jax.Array, Sample], tuple[jax.Array, jax.Array]]
    target: float
    sizes: tuple[int, int]


def task_of(reference: str) -> JaxTask:
    """The task of a suite's reference, such as `sparse-parity n=20 k=3`."""
    name, *words = shlex.split(reference)
    fields: dict[str, Any] = dict(word.split("=", 1) for word in words)
    for field, value in fields.items():
        if field != "prior":
            fields[field] = float(value) if "." in value else int(value)
    return {"sparse-parity": parity, "markov": markov, "induction-copying": induction}[name](
        **fields
    )


def parity(n: int, k: int, noise: float = 0.0) -> JaxTask:
    """y = the product of k hidden signs of x, flipped with some probability; hinge loss."""

    def world(key: jax.Array) -> jax.Array:
        return jax.random.permutation(key, n)[:k]

    def draw(key: jax.Array, support: jax.Array, size: int) -> Sample:
        signs_key, flip_key = jax.random.split(key)
        x = jax.random.rademacher(signs_key, (size, n), jnp.float32)
        y = x[:, support].prod(1)
        if noise:
            y = jnp.where(jax.random.uniform(flip_key, (size,)) < noise, -y, y)
        return {"x": x, "y": y}

    def ends(support: jax.Array, sample: Sample) -> tuple[jax.Array, jax.Array]:
        return jnp.zeros_like(sample["y"]), sample["x"][:, support].prod(1)

    def loss(output: jax.Array, sample: Sample) -> jax.Array:
        return jax.nn.relu(1 - sample["y"] * output).mean()

    def score(output: jax.Array, sample: Sample) -> jax.Array:
        return ((jnp.sign(output * sample["y"]) + 1) / 2).mean()

    return JaxTask(world, draw, loss, score, ends, 0.96, (0, n))


def markov(
    symbols: int,
    length: int,
    last: int,
    target: float,
    order: int = 1,
    prior: str = "dirichlet",
) -> JaxTask:
    """Every next symbol of a chain that is new for each sequence; ranked by divergence from it."""
    contexts = symbols**order

    def chains(key: jax.Array, size: int) -> jax.Array:
        if prior == "doubly-stochastic":
            stay = jax.random.uniform(key, (size,))
            return jnp.stack([jnp.stack([stay, 1 - stay], 1), jnp.stack([1 - stay, stay], 1)], 1)
        return jax.random.dirichlet(key, jnp.ones(symbols), (size, contexts))

    def draw(key: jax.Array, _: jax.Array, size: int) -> Sample:
        rows_key, start_key, walk_key = jax.random.split(key, 3)
        rows = chains(rows_key, size)
        if order == 1:
            start = jax.random.categorical(start_key, jnp.log(stationary(rows)))
            steps, dropped = length, 0
        else:
            start = jax.random.randint(start_key, (size,), 0, contexts)
            steps, dropped = BURN_IN + length + 1, BURN_IN + 1
        states = walk(walk_key, rows, start, steps)
        states = states[:, dropped:]
        tokens, context = states % symbols, states[:, :-1]
        true = jnp.take_along_axis(rows, context[:, :, None], 1)
        return {"x": tokens[:, :-1], "y": tokens[:, 1:], "true": true}

    def ends(_: jax.Array, sample: Sample) -> tuple[jax.Array, jax.Array]:
        x = sample["x"]
        best = stay_or_move(x) if prior == "doubly-stochastic" else n_gram(x, symbols, order)
        return jnp.zeros((*x.shape, symbols)), best

    def loss(output: jax.Array, sample: Sample) -> jax.Array:
        predicted = jax.nn.log_softmax(output)
        return -jnp.take_along_axis(predicted, sample["y"][:, :, None], -1).mean()

    def score(output: jax.Array, sample: Sample) -> jax.Array:
        true = sample["true"][:, -last:]
        predicted = jax.nn.log_softmax(output)[:, -last:]
        return (jax.scipy.special.xlogy(true, true) - true * predicted).sum(-1).mean()

    return JaxTask(_nothing, draw, loss, score, ends, target, (symbols, length))


def induction(symbols: int, length: int, target: float) -> JaxTask:
    """What followed the last symbol when it occurred before, of uniformly random ones."""

    def draw(key: jax.Array, _: jax.Array, size: int) -> Sample:
        free_key, asked_key = jax.random.split(key)
        free = jax.random.randint(free_key, (size, length - 1), 0, symbols)
        asked = jax.random.randint(asked_key, (size, 1), 0, length - 2)
        x = jnp.concatenate([free, jnp.take_along_axis(free, asked, 1)], 1)
        places = jnp.where(x[:, :-1] == x[:, -1:], jnp.arange(length - 1), -1)
        return {"x": x, "y": jnp.take_along_axis(x, places.max(1, keepdims=True) + 1, 1)[:, 0]}

    def ends(_: jax.Array, sample: Sample) -> tuple[jax.Array, jax.Array]:
        answer = SURE * jax.nn.one_hot(sample["y"], symbols)
        shape = (*sample["x"].shape, symbols)
        return jnp.zeros(shape), jnp.broadcast_to(answer[:, None], shape)

    def loss(output: jax.Array, sample: Sample) -> jax.Array:
        predicted = jax.nn.log_softmax(output[:, -1])
        return -jnp.take_along_axis(predicted, sample["y"][:, None], -1).mean()

    def score(output: jax.Array, sample: Sample) -> jax.Array:
        ties = output[:, -1] == output[:, -1].max(-1, keepdims=True)
        share = ties / ties.sum(-1, keepdims=True)
        return jnp.take_along_axis(share, sample["y"][:, None], 1).mean()

    return JaxTask(_nothing, draw, loss, score, ends, target, (symbols, length))


def _nothing(_: jax.Array) -> jax.Array:
    return jnp.zeros(0)


def walk(key: jax.Array, rows: jax.Array, start: jax.Array, steps: int) -> jax.Array:
    """States of chains, the start first: rows (B, C, V), start (B,) -> (B, L + 1)."""
    contexts, symbols = rows.shape[1:]
    logits, sequence = jnp.log(rows), jnp.arange(len(rows))

    def move(state: jax.Array, key: jax.Array) -> tuple[jax.Array, jax.Array]:
        symbol = jax.random.categorical(key, logits[sequence, state])
        state = (state * symbols + symbol) % contexts
        return state, state

    _, states = jax.lax.scan(move, start, jax.random.split(key, steps))
    return jnp.concatenate([start[:, None], states.T], 1)


def stationary(rows: jax.Array) -> jax.Array:
    """Stationary distributions of chains of 2 or 3 states, (B, V, V) -> (B, V).

    The weight of a state is that of the spanning trees that lead to it (Markov chain tree theorem).
    """
    r = jnp.moveaxis(rows, 0, -1)
    if len(r) == 2:
        weights = jnp.stack([r[1, 0], r[0, 1]], -1)
    else:
        weights = jnp.stack(
            [
                r[a, i] * r[b, i] + r[a, i] * r[b, a] + r[b, i] * r[a, b]
                for i, a, b in ((0, 1, 2), (1, 0, 2), (2, 0, 1))
            ],
            -1,
        )
    return weights / weights.sum(-1, keepdims=True)


def n_gram(x: jax.Array, symbols: int, order: int) -> jax.Array:
    """Bayes' rule for chains with uniform rows: (B, T) -> log-probabilities (B, T, V)."""
    context = x
    for back in range(1, order):
        context = context + jnp.pad(x, ((0, 0), (back, 0)))[:, : x.shape[1]] * symbols**back
    place = jnp.arange(x.shape[1])
    earlier = (place[:, None] > place) & (place >= order - 1)
    seen = (context[:, :, None] == context[:, None, :]) & earlier
    counts = seen[:, :, :-1].astype(jnp.float32) @ jax.nn.one_hot(x[:, 1:], symbols) + 1
    return jnp.log(counts / counts.sum(-1, keepdims=True))


def stay_or_move(x: jax.Array) -> jax.Array:
    """Bayes' rule for binary chains that stay with a uniform probability: (B, T) -> (B, T, 2)."""
    stays = jnp.pad((x[:, 1:] == x[:, :-1]).astype(jnp.float32), ((0, 0), (1, 0))).cumsum(1)
    stay = (stays + 1) / (jnp.arange(x.shape[1]) + 2)
    return jnp.log(jnp.where(jax.nn.one_hot(x, 2) > 0, stay[..., None], 1 - stay[..., None]))
