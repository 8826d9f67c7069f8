"""How often each subtask is asked, and what the most frequent ones are worth."""

from __future__ import annotations

from functools import lru_cache


@lru_cache
def frequencies(tasks: int, exponent: float) -> tuple[float, ...]:
    """p_i = i^-(1 + a) / sum over j of j^-(1 + a), for i = 1 ... tasks and a = exponent."""
    weights = [i ** -(1 + exponent) for i in range(1, tasks + 1)]
    total = sum(weights)
    return tuple(weight / total for weight in weights)


def accuracy_of_most_frequent(tasks: int, exponent: float, solved: int) -> float:
    """Accuracy over the distribution of subtasks of who solves the first `solved` and guesses."""
    return (1 + sum(frequencies(tasks, exponent)[:solved])) / 2


def stages(tasks: int) -> list[int]:
    """How many subtasks the staged strategies solve: the powers of ten below `tasks`."""
    return [10**power for power in range(len(str(tasks))) if 10**power < tasks]
