"""One seed at a time: a LightningModule as most people write it, and a bare loop of PyTorch."""

from __future__ import annotations

import time
from typing import Any

import pytorch_lightning as pl
import torch
from stacks import wait
from torch import Tensor, nn
from torch.utils.data import DataLoader, IterableDataset

N, K, WIDTH, BATCH, RATE = 40, 4, 100, 32, 0.1


def network() -> nn.Module:
    return nn.Sequential(nn.Linear(N, WIDTH), nn.ReLU(), nn.Linear(WIDTH, 1), nn.Flatten(0))


def draw(support: Tensor) -> tuple[Tensor, Tensor]:
    """On the device of the support."""
    x = torch.randint(0, 2, (BATCH, N), device=support.device).float() * 2 - 1
    return x, x[:, support].prod(1)


class Module(pl.LightningModule):
    """Sparse parity with hinge loss and SGD, by automatic optimization."""

    def __init__(self) -> None:
        super().__init__()
        self.network = network()

    def training_step(self, batch: list[Tensor], _: int) -> Tensor:
        x, y = batch
        return torch.relu(1 - y * self.network(x)).mean()

    def configure_optimizers(self) -> torch.optim.Optimizer:
        return torch.optim.SGD(self.parameters(), lr=RATE)


class Batches(IterableDataset[tuple[Tensor, Tensor]]):
    def __init__(self, support: Tensor, steps: int) -> None:
        self._support, self._steps = support, steps

    def __iter__(self) -> Any:
        for _ in range(self._steps):
            yield draw(self._support)


def plain_lightning(steps: int, device: torch.device) -> dict[str, float]:
    """Replica-steps per second, without evaluations; what is done before the loop is not timed."""
    support = torch.randperm(N)[:K].to(device)
    times: list[float] = []

    class Timed(pl.Callback):
        def on_train_batch_end(self, *_: Any) -> None:
            times.append(time.perf_counter())

        def on_train_end(self, *_: Any) -> None:
            wait(device)
            times[-1] = time.perf_counter()

    trainer = pl.Trainer(
        accelerator="gpu" if device.type == "cuda" else "cpu",
        devices=1,
        max_epochs=1,
        logger=False,
        enable_checkpointing=False,
        enable_progress_bar=False,
        enable_model_summary=False,
        callbacks=[Timed()],
    )
    trainer.fit(Module(), DataLoader(Batches(support, steps), batch_size=None))
    spent = (times[-1] - times[9]) / (len(times) - 10)
    return {"rate": 1 / spent, "step_seconds": spent}


def bare_loop(steps: int, device: torch.device) -> dict[str, float]:
    """The same without Lightning."""
    support = torch.randperm(N)[:K].to(device)
    net = network().to(device)
    optimizer = torch.optim.SGD(net.parameters(), lr=RATE)
    began = 0.0
    for step in range(steps + 10):
        if step == 10:
            wait(device)
            began = time.perf_counter()
        x, y = draw(support)
        loss = torch.relu(1 - y * net(x)).mean()
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    wait(device)
    spent = (time.perf_counter() - began) / steps
    return {"rate": 1 / spent, "step_seconds": spent}
