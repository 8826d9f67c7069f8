"""Which device Lightning would use."""

from __future__ import annotations

from functools import cache

import pytorch_lightning as pl
import torch

from synthbench.engine.training.lightning import OneProcess, lightning_alone, trainer_flags
from synthbench.errors import ConfigurationError, first_line


@cache
def find_device(accelerator: str) -> torch.device:
    """The device of Lightning's `accelerator` flag; ConfigurationError if there is none.

    Lightning builds a trainer to say so, which a tuning of a hundred trials need not wait for a
    hundred times: a process keeps its devices.
    """
    try:
        with lightning_alone():
            trainer = pl.Trainer(
                accelerator=accelerator, plugins=[OneProcess()], logger=False, **trainer_flags()
            )
    # Of a TPU the library is missing first.
    except (ValueError, RuntimeError, ImportError) as error:
        raise ConfigurationError(
            f'accelerator "{accelerator}" cannot be used: {first_line(error)}'
        ) from None
    return trainer.strategy.root_device
