"""W&B's library of reports, which is an extra."""

import warnings

from synthbench_wandb.session import WandbError

try:
    with warnings.catch_warnings():
        # Its models are written for pydantic 1.
        warnings.simplefilter("ignore", DeprecationWarning)
        import wandb_workspaces.reports.v2 as wr
        from wandb_workspaces import expr
except ImportError as error:
    raise WandbError(
        "leaderboard reports need one more package: pip install 'synthbench[wandb-report]'"
    ) from error

__all__ = ["expr", "wr"]
