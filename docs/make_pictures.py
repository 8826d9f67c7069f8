"""Make the pictures of README.md and docs/metrics.md: `python docs/make_pictures.py`.

Trains for about three minutes on two cores; what is already in --runs is not trained again.
"""

from __future__ import annotations

import argparse
from pathlib import Path

import synthbench as sb
from synthbench.evaluation.planning import plan_suite
from synthbench.listeners.terminal import TerminalListener
from synthbench.plan.protocol import Protocol
from synthbench.registry.registry import installed
from synthbench.results.figures.rendering import save_figure

DOCS = Path(__file__).parent
SIZES = (20, 28, 40, 56, 80)


def cells_of(tasks: list[str], models: list[str], protocol: Protocol) -> list[sb.Cell]:
    """Every model on every task, with the probe."""
    registry = installed()
    probes = (registry.probe("weight-movement"),)
    return [
        sb.Cell(registry.task(task), registry.model(model), protocol, probes)
        for task in tasks
        for model in models
    ]


def plan() -> dict[str, list[sb.Cell]]:
    """The runs, by name."""
    suite = installed().suite("quickstart")
    one = ["sparse-parity n=40 k=3"]
    sizes = [f"sparse-parity n={n} k={k}" for k in (2, 3) for n in SIZES]
    return {
        "quickstart": plan_suite(suite, suite.models, Protocol(seeds=suite.seeds)),
        "optimizers": cells_of(
            one, ["mlp", "mlp optimizer=adam lr=0.01"], Protocol(seeds=128, budget=640_000)
        ),
        "narrow": cells_of(
            ["sparse-parity n=30 k=3"], ["mlp width=3", "mlp width=100"],
            Protocol(seeds=64, budget=640_000, until="budget"),
        ),
        "sizes": cells_of(sizes, ["mlp"], Protocol(seeds=32, budget=192_000)),
        "grokking": cells_of(
            ["sparse-parity n=40 k=3"], ["mlp width=1000 weight_decay=0.01"],
            Protocol(seeds=8, budget=320_000, train_samples=1_000),
        ),
        "crossed": cells_of(
            ["sparse-parity n=20 k=3"], ["mlp width=10 batch_size=128"],
            Protocol(seeds=288, initializations=12, budget=2_560_000),
        ),
    }  # fmt: skip


def main() -> None:
    """Train what is missing and draw."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--runs", type=Path, default=Path("runs/docs"))
    folder = parser.parse_args().runs
    results = {}
    for name, cells in plan().items():
        with TerminalListener() as listener:
            settings = sb.Settings(listener=listener)
            results[name] = sb.evaluate_cells(cells, folder / name, settings)
    pictures = {
        "quickstart.png": results["quickstart"].plot("learning-curves"),
        "metrics/learning_curves.png": results["optimizers"].plot("learning-curves"),
        "metrics/survival.png": results["narrow"].plot("survival"),
        "metrics/transition_raster.png": results["narrow"].plot("raster"),
        "metrics/random_search.png": results["optimizers"].plot("random-search"),
        "metrics/probes.png": results["optimizers"].plot("probes"),
        "metrics/scaling.png": results["sizes"].plot("scaling", "n"),
        "metrics/grokking.png": results["grokking"].plot("learning-curves"),
    }
    for name, figure in pictures.items():
        save_figure(figure, [DOCS / name])
        print(DOCS / name)
    print("grokking:", results["grokking"][0].metrics.grokking)
    split = results["crossed"][0].metrics.variance_split
    print("variance split, (20,3) width 10:", split)


if __name__ == "__main__":
    main()
