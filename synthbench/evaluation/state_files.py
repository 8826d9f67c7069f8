"""States of training as the bytes of a file, never a pickle."""

from __future__ import annotations

import json
import struct
from collections.abc import Mapping
from typing import Any

from safetensors.torch import load, save

from synthbench.engine.axis.state import State
from synthbench.engine.training.training_state import TrainingState

FACTS = "synthbench"
LENGTH = struct.Struct("<Q")


def state_bytes(
    state: TrainingState, more: State | None = None, facts: Mapping[str, object] | None = None
) -> bytes:
    """A state for a file, with other tensors and facts beside it; read back by `read_state`."""
    tensors = {**state.tensors, **(more or {})}
    own = {"step": state.step, "interval": state.interval, "replicas": list(state.replicas)}
    whole = {name: tensor.contiguous() for name, tensor in tensors.items()}
    return save(whole, {FACTS: json.dumps({**own, **(facts or {})})})


def read_state(content: bytes) -> tuple[TrainingState, dict[str, Any]]:
    """What `state_bytes` gave, all tensors in the state, and the facts.

    Raises SafetensorError, ValueError, KeyError or TypeError for other bytes.
    """
    tensors = load(content)
    facts = json.loads(_metadata(content)[FACTS])
    state = TrainingState(facts["step"], facts["interval"], tuple(facts["replicas"]), tensors)
    return state, facts


def _metadata(content: bytes) -> dict[str, str]:
    """Of a safetensors file, which begins with the length of a header in JSON."""
    (length,) = LENGTH.unpack_from(content)
    found: dict[str, str] = json.loads(content[LENGTH.size : LENGTH.size + length])["__metadata__"]
    return found
