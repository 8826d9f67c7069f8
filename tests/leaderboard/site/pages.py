"""Reading the pages of a site back: elements, links and tables, by the standard parser."""

from __future__ import annotations

from dataclasses import dataclass, field
from html.parser import HTMLParser
from pathlib import Path

VOID = {"meta", "link", "input", "br", "img"}


@dataclass
class Element:
    """An element with its attributes and all the text inside it."""

    tag: str
    attributes: dict[str, str]
    text: str = ""
    inside: list[Element] = field(default_factory=list)

    def find(self, tag: str) -> list[Element]:
        """Elements of that tag inside it, in their order."""
        found = []
        for child in self.inside:
            found += [child] * (child.tag == tag) + child.find(tag)
        return found


class Page(HTMLParser):
    """A parsed page; unbalanced tags are an error."""

    def __init__(self, path: Path) -> None:
        super().__init__()
        self.path = path
        self.root = Element("", {})
        self._open = [self.root]
        self.elements: list[Element] = []
        self.feed(path.read_text(encoding="utf-8"))
        self.close()
        assert len(self._open) == 1, f"{path}: <{self._open[-1].tag}> is not closed"

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        element = Element(tag, {name: value or "" for name, value in attrs})
        self.elements.append(element)
        self._open[-1].inside.append(element)
        if tag not in VOID:
            self._open.append(element)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.handle_starttag(tag, attrs)
        if tag not in VOID:
            self.handle_endtag(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self._open[-1].tag == tag, f"{self.path}: </{tag}> closes <{self._open[-1].tag}>"
        self._open.pop()

    def handle_data(self, data: str) -> None:
        for element in self._open:
            element.text += data

    def ids(self) -> set[str]:
        """Every id on the page; each once."""
        found = [e.attributes["id"] for e in self.elements if "id" in e.attributes]
        assert len(found) == len(set(found))
        return set(found)

    def links(self) -> list[str]:
        """Where its links lead."""
        return [e.attributes["href"] for e in self.elements if e.tag == "a"]

    def table(self, name: str) -> list[list[str]]:
        """The body of the table with that id or caption, as texts with single spaces."""
        (found,) = (
            table
            for table in self.root.find("table")
            if table.attributes.get("id") == name
            or any(caption.text.startswith(name) for caption in table.find("caption"))
        )
        (body,) = found.find("tbody")
        return [
            [" ".join(cell.text.split()) for cell in row.inside if cell.tag in ("td", "th")]
            for row in body.find("tr")
        ]


def read_site(folder: Path) -> dict[str, Page]:
    """Every page by its path in the site."""
    return {str(p.relative_to(folder)): Page(p) for p in sorted(folder.rglob("*.html"))}
