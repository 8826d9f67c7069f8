"""What a probe is shown of one replica."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import torch
from torch import Tensor

from synthbench.contracts.batch import Batch, Loss, World
from synthbench.contracts.probe import Probe, View
from synthbench.contracts.task import Task
from synthbench.engine.axis.replicas import Network
from synthbench.engine.axis.state import State
from synthbench.engine.data.held_out import held_out_sets
from synthbench.engine.data.sampling import as_batch, cast_batch
from synthbench.streams import Purpose, Stream

Measurement = Callable[[Network, State, State, State, World, Batch, Tensor], Mapping[str, Tensor]]
"""(network, parameters, initial ones, buffers, world, batch, key) of one replica -> its values."""


def probe_measurement(probe: Probe, task: Task, loss: Loss, dtype: torch.dtype) -> Measurement:
    """What the probe measures, as a function of the tensors of one replica.

    loss: that of training. dtype: of the floating-point numbers in fresh samples.
    """
    held_out = held_out_sets(task)[0]

    def of_one(  # noqa: PLR0913 - what a view is made of
        network: Network,
        now: State,
        initial: State,
        own: State,
        world: World,
        batch: Batch,
        key: Tensor,
    ) -> Mapping[str, Tensor]:
        rng = Stream(key, Purpose.PROBE)
        view = View(
            task=task,
            parameters=now,
            initial=initial,
            forward=lambda weights, x: network.forward(dict(weights), own, x),
            record=lambda weights, x: network.record(dict(weights), own, x),
            loss=loss,
            world=world,
            batch=as_batch(batch),
            sample=lambda size: cast_batch(as_batch(held_out.sample(world, rng, size)), dtype),
            rng=rng,
        )
        return probe.measure(view)

    return of_one
