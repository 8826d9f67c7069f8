"""Pages beside the boards, in folders of their own."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True)
class Section:
    """Pages beside the boards, to which the first page leads.

    folder: of all of them, in which `index.html` is the first. pages: their contents by path in it.
    """

    title: str
    says: str
    folder: str
    pages: Mapping[str, str]

    @property
    def href(self) -> str:
        """Of its first page."""
        return f"{self.folder}/index.html"
