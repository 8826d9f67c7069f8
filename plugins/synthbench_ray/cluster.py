"""Joining a Ray cluster, or starting one here."""

from __future__ import annotations

import logging
import socket
from collections.abc import Callable, Mapping
from typing import Any

import ray

from synthbench import LaunchError

Leave = Callable[[], None]
ANSWER_SECONDS = 10.0


def joined(address: str, runtime_env: Mapping[str, Any]) -> Leave:
    """Join the cluster at an address; returns what leaves it again.

    A process that has joined one already, such as a job that was submitted to it, stays there.
    Raises LaunchError where no cluster answers.
    """
    if address.startswith("ray://"):
        raise LaunchError(
            "Ray's client cannot be used: run the command on a node of the cluster, with "
            "address=auto, or `ray job submit` it"
        )
    if ray.is_initialized():
        return _stay
    try:
        _look_for(address)
        ray.init(
            address=address,
            runtime_env=dict(runtime_env),
            log_to_driver=False,
            logging_level=logging.WARNING,
        )
    except (OSError, ValueError, RuntimeError, ImportError) as error:
        reason = " ".join(str(error).split())
        raise LaunchError(
            f'no Ray cluster at address "{address}": {reason} (`ray start --head` starts one, '
            "address=local one for this evaluation alone)"
        ) from None
    return ray.shutdown


def _look_for(address: str) -> None:
    """Raise OSError where nobody listens at HOST:PORT, which Ray itself finds out in minutes."""
    host, _, port = address.rpartition(":")
    if host and "//" not in host and port.isdecimal():
        socket.create_connection((host, int(port)), timeout=ANSWER_SECONDS).close()


def _stay() -> None:
    """Another will leave."""
