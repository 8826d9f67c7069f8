"""Lightning as a trainer of one process: nothing is inferred from the environment."""

from __future__ import annotations

import logging
import os
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from lightning_fabric.plugins.environments.lightning import LightningEnvironment
from lightning_fabric.utilities.exceptions import MisconfigurationException
from lightning_fabric.utilities.rank_zero import rank_zero_only

from synthbench.errors import ConfigurationError, first_line

VARIABLES = "PL_TRAINER_"
"""Prefix of the variables that change the defaults of a Trainer."""


class OneProcess(LightningEnvironment):
    """A cluster of one process, whatever a scheduler or launcher has left in the environment.

    Named to the Trainer, it keeps Lightning from looking for Slurm, LSF, MPI or torchrun, from
    handling their signals, and from deleting their variables.
    """

    @property
    def creates_processes_externally(self) -> bool:
        """Never."""
        return False

    def local_rank(self) -> int:
        """The first."""
        return 0

    def node_rank(self) -> int:
        """The first."""
        return 0

    def teardown(self) -> None:
        """Leave the environment as it is."""


def trainer_flags() -> dict[str, Any]:
    """The flags of every Trainer: one device, and no callback of Lightning's choice."""
    return {
        "devices": 1,
        "enable_checkpointing": False,
        "enable_progress_bar": False,
        "enable_model_summary": False,
    }


@contextmanager
def lightning_alone() -> Iterator[None]:
    """Silent, with no flag from the environment, and as the process that logs and saves.

    Silenced are hints about loaders and devices, which do not apply here. Raises
    ConfigurationError where Lightning refuses what it was given.
    """
    logger = logging.getLogger("pytorch_lightning")
    ranked: Any = rank_zero_only
    level, rank = logger.level, ranked.rank
    flags = {name: value for name, value in os.environ.items() if name.startswith(VARIABLES)}
    logger.setLevel(logging.ERROR)
    ranked.rank = 0
    for name in flags:
        del os.environ[name]
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", module="pytorch_lightning")
        warnings.filterwarnings("ignore", module="lightning_fabric")
        try:
            yield
        except MisconfigurationException as error:
            raise ConfigurationError(first_line(error)) from error
        finally:
            os.environ.update(flags)
            ranked.rank = rank
            logger.setLevel(level)
