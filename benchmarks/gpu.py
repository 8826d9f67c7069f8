"""Everything that is measured on a GPU, in one run on one card, within a budget of seconds.

Replica-steps per second of plain Lightning, a bare loop, SynthBench and hand-written JAX; of stacks
up to the memory, with and without CUDA graphs; the share of what the card can do; and seconds to
the results of the `-large` suites, by extrapolation where they are cut. A part that fails or finds
no time is reported and the others go on.

    python benchmarks/gpu.py [--seconds 360] [--large] [--suite NAME ...] [--out build/gpu.json]

--large spends what is left on the suites alone.
"""

from __future__ import annotations

import argparse
import gc
import json
import os
import platform
import subprocess
import sys
import tempfile
import time
import traceback
from collections.abc import Callable, Sequence
from dataclasses import asdict
from importlib.metadata import version
from pathlib import Path
from typing import Any

import pytorch_lightning as pl
import torch
from rich.console import Console
from rich.table import Table
from side_by_side import train_quietly
from single_seeds import bare_loop, plain_lightning
from stacks import Stack, peaks
from suite_in_a_box import NotesAlone, seconds_to_result

import synthbench as sb
from synthbench.engine.axis.memory import is_out_of_memory
from synthbench.isolation.settings import in_tf32
from synthbench.plan.cell import Cell
from synthbench.registry.kinds import SUITE
from synthbench.registry.registry import installed

HERE = Path(__file__).parent
PARITY, MLP = "sparse-parity n=40 k=4", "mlp width=100"
CHAINS = "markov symbols=2 length=100"
STACKS: dict[str, tuple[str, str, tuple[int, ...]]] = {
    "mlp width=100": (PARITY, MLP, (32, 256, 2048, 16384, 65536, 262144)),
    "transformer": (CHAINS, "transformer lr=0.002", (4, 16, 64, 512, 2048)),
    "mlp width=1000": ("sparse-parity n=50 k=4", "mlp width=1000", (32, 256, 2048, 8192)),
}
EAGER = {32, 16, 256, 2048}
"""Stacks that are also timed without graphs."""
JAX_TASKS = {
    "mlp width=100": (PARITY, (32, 256, 2048, 16384)),
    "transformer": (f"{CHAINS} last=50 target=0.9", (4, 16, 64)),
}


class Run:
    """Parts in their order, until the time is up; what they find is written after each."""

    def __init__(self, seconds: float, device: torch.device, out: Path) -> None:
        self.device, self._out = device, out
        self._end = time.monotonic() + seconds
        self._began = time.monotonic()
        self.reserve = 0.4 * seconds
        self.found: dict[str, Any] = {"environment": environment(device)}
        self.console = Console(width=110)

    @property
    def left(self) -> float:
        """Seconds, less those that are kept for the suites."""
        return self._end - time.monotonic() - self.reserve

    def say(self, line: str) -> None:
        self.console.print(f"{time.monotonic() - self._began:6.1f} s  {line}", highlight=False)

    def part(self, name: str, run: Callable[[], Any], least: float = 5.0) -> Any:
        """Run a part, if there are `least` seconds left; None where it failed or was left out."""
        if self.left < least:
            self.say(f"[yellow]{name}: left out, no time")
            self.found[name] = {"left out": "no time"}
            return None
        try:
            self.found[name] = found = run()
            self.say(f"{name}: done")
            return found
        # Whatever fails, the other parts are measured.
        except Exception as error:
            memory = is_out_of_memory(error)
            self.found[name] = {"failed": "out of memory" if memory else repr(error)}
            self.say(f"[red]{name}: {self.found[name]['failed'][:300]}")
            if not memory:
                traceback.print_exc(limit=-4)
            return None
        finally:
            gc.collect()
            if self.device.type == "cuda":
                torch.cuda.empty_cache()
            self._out.parent.mkdir(parents=True, exist_ok=True)
            self._out.write_text(json.dumps(self.found, indent=1, default=str))


def environment(device: torch.device) -> dict[str, Any]:
    cuda = device.type == "cuda"
    return {
        "card": torch.cuda.get_device_name(device) if cuda else platform.processor(),
        "memory_gib": torch.cuda.get_device_properties(device).total_memory / 2**30 if cuda else 0,
        "python": platform.python_version(),
        "torch": torch.__version__,
        "cuda": torch.version.cuda,
        "lightning": pl.__version__,
        "synthbench": version("synthbench"),
        "tf32": in_tf32(),
    }


def cell_of(task: str, model: str, steps: int, seeds: int) -> Cell:
    chosen = installed().model(model)
    budget = steps * int(chosen.recipe.batch_size)
    protocol = sb.Protocol(budget=budget, seeds=seeds, until="budget")
    return Cell(installed().task(task), chosen, protocol)


def end_to_end(run: Run, replicas: int, steps: int) -> dict[str, Any]:
    """The public API: inspection, data, evaluations, Lightning, record and picture."""
    options = sb.TrainerOptions("gpu" if run.device.type == "cuda" else "cpu")
    settings = sb.Settings(options, replicas_per_block=replicas, listener=NotesAlone())
    with tempfile.TemporaryDirectory() as folder:
        began = time.perf_counter()
        cell = cell_of(PARITY, MLP, steps, replicas)
        record = sb.evaluate_cells([cell], Path(folder), settings)[0].record
        seconds = time.perf_counter() - began
    rate = replicas * steps / seconds
    run.say(f"SynthBench end to end, R={replicas}: {seconds:.1f} s, {rate:,.0f} replica-steps/s")
    trained = record.compute.wall_seconds
    graphs = record.compute.cuda_graphs
    return {"rate": rate, "seconds": seconds, "training_seconds": trained, "graphs": graphs}


def stacks(run: Run, name: str, seconds: float) -> list[dict[str, Any]]:
    """Speed by the number of replicas, up to the memory."""
    task, model, widths = STACKS[name]
    found: list[dict[str, Any]] = []
    for replicas in widths if run.device.type == "cuda" else widths[:1]:
        if run.left < 5:
            break
        try:
            made = Stack(cell_of(task, model, 100_000, 2), replicas, run.device)
            for graphs in (True, False) if replicas in EAGER else (True,):
                speed = made.speed(seconds, graphs)
                found.append({**asdict(speed), "rate": speed.rate})
                run.say(
                    f"{name} R={replicas} {'graphs' if speed.graphs else 'eager'}: "
                    f"{speed.step_seconds * 1e6:,.0f} us/step, {speed.rate:,.0f} replica-steps/s, "
                    f"{speed.gib:.1f} GiB, set up in {speed.first_seconds:.1f} s {speed.why or ''}"
                )
        except RuntimeError as error:
            if not is_out_of_memory(error):
                raise
            run.say(f"{name} R={replicas}: out of memory")
            found.append({"replicas": replicas, "failed": "out of memory"})
            break
        finally:
            made = None  # type: ignore[assignment]
            gc.collect()
            if run.device.type == "cuda":
                torch.cuda.empty_cache()
    return found


def roofline(run: Run) -> dict[str, Any]:
    """What a step computes and moves, against what the card does in a product and in a copy."""
    flops_peak, bytes_peak = peaks(run.device)
    run.say(f"card: {flops_peak / 1e12:.1f} TFLOP/s in float32, {bytes_peak / 1e9:,.0f} GB/s")
    found: dict[str, Any] = {"flops_peak": flops_peak, "bytes_peak": bytes_peak}
    small = run.device.type != "cuda"
    for name, replicas in (("mlp width=100", 16384), ("mlp width=1000", 2048), ("transformer", 64)):
        task, model, _ = STACKS[name]
        width = 2 if small else replicas
        made = Stack(cell_of(task, model, 100_000, 2), width, run.device)
        flops, moved = made.traffic()
        speed = made.speed(0.5)
        own = {"replicas": width, "flops": flops, "bytes": moved, "seconds": speed.step_seconds}
        own["share_of_flops"] = flops / speed.step_seconds / flops_peak
        own["share_of_bytes"] = moved / speed.step_seconds / bytes_peak
        found[name] = own
        run.say(
            f"{name} R={width}: {flops / speed.step_seconds / 1e12:.2f} TFLOP/s "
            f"({own['share_of_flops']:.0%}), {moved / speed.step_seconds / 1e9:,.0f} GB/s "
            f"({own['share_of_bytes']:.0%})"
        )
        del made
    return found


def hand_written_jax(run: Run, name: str, precision: str) -> list[dict[str, Any]]:
    """precision: of products; torch's default is float32, XLA's on such a card TF32."""
    reference, widths = JAX_TASKS[name]
    chosen = widths if run.device.type == "cuda" else widths[:1]
    own = {"XLA_PYTHON_CLIENT_PREALLOCATE": "false", "JAX_DEFAULT_MATMUL_PRECISION": precision}
    command = [sys.executable, str(HERE / "gpu_jax.py"), reference, *map(str, chosen)]
    try:
        ended = subprocess.run(
            command, env={**os.environ, **own}, capture_output=True, text=True, check=False,
            timeout=max(min(run.left, 60), 10),
        )  # fmt: skip
        lines, errors = ended.stdout, ended.stderr
    except subprocess.TimeoutExpired as late:
        lines, errors = _text(late.stdout), f"{_text(late.stderr)}\nno time"
    found = [json.loads(line) for line in lines.splitlines() if line.startswith("{")]
    for each in found:
        run.say(
            f"JAX, {name} R={each['replicas']}, {precision}, on {each['device']}: "
            f"{each['step_seconds'] * 1e6:,.0f} us/step, {each['rate']:,.0f} replica-steps/s"
        )
    if len(found) < len(chosen):
        run.say(f"JAX ended early: {(errors.strip().splitlines() or [''])[-1][:200]}")
    return found


def _text(output: str | bytes | None) -> str:
    return output.decode(errors="replace") if isinstance(output, bytes) else output or ""


def suites(run: Run, names: Sequence[str], reserve: float) -> dict[str, Any]:
    """Seconds to the results of suites; cut cells are extrapolated."""
    cells = [(name, n) for name in names for n, _ in enumerate(installed().suite(name).cells, 1)]
    # Those that say most come first: of each suite in turn.
    cells.sort(key=lambda each: (each[1], each[0]))
    found: dict[str, Any] = {}
    for done, (name, number) in enumerate(cells):
        box = (run.left - reserve) / (len(cells) - done)
        if box < 4:
            found[f"{name} {number}"] = {"left out": "no time"}
            continue
        # Set-up takes some of the box.
        own = seconds_to_result(name, number, box - 2, run.device)
        found[f"{name} {number}"] = own
        run.say(f"{name}, cell {number}: {own['said']}")
    for name in names:
        own = [v for key, v in found.items() if key.startswith(f"{name} ")]
        known = [v["seconds"] for v in own if "seconds" in v]
        whole = all(v.get("finished") for v in own)
        run.say(
            f"{name}: {sum(known):,.0f} s for {len(known)} of {len(own)} cells"
            f"{'' if whole else ', at most: cut cells are extrapolated to their whole budgets'}"
        )
    return found


def summary(run: Run) -> None:
    """One table: replica-steps per second of the contenders."""
    table = Table(title=f"{PARITY}, {MLP}: {run.found['environment']['card']}")
    for heading in ("", "R", "replica-steps/s", "x plain Lightning"):
        table.add_column(heading, justify="right" if heading else "left")
    plain = (run.found.get("plain Lightning") or {}).get("rate")
    rows: list[tuple[str, int, float]] = []
    for name in ("plain Lightning", "bare loop"):
        if "rate" in (run.found.get(name) or {}):
            rows.append((name, 1, run.found[name]["rate"]))
    for key, each in run.found.items():
        if key.startswith("end to end") and "rate" in each:
            rows.append(("SynthBench, end to end", int(key.rsplit("=")[-1]), each["rate"]))
    for key, title in (
        ("stacks mlp width=100", "SynthBench, steps alone"),
        ("jax mlp width=100 float32", "JAX, steps alone, float32"),
        ("jax mlp width=100 tensorfloat32", "JAX, steps alone, TF32"),
    ):
        each = run.found.get(key)
        for one in each if isinstance(each, list) else []:
            if "rate" in one:
                eager = "" if one.get("graphs", True) else ", without graphs"
                rows.append((title + eager, one["replicas"], one["rate"]))
    for title, replicas, rate in rows:
        ratio = f"{rate / plain:,.1f}" if plain else ""
        table.add_row(title, f"{replicas:,}", f"{rate:,.0f}", ratio)
    run.console.print(table)


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("--seconds", type=float, default=360, help="budget of the whole run")
    parser.add_argument("--large", action="store_true", help="the large suites alone")
    parser.add_argument("--suite", action="append", help="instead of all bundled `-large` ones")
    parser.add_argument("--out", type=Path, default=Path("build/gpu.json"))
    parser.add_argument("--device", default="cuda", help="cpu tries the script, no more")
    options = parser.parse_args()
    if options.device == "cuda" and not torch.cuda.is_available():
        sys.exit("torch finds no CUDA GPU here; --device cpu tries the script, and measures little")
    train_quietly()
    run = Run(options.seconds, torch.device(options.device), options.out)
    run.say(str(run.found["environment"]))
    if not options.large:
        contenders(run)
    run.reserve = 0
    large = [name for name in installed().bundled(SUITE) if name.endswith("-large")]
    run.part("suites", lambda: suites(run, options.suite or large, reserve=5), least=20)
    summary(run)
    run.say(f"written to {options.out}")


def contenders(run: Run) -> None:
    """All parts but the suites, what says most first."""
    cuda = run.device.type == "cuda"
    steps = 400 if cuda else 50
    run.part("plain Lightning", lambda: plain_lightning(steps, run.device))
    run.part("bare loop", lambda: bare_loop(steps, run.device))
    for name in ("plain Lightning", "bare loop"):
        run.say(f"{name}: {run.found[name].get('rate', 0):,.0f} replica-steps/s")
    run.part("warm-up", lambda: end_to_end(run, 2, 50))
    for replicas in (256, 2048) if cuda else (2,):
        label = f"end to end R={replicas}"
        run.part(label, lambda r=replicas: end_to_end(run, r, 20_000 if cuda else 100), least=20)
    seconds = 0.7 if cuda else 0.1

    def jax(name: str, precision: str) -> None:
        key = f"jax {name} {precision}"
        run.part(key, lambda: hand_written_jax(run, name, precision), least=15)

    def alone(name: str) -> None:
        run.part(f"stacks {name}", lambda: stacks(run, name, seconds), least=10)

    alone("mlp width=100")
    jax("mlp width=100", "float32")
    alone("transformer")
    run.part("roofline", lambda: roofline(run), least=10)
    jax("transformer", "float32")
    alone("mlp width=1000")
    jax("mlp width=100", "tensorfloat32")


if __name__ == "__main__":
    main()
