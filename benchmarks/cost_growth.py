"""How the cost of a cell grows: with replicas, inputs, width and length; and how near to the peak.

Each cell spends its budget to the end, timed from the call to the record. Exponents are slopes of
log seconds against log size, with 95% intervals (least squares over all repeats); what does not
grow, such as inspection and the picture, makes them smaller. The FLOPs that a cell trains with are
those of its record, and the peak is that of this machine's own matrix product in the same run.

    python benchmarks/cost_growth.py [--quick] [--picture docs/cost-growth.png]
"""

from __future__ import annotations

import argparse
import statistics
import tempfile
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from typing import NamedTuple

import numpy as np
import torch
from matplotlib.figure import Figure
from matplotlib.ticker import NullLocator
from rich.console import Console
from rich.table import Table
from scipy.stats import linregress, t
from side_by_side import Seconds, in_turn, median_seconds, software, timed, train_quietly

import synthbench as sb
from synthbench.results.figures.canvas import Canvas
from synthbench.results.figures.rendering import save_figure
from synthbench.results.figures.style import GREY, colour, look, marker

RESOLUTION, HELD_OUT = 0.25, 128
"""Fewer evaluations on fewer samples than usual, so that training is what is measured."""
PEAK_SIZES, PEAK_SECONDS = (512, 1024, 2048), 0.3


class Growth(NamedTuple):
    """Cells that differ in one size. configured: size -> (task, model, replicas)."""

    name: str
    sizes: tuple[int, ...]
    configured: Callable[[int], tuple[str, str, int]]
    steps: int


GROWTHS = (
    Growth(
        "replicas", (8, 32, 128, 512, 1024),
        lambda replicas: ("sparse-parity n=40 k=4", "mlp", replicas), 500,
    ),
    Growth("n", (20, 40, 80, 120, 200), lambda n: (f"sparse-parity n={n} k=4", "mlp", 128), 500),
    Growth(
        "width", (50, 100, 200, 400, 800),
        lambda width: ("sparse-parity n=40 k=4", f"mlp width={width}", 32), 500,
    ),
    Growth(
        "length", (32, 64, 128, 256),
        lambda length: (f"markov symbols=2 length={length}", "transformer", 8), 30,
    ),
)  # fmt: skip


class Cost(NamedTuple):
    """Seconds of a cell; optimizer steps of all replicas together, and the FLOPs of one."""

    seconds: Seconds
    replica_steps: int
    step_flops: int

    def share(self, clock: str, best: float) -> float:
        """Training FLOP/s in percent of the best."""
        return 100 * self.step_flops * self.rate(clock) / best

    def rate(self, clock: str) -> float:
        """Replica-steps per second."""
        return self.replica_steps / float(getattr(self.seconds, clock))


class Slope(NamedTuple):
    """An exponent and the ends of its 95% interval; coefficient: seconds at size 1."""

    exponent: float
    low: float
    high: float
    coefficient: float

    def __str__(self) -> str:
        return f"{self.exponent:.2f} [{self.low:.2f}, {self.high:.2f}]"


def cost_of(growth: Growth, steps: int, size: int) -> Cost:
    """Train one cell."""
    task, model, replicas = growth.configured(size)
    batch = 64 if model.startswith("transformer") else 32
    protocol = sb.Protocol(
        seeds=replicas,
        budget=steps * batch,
        until="budget",
        resolution=RESOLUTION,
        evaluation_samples=HELD_OUT,
    )
    settings = sb.Settings(sb.TrainerOptions(accelerator="cpu"))
    found: list[sb.CellResult] = []
    with tempfile.TemporaryDirectory() as folder:
        seconds = timed(
            lambda: found.append(
                sb.evaluate(task, model, protocol=protocol, out=Path(folder), settings=settings)
            )
        )
        return Cost(seconds, replicas * steps, found[0].record.compute.step_flops)


def peak(clock: str) -> float:
    """FLOP/s of the fastest of a few square matrix products."""
    return max(product_rate(size, clock) for size in PEAK_SIZES)


def product_rate(size: int, clock: str) -> float:
    a, b = torch.randn(2, size, size)
    count = 1 + int(PEAK_SECONDS / timed(lambda: a @ b).wall)
    seconds = timed(lambda: [a @ b for _ in range(count)])
    return 2 * size**3 * count / float(getattr(seconds, clock))


def slope(sizes: Sequence[int], seconds: Sequence[float]) -> Slope:
    """A power law through all of them."""
    fit = linregress(np.log(sizes), np.log(seconds))
    half = t.ppf(0.975, len(sizes) - 2) * fit.stderr if len(sizes) > 2 else np.inf
    return Slope(fit.slope, fit.slope - half, fit.slope + half, float(np.exp(fit.intercept)))


class Measured(NamedTuple):
    """One growth: costs of every repeat by size, and the law of its seconds."""

    growth: Growth
    costs: dict[int, list[Cost]]
    law: Slope


def measure(growth: Growth, steps: int, repeats: int, clock: str) -> Measured:
    costs = in_turn({size: partial(cost_of, growth, steps, size) for size in growth.sizes}, repeats)
    pairs = [(size, getattr(c.seconds, clock)) for size, found in costs.items() for c in found]
    return Measured(growth, costs, slope(*zip(*pairs, strict=True)))


def draw(measured: Sequence[Measured], best: float, clock: str) -> Figure:
    """Seconds with the power law above, the share of the matrix product below."""
    picture = Canvas().picture(2 * len(measured), most=len(measured))
    panels = picture.panels
    above, below = panels[: len(measured)], panels[len(measured) :]
    for index, (found, axes, under) in enumerate(zip(measured, above, below, strict=True)):
        sizes = [size for size, costs in found.costs.items() for _ in costs]
        costs = [cost for costs in found.costs.values() for cost in costs]
        seconds = np.array([getattr(cost.seconds, clock) for cost in costs])
        axes.loglog(sizes, seconds, marker(index), color=colour(index))
        ends = np.array([min(sizes), max(sizes)], float)
        axes.loglog(ends, found.law.coefficient * ends**found.law.exponent, "--", color=GREY)
        axes.set_ylabel(f"seconds ({clock})")
        picture.finish(axes, f"{found.growth.name}: exponent {found.law}", legend=False)
        shares = [cost.share(clock, best) for cost in costs]
        under.semilogx(sizes, shares, marker(index), color=colour(index))
        under.set_ylim(0)
        under.set_xlabel(found.growth.name)
        under.set_ylabel("% of a matrix product's FLOP/s")
        picture.finish(under, "training FLOPs over all seconds", legend=False)
        for each in (axes, under):
            each.set_xticks(list(found.costs), [str(size) for size in found.costs])
            each.xaxis.set_minor_locator(NullLocator())
    return picture.settle().figure


def report(measured: Sequence[Measured], best: float, clock: str, console: Console) -> None:
    table = Table(title="medians of seconds; in brackets CPU time")
    for heading in ("", "size", "seconds", "replica-steps/s", "% of peak", "exponent"):
        table.add_column(heading, justify="left" if not heading else "right")
    for growth, by_size, law in measured:
        for size, costs in by_size.items():
            median = costs[0]._replace(seconds=median_seconds(cost.seconds for cost in costs))
            rate, share = f"{median.rate(clock):,.0f}", f"{median.share(clock, best):.1f}"
            table.add_row(growth.name, str(size), str(median.seconds), rate, share, "")
        table.add_row("", "", "", "", "", str(law), end_section=True)
    console.print(table)
    console.print(f"peak: {best / 1e9:.1f} GFLOP/s; rates, shares and exponents by {clock} time")


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("--growths", nargs="+", choices=[g.name for g in GROWTHS])
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--clock", choices=Seconds._fields, default="wall")
    parser.add_argument("--picture", type=Path, help="a PNG or SVG file to draw into")
    parser.add_argument("--quick", action="store_true", help="a fifth of the steps, once")
    options = parser.parse_args()
    train_quietly(options.threads)
    console = Console(width=100)
    cost_of(GROWTHS[0], 10, 2)  # imports and first-call costs
    measured, peaks = [], [peak(options.clock)]
    for growth in GROWTHS:
        if options.growths and growth.name not in options.growths:
            continue
        steps, repeats = (
            (growth.steps // 5, 1) if options.quick else (growth.steps, options.repeats)
        )
        measured.append(measure(growth, steps, repeats, options.clock))
        peaks.append(peak(options.clock))
    best = statistics.median(peaks)
    report(measured, best, options.clock, console)
    if options.picture:
        with look():
            save_figure(draw(measured, best, options.clock), [options.picture])
    console.print(f"{torch.get_num_threads()} threads, {software('torch', 'pytorch-lightning')}")


if __name__ == "__main__":
    main()
