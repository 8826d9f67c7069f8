"""Replica-steps per second of the hand-written JAX program: a process of its own, for `gpu.py`.

    python benchmarks/gpu_jax.py "sparse-parity n=40 k=4" 32 256 2048

Prints a line of JSON for every number of replicas: compilation is not timed.
"""

from __future__ import annotations

import json
import os
import sys
import time

os.environ.setdefault("XLA_PYTHON_CLIENT_PREALLOCATE", "false")

import jax
from jax_cells import Perceptron, Program, Transformer
from jax_tasks import task_of

SECONDS = 1.0


def rate(reference: str, replicas: int) -> dict[str, object]:
    task = task_of(reference)
    network = Transformer(task) if task.sizes[0] else Perceptron(task)
    program = Program(task, network, held_out=1024)
    keys = jax.random.split(jax.random.key(0), replicas)
    state = jax.jit(jax.vmap(program.begin))(keys)
    advance = jax.jit(jax.vmap(program.advance, in_axes=(0, None, None)), donate_argnums=0)
    began = time.perf_counter()
    state = jax.block_until_ready(advance(state, 0, 1))
    compilation, at = time.perf_counter() - began, 1
    # First so many as take a tenth of the time.
    began = time.perf_counter()
    state = jax.block_until_ready(advance(state, at, at + 10))
    spent = (time.perf_counter() - began) / 10
    at, steps = at + 10, max(int(SECONDS / spent), 1)
    began = time.perf_counter()
    jax.block_until_ready(advance(state, at, at + steps))
    spent = (time.perf_counter() - began) / steps
    return {
        "replicas": replicas,
        "rate": replicas / spent,
        "step_seconds": spent,
        "compilation": compilation,
        "device": jax.devices()[0].device_kind,
        "platform": jax.devices()[0].platform,
        "jax": jax.__version__,
    }


if __name__ == "__main__":
    for wanted in sys.argv[2:]:
        print(json.dumps(rate(sys.argv[1], int(wanted))), flush=True)
