"""Which laws a planted fault breaks, up to the one that it was planted for."""

from __future__ import annotations

from collections.abc import Collection

from synthbench.testing.examination import Examination
from synthbench.testing.report import Status


def broken_up_to(
    law: str, examination: Examination, costly: Collection[str] = ()
) -> dict[str, str]:
    """What was seen of each broken law among this one and those before it that are not costly."""
    order = [each.name for each in examination.laws]
    earlier = [name for name in order[: order.index(law)] if name not in costly]
    verdicts = [examination.verdict(name) for name in (*earlier, law)]
    return {each.law.name: each.seen for each in verdicts if each.status is Status.broken}
