"""Models as their authors wrote them, stacked, beside a plain PyTorch loop of one seed at a time.

In-context Markov chains of 3 symbols, length 32, batch 32, AdamW; width 64. Both train on as many
fresh sequences and score as many held-out ones at the same evaluation points, with one thread.
Training time leaves out set-up (inspection, block size, record, figure), which has a column of its
own; the step is traced within training. Sequences of the plain loop are uniformly random: to draw
them costs it next to nothing.

    pip install -c constraints.txt -e .
    python benchmarks/foreign_models.py [--models lstm gru] [--replicas 8 32]
"""

from __future__ import annotations

import argparse
import platform
import statistics
import tempfile
import time
import warnings
from pathlib import Path
from typing import NamedTuple

import torch
from torch import Tensor, nn

import synthbench as sb
from synthbench.plan.schedule import evaluation_steps
from synthbench.registry.registry import installed

SYMBOLS, LENGTH, BATCH, WIDTH, HELD_OUT, RESOLUTION = 3, 32, 32, 64, 128, 0.5
TASK = f"markov symbols={SYMBOLS} length={LENGTH}"
RECIPE = sb.Recipe(optimizer="adamw", lr=1e-3, batch_size=BATCH)


class Recurrent(nn.Module):
    """An embedding, one of torch's recurrent networks, a readout."""

    kind: type[nn.RNNBase]

    def __init__(self) -> None:
        super().__init__()
        self.embedding = nn.Embedding(SYMBOLS, WIDTH)
        self.network = self.kind(WIDTH, WIDTH, batch_first=True)
        self.readout = nn.Linear(WIDTH, SYMBOLS)

    def forward(self, tokens: Tensor) -> Tensor:
        return self.readout(self.network(self.embedding(tokens))[0])


class LSTM(Recurrent):
    kind = nn.LSTM


class GRU(Recurrent):
    kind = nn.GRU


class Block(nn.Module):
    """Attention and a multilayer perceptron, each normalized before and dropped out after."""

    def __init__(self, heads: int, dropout: float) -> None:
        super().__init__()
        self.attention_norm, self.mlp_norm = nn.LayerNorm(WIDTH), nn.LayerNorm(WIDTH)
        self.attention = nn.MultiheadAttention(WIDTH, heads, dropout=dropout, batch_first=True)
        self.mlp = nn.Sequential(
            nn.Linear(WIDTH, 4 * WIDTH), nn.GELU(), nn.Linear(4 * WIDTH, WIDTH)
        )
        self.dropout = nn.Dropout(dropout)

    def forward(self, h: Tensor, mask: Tensor) -> Tensor:
        x = self.attention_norm(h)
        attended = self.attention(x, x, x, attn_mask=mask, is_causal=True, need_weights=False)[0]
        h = h + self.dropout(attended)
        return h + self.dropout(self.mlp(self.mlp_norm(h)))


class GPT(nn.Module):
    """As GPT-2: learned positions, dropout everywhere, the readout tied to the embedding."""

    def __init__(self) -> None:
        super().__init__()
        self.embedding, self.position = nn.Embedding(SYMBOLS, WIDTH), nn.Embedding(LENGTH, WIDTH)
        self.dropout = nn.Dropout(0.1)
        self.blocks = nn.ModuleList(Block(heads=4, dropout=0.1) for _ in range(2))
        self.norm = nn.LayerNorm(WIDTH)
        later = torch.full((LENGTH, LENGTH), -torch.inf).triu(1)
        self.register_buffer("mask", later, persistent=False)

    def forward(self, tokens: Tensor) -> Tensor:
        length = tokens.shape[1]
        places = torch.arange(length, device=tokens.device)
        h = self.dropout(self.embedding(tokens) + self.position(places))
        for block in self.blocks:
            h = block(h, self.mask[:length, :length])
        return self.norm(h) @ self.embedding.weight.T


MODELS: dict[str, type[nn.Module] | str] = {
    "lstm": LSTM,
    "gru": GRU,
    "gpt": GPT,
    "mamba2": "mamba2",
    "deltanet": "deltanet",
}
"""Name -> a module class of this file, or a reference to an installed model."""


class Run(NamedTuple):
    """Replica-steps per second, and the seconds that are not training."""

    rate: float
    setup: float


def model_of(name: str) -> sb.Model:
    found = MODELS[name]
    if isinstance(found, str):
        return installed().model(found).model_copy(update={"recipe": RECIPE})
    return sb.as_model(found, RECIPE)


def synthbench(model: sb.Model, steps: int, replicas: int) -> Run:
    """The public API; its own record says how long training took."""
    protocol = sb.Protocol(
        budget=steps * BATCH,
        seeds=replicas,
        until="budget",
        evaluation_samples=HELD_OUT,
        resolution=RESOLUTION,
    )
    with tempfile.TemporaryDirectory() as folder:
        start = time.perf_counter()
        result = sb.evaluate(TASK, model, protocol=protocol, out=Path(folder))
        whole = time.perf_counter() - start
    training = result.record.compute.wall_seconds
    return Run(replicas * steps / training, whole - training)


def plain_torch(model: sb.Model, steps: int, replicas: int) -> Run:
    """What one writes without SynthBench."""
    interface = installed().task(TASK).interface
    points = set(evaluation_steps(steps, RESOLUTION))
    setup = training = 0.0
    for _ in range(replicas):
        start = time.perf_counter()
        module = model.build(interface)
        optimizer = torch.optim.AdamW(module.parameters(), lr=1e-3, weight_decay=0.0)
        held_out = torch.randint(0, SYMBOLS, (HELD_OUT, LENGTH + 1))
        began = time.perf_counter()
        for step in range(steps + 1):
            if step in points:
                module.eval()
                with torch.no_grad():
                    loss_of(module, held_out).item()
                module.train()
            optimizer.zero_grad()
            loss_of(module, torch.randint(0, SYMBOLS, (BATCH, LENGTH + 1))).backward()
            optimizer.step()
        setup, training = setup + began - start, training + time.perf_counter() - began
    return Run(replicas * (steps + 1) / training, setup)


def loss_of(module: nn.Module, tokens: Tensor) -> Tensor:
    return nn.functional.cross_entropy(module(tokens[:, :-1]).mT, tokens[:, 1:])


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("--models", nargs="+", choices=MODELS, default=list(MODELS))
    parser.add_argument("--replicas", type=int, nargs="+", default=[8, 32])
    parser.add_argument("--steps", type=int, default=200)
    parser.add_argument("--repeats", type=int, default=3)
    options = parser.parse_args()
    warnings.filterwarnings("ignore")
    torch.set_num_threads(1)
    synthbench(model_of(options.models[0]), 2, 2)  # imports and first-call costs
    print("| model | R | plain loop, replica-steps/s | SynthBench | x plain loop | set-up, s |")
    print("| --- | ---: | ---: | ---: | ---: | ---: |")
    for name in options.models:
        model = model_of(name)
        for replicas in options.replicas:
            plain, ours, setup = compare(model, options.steps, replicas, options.repeats)
            cells = name, replicas, f"{plain:,.0f}", f"{ours:,.0f}", f"{ours / plain:.2f}"
            print("|", " | ".join(map(str, cells)), f"| {setup:.1f} |", flush=True)
    versions = f"Python {platform.python_version()}, torch {torch.__version__}"
    print(f"\n{torch.get_num_threads()} thread, {versions}")


def compare(model: sb.Model, steps: int, replicas: int, repeats: int) -> tuple[float, float, float]:
    """Medians of the plain rate, ours, and our set-up seconds, in turn."""
    plain, ours = [], []
    for _ in range(repeats):
        plain.append(plain_torch(model, steps, replicas).rate)
        ours.append(synthbench(model, steps, replicas))
    rate, setup = (statistics.median(values) for values in zip(*ours, strict=True))
    return statistics.median(plain), rate, setup


if __name__ == "__main__":
    main()
