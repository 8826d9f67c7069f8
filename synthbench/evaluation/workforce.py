"""Who trains an evaluation: this process, or the workers of a launcher."""

from __future__ import annotations

from collections.abc import Sequence

import cloudpickle
import torch

from synthbench.contracts.launcher import Launcher
from synthbench.errors import ConfigurationError
from synthbench.evaluation.preparation import PreparedCell
from synthbench.evaluation.settings import Settings
from synthbench.isolation.settings import changed_settings
from synthbench.registry.kinds import LAUNCHER
from synthbench.registry.registry import installed

LOCAL = "local"
"""The launcher that opens processes of this machine."""
FLOPS_PER_SECOND = 1e10
"""About what one thread does in a training: to tell minutes from seconds, no more."""
WORTH_A_WORKER = 15.0
"""Seconds of one thread's work for which a process is worth its start, which takes some."""


def named_launcher(settings: Settings) -> Launcher | None:
    """The launcher that settings ask for, checked; None for this process, or where none is named.

    Raises ConfigurationError where workers could not do what is asked for.
    """
    launcher, workers = settings.launcher, settings.workers
    if launcher is not None and workers is not None:
        raise ConfigurationError(
            "name a launcher or a number of workers, not both: launcher 'local workers=4' has both"
        )
    if launcher is None and not workers:
        return None
    if (reason := _bound_here(settings)) is not None:
        raise ConfigurationError(f"workers are other processes, and {reason}; take workers=0")
    found = installed().launcher(f"{LOCAL} workers={workers}" if launcher is None else launcher)
    found.check()
    return found


def worthwhile_launcher(
    settings: Settings,
    prepared: Sequence[PreparedCell],
    earlier: Sequence[int],
    device: torch.device,
) -> Launcher | None:
    """Workers where settings leave it open and there is enough to do, on more than one core.

    earlier: how many replicas of each cell are finished. As many as torch would use threads, which
    OMP_NUM_THREADS limits.
    """
    undecided = settings.launcher is None and settings.workers is None
    if not undecided or device.type != "cpu" or _bound_here(settings) is not None:
        return None
    flops = sum(
        (each.cell.protocol.seeds - done) * each.cell.steps * each.facts.step_flops
        for each, done in zip(prepared, earlier, strict=True)
    )
    workers = min(torch.get_num_threads(), int(flops / FLOPS_PER_SECOND / WORTH_A_WORKER))
    if workers < 2 or not _can_be_sent(prepared) or LOCAL not in installed().names(LAUNCHER):
        return None
    return installed().launcher(f"{LOCAL} workers={workers}")


def _can_be_sent(prepared: Sequence[PreparedCell]) -> bool:
    try:
        cloudpickle.dumps([each.cell for each in prepared])
    # Whatever it is: a class of a notebook may hold anything.
    except Exception:
        return False
    return True


def _bound_here(settings: Settings) -> str | None:
    """Why the cells can be trained in this process alone, if they can."""
    if settings.trainer.callbacks:
        return "Lightning's callbacks are called in this one"
    if changed := changed_settings():
        return f"torch's {', '.join(changed)} was changed in this one alone"
    return None
