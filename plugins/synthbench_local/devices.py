"""Which GPU a worker sees, where there are several."""

from __future__ import annotations

from collections.abc import Mapping

VARIABLE = "CUDA_VISIBLE_DEVICES"


def own_device(place: int, environment: Mapping[str, str]) -> dict[str, str]:
    """The environment of the worker at a place: of several GPUs it sees one, in turn."""
    import torch

    count = torch.cuda.device_count()
    if count < 2:
        return dict(environment)
    visible = environment.get(VARIABLE, ",".join(map(str, range(count)))).split(",")
    return {**environment, VARIABLE: visible[place % len(visible)]}
