"""Fill docs/tasks/distillation.md: students of a parity and their teachers, measured and drawn.

`python docs/tasks/distillation.py`, about a minute and a half on two cores; what is already in
--runs is not trained again.
"""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import NamedTuple

import numpy as np
from matplotlib.figure import Figure

import synthbench as sb
from synthbench.listeners.terminal import TerminalListener
from synthbench.metrics.formatting import format_time_to_target
from synthbench.results.figures.rendering import save_figure
from synthbench.results.figures.style import COLOURS, look

HERE = Path(__file__).parent
BEGIN, END = "<!-- measured: begin -->", "<!-- measured: end -->"
TASK = "sparse-parity n=32 k=4"
TEACHER = "mlp width=200 optimizer=adam lr=0.001 loss=logistic"
STUDENT = "mlp width=32 optimizer=adam lr=0.001 loss=logistic"
HINGE = "mlp width=32 optimizer=adam lr=0.001 loss=hinge"
BATCH, STEPS = 32, 4_000
EARLY = STEPS * BATCH // 4
"""Training samples after which students are compared: where the final teacher takes over from the
intermediate one."""


class Arm(NamedTuple):
    """One way to train the student: the loss, and the checkpoints that teach in turn."""

    name: str
    model: str
    at: tuple[int | str, ...] = ()


def arms(step: int) -> list[Arm]:
    """The ways that are compared; step: the intermediate checkpoint's."""
    final = ("last",) * 3
    return [
        Arm("no teacher, hinge loss", HINGE),
        Arm("hard labels, logistic loss", STUDENT),
        Arm("final teacher", STUDENT, ("last",)),
        Arm("intermediate teacher", STUDENT, (step,)),
        Arm("intermediate, then final", STUDENT, (step, *final)),
        Arm("progressive", STUDENT, (step * 3 // 4, step, step * 5 // 4, *final)),
    ]


def train(model: str, runs: Path, seeds: int, teacher: object = None) -> sb.CellResult:
    """One cell, all of whose evaluations keep their weights."""
    with TerminalListener() as listener:
        return sb.evaluate(
            TASK,
            model,
            protocol=sb.Protocol(seeds=seeds, budget=STEPS * BATCH, until="budget"),
            probes=("degree-one",),
            teacher=teacher,
            out=runs,
            settings=sb.Settings(listener=listener, keep_weights="all"),
        )


def column(result: sb.CellResult, name: str) -> np.ndarray:
    """A column of the trajectories: (replicas, evaluations)."""
    return np.array(result.measured.trajectories.by_replica(name), dtype=float)


def intermediate_step(teacher: sb.CellResult) -> int:
    """Where the output tells most of the support's single coordinates, in the mean over seeds."""
    contrast = column(teacher, "degree-one/contrast").mean(axis=0)
    return int(column(teacher, "samples")[0][contrast.argmax()]) // BATCH


def early(result: sb.CellResult) -> str:
    """Accuracy at the last evaluation up to EARLY samples: mean and sd over replicas."""
    place = np.searchsorted(column(result, "samples")[0], EARLY, side="right") - 1
    found = column(result, "accuracy")[:, place]
    return f"{found.mean():.3f} ± {found.std(ddof=1):.3f}"


def table(results: dict[str, tuple[Arm, sb.CellResult]]) -> str:
    """How fast the student learns, in Markdown."""
    lines = [
        f"| student | teacher's steps | accuracy after {EARLY // 1000}k samples | solved "
        "| samples to 96% of progress |",
        "| --- | --- | --- | --- | --- |",
    ]
    for name, (arm, result) in results.items():
        summary = result.record.summary
        moments = ", ".join(dict.fromkeys(str(at) for at in arm.at)) or "none"
        lines.append(
            f"| {name} | {moments} | {early(result)} | {summary.solved} of {summary.replicas} "
            f"| {' '.join(format_time_to_target(summary.samples_to_target, STEPS * BATCH))} |"
        )
    return "\n".join(lines)


def teacher_line(teacher: sb.CellResult, step: int) -> str:
    """What the teacher says about the support at its intermediate and its last checkpoint."""
    place = list(column(teacher, "samples")[0]).index(step * BATCH)
    found = {
        f"{key}@{where}": column(teacher, f"degree-one/{key}")[:, at].mean()
        for key in ("on", "off")
        for where, at in (("then", place), ("last", -1))
    }
    accuracy = column(teacher, "accuracy")[:, place].mean()
    return (
        f"The teachers' mean correlation with a coordinate of the support is largest at step {step}"
        f" ({accuracy:.2f} accurate): {found['on@then']:.3f}, where other coordinates have "
        f"{found['off@then']:.3f}. After the last step it is {found['on@last']:.3f}, and "
        f"{found['off@last']:.3f} for others."
    )


def draw(
    teacher: sb.CellResult, results: dict[str, tuple[Arm, sb.CellResult]], step: int
) -> Figure:
    """The teacher and its degree-1 correlations; the students' accuracy."""
    figure = Figure(figsize=(12, 4.2), dpi=110, layout="constrained")
    left, right = figure.subplots(1, 2)
    samples = column(teacher, "samples")[0]
    left.plot(samples, column(teacher, "accuracy").mean(axis=0), color="0.3", label="accuracy")
    left.set(ylabel="teacher's accuracy", title="teacher, mean over seeds", ylim=(0.45, 1.02))
    beside = left.twinx()
    for index, key in enumerate(("on", "off")):
        mean = column(teacher, f"degree-one/{key}").mean(axis=0)
        beside.plot(samples, mean, color=COLOURS[index], label=f"{key} the support")
    beside.set(ylabel="|E[f(x) x_i]|", ylim=(0, None))
    left.axvline(step * BATCH, color="0.6", linestyle=":")
    lines = [*left.get_lines()[:1], *beside.get_lines()]
    left.legend(lines, [line.get_label() for line in lines], frameon=False, loc="center right")
    for index, (name, (_, result)) in enumerate(results.items()):
        mean = column(result, "accuracy").mean(axis=0)
        right.plot(column(result, "samples")[0], mean, color=COLOURS[index], label=name)
    right.set(ylabel="student's accuracy", title="students, mean over seeds", ylim=(0.45, 1.02))
    right.legend(frameon=False, fontsize=9)
    for axes in (left, right):
        axes.set_xlabel("training samples")
        axes.set_xlim(0, STEPS * BATCH)
    return figure


def main() -> None:
    """Train what is missing, draw it, and write the table into the page."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--runs", type=Path, default=Path("runs/distillation"))
    parser.add_argument("--seeds", type=int, default=8)
    options = parser.parse_args()
    teacher = train(TEACHER, options.runs, options.seeds)
    step = intermediate_step(teacher)
    results = {}
    for arm in arms(step):
        taught = sb.Teacher(teacher, arm.at) if arm.at else None
        results[arm.name] = (arm, train(arm.model, options.runs, options.seeds, taught))
    with look():
        save_figure(draw(teacher, results, step), [HERE / "distillation.png"])
    page = HERE / "distillation.md"
    before, _, rest = page.read_text().partition(BEGIN)
    _, _, after = rest.partition(END)
    picture = "![The teacher's correlations, and its students](distillation.png)"
    measured = "\n\n".join([picture, table(results), teacher_line(teacher, step)])
    page.write_text(f"{before}{BEGIN}\n{measured}\n{END}{after}")


if __name__ == "__main__":
    main()
