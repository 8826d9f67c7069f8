"""From a training in another process to Lightning's loggers in this one."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from pytorch_lightning.loggers import Logger


@dataclass(frozen=True)
class Logged:
    """What Lightning logged at a step; None for numbers: that the training is over."""

    metrics: Mapping[str, float] | None
    step: int | None = None


class LoggerRelay(Logger):
    """Stands for the loggers where the training is."""

    def __init__(self, tell: Callable[[Logged], None]) -> None:
        super().__init__()
        self._tell = tell

    @property
    def name(self) -> str | None:
        """None: it writes nothing."""
        return None

    @property
    def version(self) -> int | str | None:
        """None as well."""
        return None

    def log_metrics(self, metrics: dict[str, float], step: int | None = None) -> None:
        """Say it."""
        self._tell(Logged(dict(metrics), step))

    def log_hyperparams(self, params: Any, *rest: Any) -> None:
        """The training has none."""

    def finalize(self, status: str) -> None:
        """Say that it is over, unless it failed and may begin again."""
        if status == "success":
            self._tell(Logged(None))


def log_to(loggers: Iterable[Logger], logged: Logged) -> None:
    """Pass on what was said."""
    for logger in loggers:
        if logged.metrics is not None:
            logger.log_metrics(dict(logged.metrics), logged.step)
        else:
            logger.save()
            logger.finalize("success")
