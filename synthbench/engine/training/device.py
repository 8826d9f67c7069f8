"""Which device Lightning would use."""

from __future__ import annotations

import pytorch_lightning as pl
import torch
from lightning_fabric.utilities.exceptions import MisconfigurationException

from synthbench.engine.training.block import quiet_lightning
from synthbench.errors import ConfigurationError


def find_device(accelerator: str) -> torch.device:
    """The device of Lightning's `accelerator` flag; ConfigurationError if there is none."""
    try:
        with quiet_lightning():
            trainer = pl.Trainer(
                accelerator=accelerator,
                devices=1,
                logger=False,
                enable_checkpointing=False,
                enable_progress_bar=False,
                enable_model_summary=False,
            )
    except (MisconfigurationException, ValueError, RuntimeError) as error:
        reason = str(error).strip().splitlines()[0]
        raise ConfigurationError(f'accelerator "{accelerator}" cannot be used: {reason}') from None
    return trainer.strategy.root_device
