"""Blocks of replicas under Lightning: steps, evaluations, outcomes, checkpoints."""
