"""Which device Lightning would use."""

from __future__ import annotations

import pytorch_lightning as pl
import torch

from synthbench.engine.training.lightning import OneProcess, lightning_alone, trainer_flags
from synthbench.errors import ConfigurationError, first_line


def find_device(accelerator: str) -> torch.device:
    """The device of Lightning's `accelerator` flag; ConfigurationError if there is none."""
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
