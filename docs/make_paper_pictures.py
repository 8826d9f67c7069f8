"""Make the pictures of docs/hidden-progress.md: `python docs/make_paper_pictures.py`.

Trains for about five minutes on two cores; what is already in --runs is not trained again.
"""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import torch
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from numpy.typing import NDArray
from scipy.stats import t

import synthbench as sb
from synthbench.engine.axis.activations import recorded
from synthbench.listeners.terminal import TerminalListener
from synthbench.metrics.transition import find_transition
from synthbench.registry.registry import installed
from synthbench.results.figures.rendering import save_figure
from synthbench.results.figures.style import COLOURS, look
from synthbench.streams import Purpose, Stream

DOCS = Path(__file__).parent / "hidden-progress"
BATCH, STEPS, SEEDS = 64, 1_500, 8
TWO_LAYERS, ONE_LAYER = "transformer lr=0.002", "transformer lr=0.002 layers=1"
CHAINS = "markov length=50"
COLUMNS = (
    ("two layers", CHAINS, TWO_LAYERS),
    ("two layers, doubly stochastic chains", f"{CHAINS} prior=doubly-stochastic", TWO_LAYERS),
    ("one layer", CHAINS, ONE_LAYER),
)


def evaluate(
    cells: Sequence[sb.Cell], folder: Path, *, keep_weights: bool = False
) -> Sequence[sb.CellResult]:
    """Train what is missing, with a progress bar."""
    with TerminalListener() as listener:
        settings = sb.Settings(listener=listener, keep_weights=keep_weights)
        return sb.evaluate_cells(cells, folder, settings)


def cell(task: str, model: str, protocol: sb.Protocol, probes: Sequence[str] = ()) -> sb.Cell:
    """A cell from references."""
    registry = installed()
    chosen = tuple(registry.probe(probe) for probe in probes)
    return sb.Cell(registry.task(task), registry.model(model), protocol, chosen)


# The phases of E. Edelman et al. 2024.


def evaluate_phases(folder: Path) -> Sequence[sb.CellResult]:
    """Eight seeds of each setting, with the probes of strategies and of attention."""
    protocol = sb.Protocol(seeds=SEEDS, budget=STEPS * BATCH, until="budget")
    cells = [cell(task, m, protocol, ["strategies", "attention"]) for _, task, m in COLUMNS]
    return evaluate(cells, folder / "phases")


def draw_phases(folder: Path) -> Figure:
    """Score, distance from strategies and attention, for three settings."""
    results = evaluate_phases(folder)
    figure = Figure(figsize=(15, 11), dpi=120, layout="constrained")
    panels = figure.subplots(3, 3, sharex=True, sharey="row")
    for column, ((title, _, _), result) in enumerate(zip(COLUMNS, results, strict=True)):
        draw_score(panels[0, column], result, title)
        draw_strategies(panels[1, column], result)
        draw_attention(panels[2, column], result)
        panels[2, column].set_xlabel("training samples (sequences)")
    for row, label in enumerate(
        ("KL(true || model), nats", "KL(model || strategy), nats", "share of attention")
    ):
        panels[row, 0].set_ylabel(label)
    panels[0, 0].set_xlim(BATCH * 10, BATCH * STEPS)
    panels[0, 0].set_ylim(0, 0.24)
    panels[1, 0].set_ylim(0, 0.24)
    panels[2, 0].set_ylim(0, 1)
    return figure


def draw_lines(axes: Axes, result: sb.CellResult, column: str, index: int, label: str) -> None:
    """Every replica a line, those that never solve the task dashed and thin."""
    trajectories, solved = result.measured.trajectories, result.metrics.reached.solved
    lines = zip(trajectories.by_replica("samples"), trajectories.by_replica(column), strict=True)
    # The solved ones last, on top.
    for replica, (samples, values) in sorted(enumerate(lines), key=lambda line: solved[line[0]]):
        axes.plot(
            samples[1:], values[1:], color=COLOURS[index],
            linewidth=1.5 if solved[replica] else 0.9, linestyle="-" if solved[replica] else "--",
        )  # fmt: skip
    axes.plot([], [], color=COLOURS[index], label=label)
    axes.set_xscale("log")


def draw_score(axes: Axes, result: sb.CellResult, title: str) -> None:
    """The divergence from the true chain, with the level of each strategy."""
    draw_lines(axes, result, "kl", 0, "model")
    references = [replica.references for replica in result.record.replicas]
    named = (("trivial", "uniform", ":", 3), ("unigram", "unigram", "--", -11),
             ("bigram", "bigram", "-.", -11))  # fmt: skip
    for name, text, style, offset in named:
        level = np.median([scores[name]["kl"] for scores in references])
        axes.axhline(level, color="0.35", linestyle=style, linewidth=1.1)
        axes.annotate(text, (BATCH * 11, level), xytext=(0, offset), textcoords="offset points",
                      fontsize=9, color="0.35")  # fmt: skip
    summary = result.record.summary
    share = f"{summary.solved} of {summary.replicas} come within 10% of Bayes"
    axes.set_title(f"{title}\n{share}", parse_math=False)


def draw_strategies(axes: Axes, result: sb.CellResult) -> None:
    """The divergence of the model from two strategies."""
    for index, name in enumerate(("unigram", "bigram"), start=1):
        draw_lines(axes, result, f"strategies/{name}", index, f"from {name}")
    axes.legend(frameon=False, loc="upper right", fontsize=9)


def draw_attention(axes: Axes, result: sb.CellResult) -> None:
    """The previous-token and the induction score."""
    named = (
        ("attention/layer1-previous", "layer 1 to the previous token"),
        ("attention/layer2-successors", "layer 2 to successors of earlier occurrences"),
    )
    for index, (name, label) in enumerate(named, start=3):
        if name in result.measured.trajectories.probes:
            draw_lines(axes, result, name, index, label)
    axes.legend(frameon=False, loc="upper left", fontsize=9)


# Attention maps of one sequence.


def draw_maps(folder: Path) -> Figure:
    """Before, during and after the transition of the first replica that makes it."""
    result = evaluate_phases(folder)[0]
    replica, steps = three_moments(result)
    networks = []
    for step in steps:
        protocol = sb.Protocol(
            seeds=2, first_seed=replica, budget=step * BATCH, until="budget", evaluation_samples=256
        )
        (stopped,) = evaluate(
            [cell(CHAINS, TWO_LAYERS, protocol)], folder / "maps", keep_weights=True
        )
        networks.append(stopped.network(0))
    x = one_sequence()
    figure = Figure(figsize=(13.5, 9.4), dpi=120, layout="constrained")
    panels = figure.subplots(2, 3)
    for column, (network, step) in enumerate(zip(networks, steps, strict=True)):
        with recorded(network) as found, torch.no_grad():
            network(x)
        for layer, weights in enumerate(found.attention):
            axes = panels[layer, column]
            image = axes.imshow(weights[0, 0], cmap="Greys", vmin=0, vmax=1)
            letters = ["ab"[symbol] for symbol in x[0].tolist()]
            axes.set_xticks(range(len(letters)), letters, fontsize=7)
            axes.set_yticks(range(len(letters)), letters, fontsize=7)
            moment = ("before", "during", "after")[column]
            axes.set_title(f"layer {layer + 1}, {moment} the transition (step {step:,})",
                           loc="left", fontweight="bold")  # fmt: skip
            axes.set_xlabel("token attended to")
            axes.set_ylabel("token that attends")
    figure.colorbar(image, ax=panels, label="share of attention", shrink=0.6)
    return figure


def three_moments(result: sb.CellResult) -> tuple[int, list[int]]:
    """A replica and the steps of its plateau, of its fastest rise and of its end."""
    trajectories = result.measured.trajectories
    steps = trajectories.by_replica("step")
    previous = trajectories.by_replica("attention/layer1-previous")
    solved = result.metrics.reached.solved
    replica = int(np.flatnonzero(solved)[0])
    gained = previous[replica] / previous[replica].max()
    before = int(np.flatnonzero(gained > 0.25)[0])
    during = int(np.flatnonzero(gained > 0.6)[0])
    own = steps[replica]
    return replica, [int(own[before] * 0.6), int(own[during]), int(own[-1])]


def one_sequence(length: int = 30) -> torch.Tensor:
    """A held-out sequence of the chain that stays with probability 0.8 and 0.6."""
    task = installed().task(f"markov length={length} prior=fixed p=0.2 q=0.4")
    world = task.world(Stream.from_seed(0, Purpose.WORLD))
    return task.sample(world, Stream.from_seed(1, Purpose.EVAL), 1).x


# Hidden progress on parity.


def draw_parity(folder: Path) -> Figure:
    """Means over replicas, each at the same share of its own plateau."""
    result = evaluate_parity(folder)
    figure = Figure(figsize=(8.2, 10), dpi=120, layout="constrained")
    panels = figure.subplots(len(PROBED), 1, sharex=True)
    for index, (axes, (column, label)) in enumerate(zip(panels, PROBED, strict=True)):
        shares, mean, half = on_the_plateau(result, column)
        axes.axvspan(shares[0], 1, color="0.94", zorder=0)
        axes.fill_between(shares, mean - half, mean + half, color=COLOURS[index], alpha=0.25)
        axes.plot(shares, mean, color=COLOURS[index], linewidth=2)
        axes.set_ylabel(label)
    panels[0].set_title("sparse-parity n=40 k=3, mlp width=100, 32 replicas; grey: the plateau",
                        loc="left", fontweight="bold")  # fmt: skip
    panels[-1].set_xscale("log")
    panels[-1].set_xlim(0.02, 2)
    panels[-1].set_xticks([0.02, 0.05, 0.1, 0.2, 0.5, 1, 2],
                          ["0.02", "0.05", "0.1", "0.2", "0.5", "1", "2"])  # fmt: skip
    panels[-1].set_xlabel("training samples, as a share of those to the replica's own onset")
    return figure


PROBED = (
    ("accuracy", "accuracy"),
    ("weight-movement/l2", "weight movement"),
    ("support-mass/movement", "share of the movement\non the support"),
    ("feature-overlap/best", "best overlap of a\nneuron with the support"),
)


def evaluate_parity(folder: Path) -> sb.CellResult:
    """Thirty-two networks on parity, with the probes of the first layer."""
    protocol = sb.Protocol(seeds=32, budget=192_000, until="budget")
    probes = ["weight-movement", "support-mass", "feature-overlap", "fourier-gap"]
    return evaluate([cell("sparse-parity n=40 k=3", "mlp", protocol, probes)], folder / "parity")[0]


def on_the_plateau(
    result: sb.CellResult, column: str
) -> tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.float64]]:
    """Shares of the onset (10% of progress, held twice); mean and half interval of a column."""
    trajectories = result.measured.trajectories
    shares = np.geomspace(0.02, 2, 80)
    rows = []
    for samples, progress, values in zip(
        *(trajectories.by_replica(name) for name in ("samples", "progress", column)), strict=True
    ):
        onset = find_transition(samples.astype(float), progress, 2).onset
        assert onset is not None
        rows.append(np.interp(shares * onset, samples, values))
    error = np.std(rows, axis=0, ddof=1) / len(rows) ** 0.5
    return shares, np.mean(rows, axis=0), t.ppf(0.975, len(rows) - 1) * error


def report(folder: Path) -> None:
    """The numbers that docs/hidden-progress.md quotes."""
    for (title, _, _), result in zip(COLUMNS, evaluate_phases(folder), strict=True):
        frame = result.measured.trajectories.to_pandas()
        print(f"{title}: {result.record.summary.solved} solved, "
              f"midpoint {result.metrics.transitions.midpoint}")  # fmt: skip
        for name, near in result.metrics.near.items():
            print(f"  nearest {name}: {near.replicas} replicas, first at {near.first}")
        columns = frame.filter(regex="kl|unigram|bigram|previous|layer2-succ").columns
        print(frame.groupby("replica")[list(columns)].last().round(3).to_string())
        plateau = frame[frame["step"].between(60, 150)]
        print("  steps 60 to 150:", plateau[list(columns)].mean().round(4).to_dict())
    parity = evaluate_parity(folder)
    for name in [column for column, _ in PROBED]:
        shares, mean, half = on_the_plateau(parity, name)
        for share in (0.05, 0.5, 0.8):
            at = int(np.argmin(np.abs(shares - share)))
            print(f"{name} at {shares[at]:.2f} of the onset: {mean[at]:.4f} +- {half[at]:.4f}")
    for name, probe in parity.metrics.probes.items():
        print(name, probe)


def main() -> None:
    """Train what is missing and draw."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--runs", type=Path, default=Path("runs/docs"))
    folder = parser.parse_args().runs
    DOCS.mkdir(exist_ok=True)
    for name, draw in (("phases", draw_phases), ("maps", draw_maps), ("parity", draw_parity)):
        with look():
            save_figure(draw(folder), [DOCS / f"{name}.png"])
        print(DOCS / f"{name}.png")
    report(folder)


if __name__ == "__main__":
    main()
