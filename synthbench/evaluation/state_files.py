"""States of training as the bytes of a file, never a pickle."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from safetensors import safe_open
from safetensors.torch import save

from synthbench.engine.axis.state import State
from synthbench.engine.training.training_state import TrainingState

FACTS = "synthbench"


def state_bytes(
    state: TrainingState, more: State | None = None, facts: Mapping[str, object] | None = None
) -> bytes:
    """A state for a file, with other tensors and facts beside it; read back by `read_state`."""
    tensors = {**state.tensors, **(more or {})}
    own = {"step": state.step, "interval": state.interval, "replicas": list(state.replicas)}
    whole = {name: tensor.contiguous() for name, tensor in tensors.items()}
    return save(whole, {FACTS: json.dumps({**own, **(facts or {})})})


def read_state(path: Path) -> tuple[TrainingState, dict[str, Any]]:
    """What `state_bytes` gave, all tensors in the state, and the facts.

    Raises OSError, SafetensorError, ValueError, KeyError or TypeError for another file.
    """
    with safe_open(path, framework="pt") as file:
        facts = json.loads((file.metadata() or {})[FACTS])
        tensors = {name: file.get_tensor(name) for name in file.keys()}
    state = TrainingState(facts["step"], facts["interval"], tuple(facts["replicas"]), tensors)
    return state, facts
