"""Being logged in to W&B, or offline, without ever asking; and keeping it quiet."""

from __future__ import annotations

import os
import shlex
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import wandb
from wandb.errors import AuthenticationError

from synthbench import SynthbenchError

WITHOUT_SERVER = ("offline", "dryrun", "disabled")
NO_SWEEP = {"sweep_id": None, "sweep_param_path": None, "launch": False, "run_id": None}
"""Settings of an agent, and what they are without one."""
LOG_IN = "run `wandb login` or set WANDB_API_KEY"


class WandbError(SynthbenchError, RuntimeError):
    """Something about the account, the server or the report that the user can mend."""


def is_offline() -> bool:
    """Whether W&B writes to disk only: WANDB_MODE=offline, or `wandb offline` was run."""
    return _settings().mode in WITHOUT_SERVER


def root_of(out: Path) -> Path:
    """Where runs of an evaluation into `out` are written, in a folder `wandb` of W&B's own."""
    return Path(os.environ.get("WANDB_DIR") or out)


def sync_command(out: Path) -> str | None:
    """What uploads the offline runs of an evaluation into `out`; None where nothing waits.

    W&B leaves a mark beside the file of a run that it has uploaded.
    """
    if _settings().mode not in ("offline", "dryrun"):
        return None
    folder = root_of(out) / "wandb"
    runs = [file for file in folder.glob("offline-run-*/*.wandb") if not _is_synced(file)]
    return f"wandb sync {shlex.quote(str(folder))}/offline-run-*" if runs else None


def _is_synced(file: Path) -> bool:
    return file.with_name(f"{file.name}.synced").exists()


def require_account(otherwise: str = "") -> None:
    """Raise WandbError where no credentials are found; the server is not asked.

    otherwise: what else one can do, as a clause.
    """
    if not wandb.login(prompt=False, verify=False):
        raise WandbError(f"not logged in to Weights & Biases; {LOG_IN}{otherwise}")


def require_credentials(otherwise: str = "") -> None:
    """Raise WandbError unless the server accepts the credentials found.

    otherwise: what else one can do, as a clause. They come from WANDB_API_KEY or `wandb login`.
    """
    settings = _settings()
    if is_offline():
        raise WandbError(f"W&B is {settings.mode}, and this needs the server; unset WANDB_MODE")
    host = settings.base_url
    if wandb.run is not None:
        return  # The caller's own run is logged in.
    try:
        found = wandb.login(prompt=False, verify=True)
    except AuthenticationError as error:
        reason = " ".join(str(error).split())
        raise WandbError(
            f"{host} did not accept the login ({reason}); {LOG_IN}{otherwise}"
        ) from None
    if not found:
        raise WandbError(f"not logged in to Weights & Biases; {LOG_IN}{otherwise}")


def _settings() -> wandb.Settings:
    # Its notices would break into the progress bar; WANDB_SILENT=false brings them back.
    os.environ.setdefault("WANDB_SILENT", "true")
    return wandb.setup().settings


@contextmanager
def outside_sweeps() -> Iterator[None]:
    """While a run opens, none of W&B's sweeps or launches: under one it drops id and project.

    An agent's variables hold one run's id, which every cell of an evaluation would then have.
    """
    shared = wandb.setup().settings
    before = {name: getattr(shared, name) for name in NO_SWEEP}
    for name, value in NO_SWEEP.items():
        setattr(shared, name, value)
    try:
        yield
    finally:
        for name, value in before.items():
            setattr(shared, name, value)
