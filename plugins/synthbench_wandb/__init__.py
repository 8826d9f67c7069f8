"""Weights & Biases, as a plugin: runs of cells and leaderboard reports."""

from synthbench import hookimpl


@hookimpl
def register_trackers():
    """Provide the W&B tracker."""
    from synthbench_wandb.tracker import WandbTracker

    return [WandbTracker]
