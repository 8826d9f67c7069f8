"""The expected loss of Bayes' rule, in closed form."""

from __future__ import annotations

from math import comb, exp, lgamma, log


def bayes_of_draws(draws: int, symbols: int, alpha: float) -> float:
    """E[-ln p(next)] in nats after so many draws from a distribution that is Dirichlet(alpha).

    p is the posterior mean. All symbols are alike, so this is `symbols` times the part of one
    of them, whose count is beta-binomial.
    """
    total = draws + symbols * alpha
    expected = 0.0
    for count in range(draws + 1):
        share = (count + alpha) / total
        expected -= beta_binomial(count, draws, alpha, (symbols - 1) * alpha) * share * log(share)
    return symbols * expected


def beta_binomial(count: int, draws: int, a: float, b: float) -> float:
    """Probability of so many successes, their chance being Beta(a, b)."""

    def log_beta(first: float, second: float) -> float:
        return lgamma(first) + lgamma(second) - lgamma(first + second)

    orders = log_beta(1 + count, 1 + draws - count) + log(draws + 1)
    return exp(log_beta(count + a, draws - count + b) - log_beta(a, b) - orders)


def bayes_of_pairs(symbols: int, pairs: int, alpha: float) -> float:
    """The same where each of so many pairs shows a draw of the asked row with chance 1/symbols."""
    return sum(
        comb(pairs, seen)
        * (1 / symbols) ** seen
        * (1 - 1 / symbols) ** (pairs - seen)
        * bayes_of_draws(seen, symbols, alpha)
        for seen in range(pairs + 1)
    )
