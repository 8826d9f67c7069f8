"""How many rows of a population a random split takes, and of each class."""

from __future__ import annotations

from torch import Tensor


def train_rows(n: int, train: float) -> int:
    """Rows on the first side: a share in (0, 1), rounded to whole rows, or a whole number.

    Raises ValueError unless both sides keep at least one of the n rows.
    """
    count = round(train * n) if isinstance(train, float) else train
    if not 0 < count < n or (isinstance(train, float) and not 0 < train < 1):
        raise ValueError(
            f"train must be a share in (0, 1) or a number of rows from 1 to {n - 1} that leaves "
            f"rows on both sides of n={n}, got {train}"
        )
    return count


def class_sizes(strata: Tensor, n: int) -> list[int]:
    """How many of the n rows are in each class. Raises ValueError for what is no constant."""
    if strata.shape != (n,):
        raise ValueError(f"strata must be one class for each of n={n} rows: ({n},) int64")
    try:
        classes: list[int] = strata.tolist()
    except RuntimeError:
        raise ValueError(
            "strata must be the same in every replica, since the sizes of the classes are shapes: "
            "a table's labels, not numbers drawn from a stream"
        ) from None
    if min(classes) < 0:
        raise ValueError(f"strata must be classes 0, 1, ..., got {min(classes)}")
    sizes = [0] * (max(classes) + 1)
    for each in classes:
        sizes[each] += 1
    return sizes


def class_quotas(sizes: list[int], count: int) -> list[int]:
    """`count` shared out in proportion to the sizes, by largest remainder; ties to the first."""
    total = sum(sizes)
    quotas = [count * size // total for size in sizes]
    remainders = [count * size % total for size in sizes]
    order = sorted(range(len(sizes)), key=lambda each: -remainders[each])
    for each in order[: count - sum(quotas)]:
        quotas[each] += 1
    return quotas


def first_of_each(sizes: list[int], quotas: list[int]) -> tuple[list[int], list[int]]:
    """Places of rows that lie class by class: the first few of every class, and the others."""
    kept: list[int] = []
    others: list[int] = []
    start = 0
    for size, quota in zip(sizes, quotas, strict=True):
        kept += range(start, start + quota)
        others += range(start + quota, start + size)
        start += size
    return kept, others
