"""Markov chains against loops, linear algebra, closed forms and published numbers.

`pytest -m slow` compares the published numbers over up to twenty times as many sequences.
"""

from __future__ import annotations

import math
from itertools import pairwise

import numpy as np
import pytest
import torch
from scipy.special import betaln, digamma

import synthbench as sb
from synthbench.errors import ConfigurationError
from synthbench.registry.registry import installed
from synthbench.streams import Purpose, Stream, keys_of
from synthbench_markov.chains import doubly_stochastic_rows
from synthbench_markov.strategies import n_gram, stay_or_move
from synthbench_markov.walk import choose, follow, stationary, step_by_step, thresholds


def chain(fields: str = "") -> sb.Task:
    return installed().task(f"markov {fields}")


def draw(task: sb.Task, size: int, seed: int = 0, step: int = 0) -> sb.Batch:
    world = task.world(Stream.from_seed(seed, Purpose.WORLD))
    return task.sample(world, Stream.from_seed(seed, Purpose.TRAIN, step), size)


BATCH = 100
"""Of so many that the spread of a few batches gives an error."""


def scores(task: sb.Task, size: int, seed: int = 0) -> dict[str, tuple[float, float]]:
    """Mean and standard error of every reference's divergence over `size` sequences."""
    world, found = task.world(Stream.from_seed(seed, Purpose.WORLD)), {}
    for step in range(size // BATCH):
        batch = task.sample(world, Stream.from_seed(seed, Purpose.EVAL, step), BATCH)
        for name, output in task.references(world, batch).items():
            found.setdefault(name, []).append(task.score(output, batch)["kl"].item())
    return {n: (np.mean(v), np.std(v, ddof=1) / len(v) ** 0.5) for n, v in found.items()}


@pytest.mark.parametrize("size", [2_000, pytest.param(40_000, marks=pytest.mark.slow)])
def test_the_published_divergences_at_the_last_position(size: int) -> None:
    """science: V=2, 3, 8 at T=100, KL(true || strategy); the table's error is below 0.001."""
    table = {2: (0.2128, 0.0875, 0.0093), 3: (0.2803, 0.1692, 0.0262), 8: (0.3636, 0.3401, 0.1539)}
    for symbols, expected in table.items():
        found = scores(chain(f"symbols={symbols} last=1"), size, seed=5)
        for name, value in zip(("trivial", "unigram", "bigram"), expected, strict=True):
            mean, error = found[name]
            assert mean == pytest.approx(value, abs=4 * error + 0.0005), (symbols, name)
        assert found["optimal"] == found["bigram"] and found["true-chain"][0] < 1e-6


@pytest.mark.parametrize("size", [4_000, pytest.param(40_000, marks=pytest.mark.slow)])
def test_a_doubly_stochastic_chain_leaves_nothing_to_the_unigram(size: int) -> None:
    found = scores(chain("prior=doubly-stochastic last=1"), size, seed=6)
    for name, value in {"trivial": math.log(2) - 0.5, "unigram": 0.1907, "bigram": 0.0099}.items():
        mean, error = found[name]
        assert error < 0.05 * value
        assert mean == pytest.approx(value, abs=4 * error + 0.0001), name
    assert found["optimal"][0] < 0.6 * found["bigram"][0]


@pytest.mark.parametrize(
    ("p", "q", "unigram", "bigram"),
    [(0.2, 0.3, 0.6730, 0.5446), (0.5, 0.8, 0.6663, 0.6190), (0.9, 0.9, 0.6931, 0.3251)],
)
def test_single_chains(p: float, q: float, unigram: float, bigram: float) -> None:
    """Makkuva et al. 2024: entropy of the stationary law, and entropy rate."""
    task = chain(f"prior=fixed p={p} q={q} length=50")
    assert task.exact_scores()["trivial"] == pytest.approx(math.log(2) - bigram, abs=1e-4)
    batch = draw(task, 5_000)
    world = task.world(Stream.from_seed(0, Purpose.WORLD))
    missed = task.score(task.references(world, batch)["true-chain"], batch)["cross-entropy"]
    assert missed.item() == pytest.approx(bigram, abs=0.003)
    share = batch.x.double().mean().item()
    assert share == pytest.approx(p / (p + q), abs=0.005)
    assert -share * math.log(share) - (1 - share) * math.log(1 - share) == pytest.approx(
        unigram, abs=0.005
    )


@pytest.mark.parametrize(
    ("symbols", "alpha", "exact"), [(3, 1, 0.8333), (10, 0.1, 0.84654), (2, 0.5, 0.38629)]
)
def test_rows_have_the_entropy_of_their_prior(symbols: int, alpha: float, exact: float) -> None:
    """E[H(row)] = psi(V alpha + 1) - psi(alpha + 1)."""
    assert digamma(symbols * alpha + 1) - digamma(alpha + 1) == pytest.approx(exact, abs=1e-4)
    task = chain(f"symbols={symbols} alpha={alpha} length=10")
    rows = draw(task, 12_000 // symbols).latents["transitions"]
    entropy = -torch.xlogy(rows, rows).sum(-1).flatten()
    error = entropy.std().item() / len(entropy) ** 0.5
    assert error < 0.004
    assert entropy.mean().item() == pytest.approx(exact, abs=4 * error)


@pytest.mark.parametrize("symbols", [2, 3, 7, 16])
def test_stationary_distributions_are_left_eigenvectors(symbols: int) -> None:
    rows = Stream.from_seed(1, Purpose.TRAIN).dirichlet(0.5, (50, symbols, symbols))
    found = stationary(rows)
    assert torch.allclose(torch.einsum("bi,bij->bj", found, rows), found, atol=1e-14)
    assert torch.allclose(found.sum(-1), torch.ones(50, dtype=torch.float64))
    # The uniform "stationary distribution" of the released code would not pass.
    assert not torch.allclose(torch.full_like(found, 1 / symbols) @ rows[0], found[0], atol=1e-3)


def test_a_chain_that_never_leaves_its_symbols_still_has_a_start() -> None:
    found = stationary(torch.eye(3, dtype=torch.float64)[None])
    assert torch.isfinite(found).all() and found.sum().item() == pytest.approx(1)


@pytest.mark.parametrize(("symbols", "order"), [(2, 1), (5, 1), (2, 3), (3, 2)])
def test_following_maps_is_a_loop_over_time(symbols: int, order: int) -> None:
    contexts = symbols**order
    rng = Stream.from_seed(0, Purpose.TRAIN)
    steps = thresholds(rng.dirichlet(1.0, (4, contexts, symbols)))
    for length in (1, 2, 7, 100):
        words, start = rng.words(4 * length).reshape(4, length), rng.integers(contexts, (4,))
        state, expected = start.tolist(), []
        for t in range(length):
            for b in range(4):
                row = steps[b, state[b]].tolist()
                drawn = sum(int(words[b, t]) >= threshold for threshold in row)
                state[b] = (state[b] * symbols + drawn) % contexts
            expected.append(list(state))
        found = torch.tensor(expected).T
        assert torch.equal(follow(words, steps, start).long(), found)
        assert torch.equal(step_by_step(words, steps, start), found)


@pytest.mark.parametrize("symbols", [3, 5])
def test_the_doubly_stochastic_optimum_matches_the_variance_of_an_entry(symbols: int) -> None:
    """The matched alpha, which is well ahead of add-one."""
    task = chain(f"prior=doubly-stochastic symbols={symbols} length=60")
    found = {"optimal": 0.0, 1.0: 0.0}
    for step in range(4):
        batch = draw(task, 1000, step=step)
        own = task.references(task.world(Stream.from_seed(0, Purpose.WORLD)), batch)["optimal"]
        for name in found:
            output = own if name == "optimal" else n_gram(batch.x, symbols, 1, name)
            found[name] += task.score(output, batch)["kl"].item() / 4
    rows = doubly_stochastic_rows(Stream.from_seed(1, Purpose.TRAIN), 20_000, symbols)
    alpha = (symbols - 1) / (2 * symbols)
    variance = (1 / symbols) * (1 - 1 / symbols) / (symbols * alpha + 1)
    assert rows.var().item() == pytest.approx(variance, rel=0.02)
    assert found["optimal"] < 0.9 * found[1.0]


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ("order=2 start=uniform", "start=uniform needs order=1"),
        ("prior=doubly-stochastic alpha=0.5", "alpha has no effect"),
        ("prior=fixed p=0.2 q=0.4 alpha=2", "alpha has no effect"),
    ],
)
def test_fields_without_effect_are_refused(fields: str, message: str) -> None:
    with pytest.raises(ConfigurationError, match=message):
        chain(fields)


def test_a_word_chooses_by_its_place_among_the_thresholds() -> None:
    steps = thresholds(torch.tensor([0.25, 0.5, 0.25], dtype=torch.float64))
    assert steps.tolist() == [2**30, 3 * 2**30]
    words = torch.tensor([0, 2**30 - 1, 2**30, 3 * 2**30 - 1, 3 * 2**30, 2**32 - 1])
    assert choose(words, steps).tolist() == [0, 0, 1, 1, 2, 2]


@pytest.mark.parametrize("fields", ["symbols=3", "symbols=3 order=2", "symbols=2 order=3"])
def test_symbols_follow_the_transitions_they_were_drawn_from(fields: str) -> None:
    task = chain(f"{fields} prior=fixed length=60")
    batch = draw(task, 4_000)
    rows, context = batch.latents["transitions"][0], batch.latents["context"]
    assert torch.equal(context % task.symbols, batch.x)
    assert torch.equal(batch.x[:, 1:], batch.y[:, :-1])
    counts = torch.zeros_like(rows)
    counts.index_put_((context.flatten(), batch.y.flatten()), torch.ones(context.numel()), True)
    shares = counts / counts.sum(1, keepdim=True)
    error = (rows * (1 - rows) / counts.sum(1, keepdim=True)).sqrt()
    assert ((shares - rows).abs() < 5 * error + 1e-6).all()
    if task.order == 2:
        recent = batch.x[:, :-1] * task.symbols + batch.x[:, 1:]
        assert torch.equal(context[:, 1:], recent)


def test_sequences_begin_in_the_stationary_distribution() -> None:
    task = chain("symbols=3 prior=fixed length=20")
    batch = draw(task, 10_000)
    law = stationary(task.world(Stream.from_seed(0, Purpose.WORLD))[None])[0].numpy()
    for place in (0, 10):
        counts = np.bincount(batch.x[:, place], minlength=3) / 10_000
        assert counts == pytest.approx(law, abs=0.02)
    assert abs(law - 1 / 3).max() > 0.06
    second = chain("symbols=2 order=2 prior=fixed length=20")
    early, late = (draw(second, 10_000).latents["context"][:, t] for t in (0, 19))
    shares = np.bincount(early) / 10_000
    assert shares == pytest.approx(np.bincount(late) / 10_000, abs=0.02)
    assert abs(shares - 1 / 4).max() > 0.06


def count_by_hand(x: list[int], symbols: int, order: int, alpha: float) -> np.ndarray:
    predictions = []
    for t in range(len(x)):
        counts = np.full(symbols, alpha)
        if t + 1 >= order:
            recent = x[t + 1 - order : t + 1]
            for j in range(order - 1, t + (order == 0)):
                if order == 0:
                    continue
                if x[j + 1 - order : j + 1] == recent and j + 1 <= t:
                    counts[x[j + 1]] += 1
            if order == 0:
                for symbol in x[: t + 1]:
                    counts[symbol] += 1
        predictions.append(counts / counts.sum())
    return np.array(predictions)


@pytest.mark.parametrize("order", [0, 1, 2, 3])
@pytest.mark.parametrize("alpha", [1.0, 0.3])
def test_n_grams_count_like_a_loop(order: int, alpha: float) -> None:
    x = torch.randint(0, 3, (5, 40), generator=torch.Generator().manual_seed(order))
    found = n_gram(x, 3, order, alpha).exp().numpy()
    for row, sequence in zip(found, x.tolist(), strict=True):
        assert row == pytest.approx(count_by_hand(sequence, 3, order, alpha), abs=1e-6)


def test_add_one_is_the_polya_urn() -> None:
    """Product of sequential add-one predictions = integral of the likelihood over the prior."""
    x = torch.randint(0, 2, (6, 30), generator=torch.Generator().manual_seed(1))
    predicted = n_gram(x, 2, 1)[:, :-1]
    found = torch.gather(predicted, 2, x[:, 1:, None]).sum((1, 2))
    for sequence, log_probability in zip(x.tolist(), found.tolist(), strict=True):
        expected = 0.0
        for state in (0, 1):
            after = [b for a, b in pairwise(sequence) if a == state]
            expected += betaln(after.count(0) + 1, after.count(1) + 1)
        assert log_probability == pytest.approx(expected, abs=1e-4)


def test_stay_or_move_is_the_urn_of_a_doubly_stochastic_chain() -> None:
    x = torch.randint(0, 2, (6, 30), generator=torch.Generator().manual_seed(2))
    found = torch.gather(stay_or_move(x)[:, :-1], 2, x[:, 1:, None]).sum((1, 2))
    stays = (x[:, 1:] == x[:, :-1]).sum(1)
    expected = betaln(stays.numpy() + 1, 29 - stays.numpy() + 1)
    assert found.numpy() == pytest.approx(expected, abs=1e-4)


@pytest.mark.parametrize("symbols", [2, 3, 6])
def test_doubly_stochastic_rows_and_columns_sum_to_one(symbols: int) -> None:
    rows = doubly_stochastic_rows(Stream.from_seed(3, Purpose.TRAIN), 200, symbols)
    assert torch.allclose(rows.sum(1), torch.ones(200, symbols).double())
    assert torch.allclose(rows.sum(2), torch.ones(200, symbols).double())
    assert rows.std(dim=0).min() > 0.1


@pytest.mark.parametrize("fields", ["symbols=3", "symbols=2 order=2", "prior=doubly-stochastic"])
def test_a_replicas_sequences_do_not_depend_on_its_neighbours(fields: str) -> None:
    task = chain(f"{fields} length=30")
    keys = keys_of([4, 9, 11])

    def sample(key: torch.Tensor) -> torch.Tensor:
        stream = Stream(key, Purpose.TRAIN, 7)
        return task.sample(task.world(Stream(key, Purpose.WORLD)), stream, 8).x

    together = torch.vmap(sample)(keys)
    for r, seed in enumerate((4, 9, 11)):
        alone = sample(keys_of([seed])[0])
        assert torch.equal(together[r], alone)


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ("symbols=16 order=3", "at most 256"),
        ("order=2 prior=unigram", "needs order=1"),
        ("p=0.5", "go together"),
        ("p=0.5 q=0.5", "prior=fixed symbols=2 order=1"),
        ("length=5 last=6", "at most length=5"),
    ],
)
def test_what_does_not_fit_together_is_refused(fields: str, message: str) -> None:
    with pytest.raises(sb.SynthbenchError, match=message):
        chain(fields)
