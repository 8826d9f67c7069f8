"""Charts of a whole board: samples against FLOPs, and the performance profile."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from synthbench.leaderboard.site.axis import padded
from synthbench.leaderboard.site.cell_charts import Drawn
from synthbench.leaderboard.site.numbers import ratio_tick, show_score
from synthbench.leaderboard.site.svg import Frame, Picture, link, make_frame, point, stairs
from synthbench.leaderboard.standings.board import Board
from synthbench.leaderboard.standings.entry import Entry

LARGEST_FACTOR = 1000.0
LONGEST_LABEL = 24


def pareto_chart(board: Board, drawn: Sequence[Drawn]) -> Picture:
    """Every entry, samples against FLOPs; the front is a line, a tuned entry a diamond."""
    samples = np.array([entry.samples.value for entry in board.entries], float)
    flops = np.array([entry.flops.value for entry in board.entries], float)
    over = board.relative_to
    over = over if len(over) <= LONGEST_LABEL else f"{over[: LONGEST_LABEL - 1]}…"
    frame = make_frame(
        padded(samples),
        padded(flops),
        (f"samples, relative to {over}", "FLOPs, relative to the same"),
        (ratio_tick, ratio_tick),
        (True, True),
    )
    styles = {item.entry.submission.name: item.css for item in drawn}
    across, up = frame.x.place(samples), frame.y.place(flops)
    marks = [_front_line(board.entries, frame)]
    links = list(marks)
    # The best are drawn last, on top.
    for entry, x, y in reversed(list(zip(board.entries, across, up, strict=True))):
        css = styles.get(entry.submission.name, "plain") + (" front" if entry.on_front else "")
        mark = point(float(x), float(y), css, square=entry.submission.track == "tuned")
        marks.append(mark)
        links.append(link(mark, page_of(entry), _point_title(entry), focusable=entry.on_front))
    title = f"Samples against FLOPs, both relative to {board.relative_to}, of every submission"
    return Picture(frame, title, tuple(marks), tuple(links))


def profile_chart(board: Board, drawn: Sequence[Drawn]) -> Picture:
    """Share of cells that an entry solves within a factor of the best median of the cell."""
    ratios = np.array([item.entry.profile for item in drawn], float)
    finite = ratios[np.isfinite(ratios)]
    most = float(np.clip(finite.max() if len(finite) else 1.0, 2.0, LARGEST_FACTOR)) * 1.15
    frame = make_frame(
        (1.0, most),
        (-0.02, 1.02),
        ("times the samples of the cell's best", "share of cells"),
        (ratio_tick, ratio_tick),
        (True, False),
    )
    marks = []
    for item, own in reversed(list(zip(drawn, ratios, strict=True))):
        solved = np.sort(own[np.isfinite(own)])
        shares = np.arange(len(solved) + 1) / len(own)
        xs = np.concatenate([[1.0], solved, [most]])
        ys = np.concatenate([shares, shares[-1:]])
        marks.append(stairs(frame, xs, ys, item.css, item.entry.submission.title))
    title = "Performance profile: share of cells within a factor of the best"
    return Picture(frame, title, tuple(marks))


def page_of(entry: Entry) -> str:
    """A submission's page, from its board's."""
    return f"{entry.submission.name}/index.html"


def _front_line(entries: Sequence[Entry], frame: Frame) -> str:
    """Stairs through the front, extended to the edges: all that is up and right of it is worse."""
    pairs = [(e.samples.value or 0.0, e.flops.value or 0.0) for e in entries if e.on_front]
    if not pairs:  # nothing on the board has solved a cell
        return ""
    front = sorted(pairs, key=lambda pair: (pair[0], -pair[1]))
    xs = np.array([front[0][0], *(x for x, _ in front), frame.x.high])
    ys = np.array([frame.y.high, *(y for _, y in front), front[-1][1]])
    return stairs(frame, xs, ys, "front-line", "Pareto front")


def _point_title(entry: Entry) -> str:
    samples, flops = (show_score(entry, one).text for one in (entry.samples, entry.flops))
    return f"{entry.submission.title}: samples {samples}, FLOPs {flops}"
