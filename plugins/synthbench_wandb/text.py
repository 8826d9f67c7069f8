"""Words for a report: Markdown in which a submission's text can only ever be text."""

from __future__ import annotations

import re
from collections.abc import Sequence
from urllib.parse import quote

LINK_SAFE = ":/?#@!$&+,;=%-._~"


def escape(text: str) -> str:
    """A text as Markdown that shows it and does nothing else.

    Everything but letters, digits and spaces becomes a character reference, which neither
    Markdown nor HTML takes for markup; so no address becomes a link, either.
    """
    return "".join(
        c if c.isalnum() or not c.isascii() else " " if c.isspace() else f"&#{ord(c)};"
        for c in text
    )


def link(text: str, address: str) -> str:
    """A Markdown link whose text is escaped and whose address cannot end early."""
    return f"[{escape(text)}]({quote(address, safe=LINK_SAFE).replace('&', '&amp;')})"


def table(headings: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """A Markdown table of cells that are Markdown already."""
    lines = [headings, ["---"] * len(headings), *rows]
    return "\n".join(f"| {' | '.join(cells)} |" for cells in lines)


def interval(value: str, ends: str) -> str:
    """`0.88 (0.65 to 1.00)` from what `format_estimate` returns, without Markdown's brackets."""
    return f"{value} ({ends.strip('[]').replace(', ', ' to ')})" if ends else value


def filter_key(label: str) -> str:
    """A label as one word: W&B's filter language doubles every equals sign, even in a text."""
    return re.sub(r"[^a-z0-9.+]+", "-", label.lower().replace("=", "")).strip("-")
