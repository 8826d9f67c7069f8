"""The machine on which replicas are trained: this one, or that of a worker."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from importlib.metadata import version

import torch

from synthbench.errors import LaunchError
from synthbench.evaluation.record_writing import describe_environment
from synthbench.records.schema import Distribution, Environment

SOFTWARE = ("synthbench", "torch", "pytorch_lightning")
"""What has to be of one version wherever replicas of a cell are trained."""


@dataclass(frozen=True)
class Machine:
    """A device and all that is known of the machine around it; `described` adds what a cell has."""

    device: torch.device
    environment: Environment

    @classmethod
    def here(cls, device: torch.device) -> Machine:
        """The one where this is called."""
        return cls(device, describe_environment(device, ()))

    def described(
        self, plugins: tuple[Distribution, ...] = (), libraries: Sequence[str] = ()
    ) -> Environment:
        """For the record of a cell; libraries: those that its task names."""
        versions = {library: version(library) for library in libraries}
        return self.environment.model_copy(update={"plugins": plugins, "libraries": versions})


def check_same_software(
    workers: Environment, codes: Sequence[dict[str, str]], own_codes: Sequence[dict[str, str]]
) -> None:
    """Raise LaunchError where workers have other software than this process.

    codes: for every cell, the versions of third-party plugins there; own_codes: here.
    """
    here = describe_environment(torch.device("cpu"), ())
    pairs = [(name, getattr(workers, name), getattr(here, name)) for name in SOFTWARE]
    for there, own in zip(codes, own_codes, strict=True):
        pairs += [(f'plugin "{n}"', there.get(n, "absent"), own[n]) for n in own]
    for name, there, own in pairs:
        if there != own:
            raise LaunchError(
                f"workers have {name} {there}, this process {own}; install the same on both"
            )
