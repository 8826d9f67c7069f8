"""When replicas are evaluated."""

from __future__ import annotations


def evaluation_steps(last: int, resolution: float) -> list[int]:
    """Optimizer steps at which every replica is evaluated: 0, then log-spaced, then `last`.

    Neighbouring points t < u satisfy u <= max(t + 1, (1 + resolution) t), so a time to
    target is known to one step or to `resolution`, whichever is coarser. The points do not
    depend on what any replica does.
    """
    points = [0]
    while points[-1] < last:
        points.append(min(last, max(points[-1] + 1, int(points[-1] * (1 + resolution)))))
    return points
