"""How a picture becomes a file."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from io import BytesIO
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from synthbench.errors import ConfigurationError, first_line
from synthbench.records.atomic import write_atomically

if TYPE_CHECKING:
    from matplotlib.figure import Figure


FORMATS = ("png", "svg", "pdf")


def save_figure(figure: Figure, paths: Sequence[Path]) -> None:
    """Write a figure to each path, atomically, in the format of its suffix."""
    for path in paths:
        write_atomically(path, rendered(figure, path.suffix[1:]))


def rendered(figure: Figure, kind: str, dpi: float | Literal["figure"] = "figure") -> bytes:
    """A figure as a file of a kind such as png; dpi: "figure" for its own.

    Raises ConfigurationError where matplotlib cannot, as with `text.usetex` without LaTeX.
    """
    buffer = BytesIO()
    with explained():
        figure.savefig(buffer, format=kind, dpi=dpi)
    return buffer.getvalue()


@contextmanager
def explained() -> Iterator[None]:
    """What matplotlib cannot draw as a ConfigurationError of one line."""
    try:
        yield
    except RuntimeError as error:
        raise ConfigurationError(f"matplotlib cannot draw: {first_line(error)}") from error
