"""Make the pictures of README.md, docs/metrics.md and docs/figures.md.

`python docs/make_pictures.py`

Trains for about five minutes on two cores; what is already in --runs is not trained again.
"""

from __future__ import annotations

import argparse
from pathlib import Path

from matplotlib.figure import Figure

import synthbench as sb
from synthbench.evaluation.planning import plan_suite
from synthbench.listeners.terminal import TerminalListener
from synthbench.plan.protocol import Protocol
from synthbench.registry.registry import installed
from synthbench.results.figures.rendering import save_figure

DOCS = Path(__file__).parent
SIZES = (20, 28, 40, 56, 80)
WIDTHS, SAMPLES = (8, 16, 32, 64, 128), (500, 1_000, 2_000, 4_000, 8_000)
RATES = (0.003, 0.01, 0.03, 0.1, 0.3, 1.0)


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
    one, small = ["sparse-parity n=40 k=3"], ["sparse-parity n=20 k=3"]
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
        "map": [
            cell
            for samples in SAMPLES
            for cell in cells_of(
                small, [f"mlp width={width}" for width in WIDTHS],
                Protocol(seeds=8, budget=320_000, train_samples=samples),
            )
        ],
        "search": cells_of(
            small, [f"mlp width={width} lr={rate}" for width in (16, 64) for rate in RATES],
            Protocol(seeds=8, budget=160_000),
        ),
    }  # fmt: skip


def pictures_of_kinds(results: dict[str, sb.Results]) -> dict[str, Figure]:
    """One picture of every kind, as wide as a column."""
    optimizers, narrow, sizes = results["optimizers"], results["narrow"], results["sizes"]
    return {
        "learning-curves": optimizers.plot("learning-curves", size="column"),
        "survival": narrow.plot("survival", size="column"),
        "raster": narrow[:1].plot("raster", size="column"),
        "heatmap": results["map"].plot("heatmap", size="column"),
        "heatmap-times": results["map"].plot("heatmap", value="samples_to_target", size="column"),
        "scaling": sizes.plot("scaling", "n", group="k", size="column"),
        "tuning": results["search"].plot("tuning", size="page"),
        "random-search": optimizers.plot("random-search", size="column"),
        "probes": optimizers[:1].plot("probes", size="column"),
    }


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
    pictures |= {
        f"figures/{name}.png": figure for name, figure in pictures_of_kinds(results).items()
    }
    (DOCS / "figures").mkdir(exist_ok=True)
    for name, figure in pictures.items():
        save_figure(figure, [DOCS / name])
        print(DOCS / name)
    print("grokking:", results["grokking"][0].metrics.grokking)
    split = results["crossed"][0].metrics.variance_split
    print("variance split, (20,3) width 10:", split)


if __name__ == "__main__":
    main()
