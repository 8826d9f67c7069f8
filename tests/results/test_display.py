"""What Python and a notebook show of results: texts escaped, tables whole, pictures once."""

from __future__ import annotations

import re
import xml.etree.ElementTree as ET
from base64 import b64decode
from dataclasses import replace
from io import BytesIO
from pathlib import Path

import pytest
from IPython.core.formatters import DisplayFormatter
from PIL import Image

import synthbench as sb
from synthbench.metrics.formatting import format_time_to_target
from synthbench.registry.registry import installed
from synthbench.results.measured_cell import MeasuredCell
from synthbench.results.results import Comparisons

HOSTILE = '<script>alert("x")</script> & $x^2$ [bold]'


@pytest.fixture(scope="module")
def results(tmp_path_factory: pytest.TempPathFactory) -> sb.Results:
    registry = installed()
    protocol = sb.Protocol(budget=12_800, seeds=6, evaluation_samples=256)
    cells = [
        sb.Cell(registry.task("sparse-parity n=10 k=2"), registry.model(model), protocol)
        for model in ("mlp width=16", "mlp width=64 optimizer=adam lr=0.01")
    ]
    settings = sb.Settings(sb.TrainerOptions(accelerator="cpu"), replicas_per_block=6)
    return sb.evaluate_cells(cells, tmp_path_factory.mktemp("runs"), settings)


@pytest.fixture(scope="module")
def html(results: sb.Results) -> str:
    """Drawn once: what is displayed is a picture and a table."""
    return results._repr_html_()


@pytest.fixture(scope="module")
def hostile(results: sb.Results) -> sb.Results:
    """The same cells, named by someone who means harm."""
    return sb.Results(
        [
            sb.CellResult(
                MeasuredCell(
                    cell.record.model_copy(update={"model": f"{n} {HOSTILE}", "task": HOSTILE}),
                    cell.folder,
                ),
                reused=True,
            )
            for n, cell in enumerate(results)
        ]
    )


def parsed(html: str) -> ET.Element:
    """HTML that is XML too: every tag is closed, every attribute quoted, every text escaped."""
    return ET.fromstring(
        "<all>" + html.replace("<br>", "<br/>").replace('px">', 'px"/>') + "</all>"
    )


def rows_of(html: str) -> list[list[str]]:
    rows = parsed(html).iter("tr")
    return [["|".join(cell.itertext()) for cell in row] for row in rows]


def test_the_table_holds_the_numbers_of_the_record(results: sb.Results, html: str) -> None:
    heading, *rows = rows_of(html)
    assert heading == [
        "width", "optimizer", "lr", "solved", "samples to target", "steps", "FLOPs", "accuracy",
        "time", "parameters", "FLOPs per sample",
    ]  # fmt: skip
    # What differs has a column, the default too; what does not is said once.
    assert [row[:3] for row in rows] == [["16", "sgd", "0.1"], ["64", "adam", "0.01"]]
    assert "<strong>mlp on sparse-parity n=10 k=2</strong> 6 replicas" in html
    for row, cell in zip(rows, results, strict=True):
        summary = cell.record.summary
        assert row[3].startswith(f"{summary.solved}/{summary.replicas}|[")
        value, interval = format_time_to_target(summary.samples_to_target, 12_800)
        assert row[4] == f"{value}|{interval}"


def test_the_picture_is_inline_and_opaque(html: str) -> None:
    (picture,) = parsed(html).iter("img")
    image = Image.open(BytesIO(b64decode(picture.attrib["src"].partition("base64,")[2])))
    assert image.format == "PNG" and image.width == int(picture.attrib["width"]) == 720
    # Dark text on its own white ground, whatever is around it.
    assert image.convert("RGBA").getpixel((2, 2)) == (255, 255, 255, 255)
    assert len(picture.attrib["src"]) < 150_000


def test_nothing_takes_a_colour_from_a_light_or_a_dark_page(results: sb.Results, html: str) -> None:
    html += results.compare()._repr_html_()
    table = re.sub(r"<img[^>]*>", "", html)
    assert set(re.findall(r"(?<![-\w])(?:color|background)[^;\"]*", table)) == {"color: inherit"}
    assert "<style" not in html and "<script" not in html


def test_every_text_is_escaped(hostile: sb.Results) -> None:
    shown = hostile._repr_html_()
    for html in (shown, hostile.compare()._repr_html_()):
        assert not list(parsed(html).iter("script")), "it parses, and there is no such element"
        assert any(HOSTILE in text for text in parsed(html).itertext())
    (picture,) = parsed(shown).iter("img")
    assert HOSTILE in picture.attrib["alt"]
    assert HOSTILE.split()[0] in repr(hostile).replace("\n", ""), "Rich takes nothing for markup"


def test_the_text_is_the_table_of_the_terminal(results: sb.Results) -> None:
    text = repr(results)
    assert text.startswith("mlp on sparse-parity n=10 k=2  6 replicas, budget 12.8k samples")
    assert max(map(len, text.splitlines())) <= 80 and "\x1b" not in text
    assert all(line == line.rstrip() for line in text.splitlines())
    for cell in results:
        summary = cell.record.summary
        assert f"{summary.solved}/{summary.replicas}" in text


def test_one_cell_is_one_line(results: sb.Results) -> None:
    text = repr(results[0])
    assert text.startswith(
        "<CellResult: mlp width=16 on sparse-parity n=10 k=2, 6/6 solved, median"
    )
    assert str(results[0].folder) in text and "\n" not in text


def test_a_result_without_its_trajectories_still_shows_its_table(
    results: sb.Results, tmp_path: Path
) -> None:
    gone = replace(results[0], measured=MeasuredCell(results[0].record, tmp_path / "gone"))
    html = gone._repr_html_()
    assert rows_of(html)[1][0].startswith("6/6") and "no picture" in html
    assert "mlp width=16 on sparse-parity n=10 k=2" in html
    assert not list(parsed(html).iter("img"))


def test_nothing_is_shown_as_nothing() -> None:
    assert repr(sb.Results([])) == "no cells" and "no cells" in sb.Results([])._repr_html_()
    assert "nothing to compare" in Comparisons()._repr_html_()
    assert "nothing to compare" in repr(Comparisons())


def test_comparisons_are_readable(results: sb.Results) -> None:
    compared = results.compare()
    (one,) = compared
    _, row = rows_of(compared._repr_html_())
    assert row[0] == "mlp width=16 optimizer=sgd lr=0.1", "a default that differs is said"
    assert (
        "comparisons against mlp width=64 optimizer=adam lr=0.01 on sparse-parity n=10 k=2 "
        "(paired seeds)" in compared._repr_html_()
    )
    ratio, interval = sb.format_estimate(one.comparison.ratio_of_medians)
    assert row[1] == f"{ratio}|{interval}"
    assert repr(compared) == repr(one) and f"ratio of medians {ratio} {interval}" in repr(one)


def test_metrics_are_listed_by_the_names_of_their_attributes(results: sb.Results) -> None:
    metrics = results[0].metrics
    lines = repr(metrics).splitlines()
    value, interval = sb.format_estimate(metrics.regret)
    assert f"{'regret':<36}{value} {interval}" in lines
    names = {line.split()[0].split("[")[0] for line in lines[1:] if not line.startswith(" ")}
    assert names <= set(vars(metrics)) and {"reached", "transitions", "near"} <= names
    shapes = {line.split()[0][1:] for line in lines if line.startswith("  .")}
    assert shapes == set(type(metrics.transitions).model_fields) - {"completed"}


def test_a_board_shows_its_ranking() -> None:
    board = sb.read_board("quickstart")
    _, *rows = rows_of(board._repr_html_())
    assert [row[1] for row in rows] == [entry.submission.title for entry in board.entries]
    assert all(entry.submission.title in repr(board) for entry in board.entries)
    assert len(repr(board)) < 1000


def test_ipython_shows_a_figure_once_without_pyplot(results: sb.Results) -> None:
    figure = results.plot("survival")
    data, _ = DisplayFormatter().format(figure)
    assert set(data) == {"text/plain", "image/png"}
    raw = (
        data["image/png"] if isinstance(data["image/png"], bytes) else b64decode(data["image/png"])
    )
    width, height = Image.open(BytesIO(raw)).size
    assert width == 720 and 400 < height < 520
    data, _ = DisplayFormatter().format(results)
    assert set(data) == {"text/plain", "text/html"}
