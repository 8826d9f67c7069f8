"""Notebooks of `docs/` as pages: text as it is, code with what it printed and drew."""

from __future__ import annotations

import html
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from mkdocs.config.defaults import MkDocsConfig
from mkdocs.structure.files import File, Files


def on_files(files: Files, config: MkDocsConfig) -> Files:
    """Add a page beside every notebook, which stays there to be downloaded."""
    for file in list(files):
        if file.src_uri.endswith(".ipynb") and file.abs_src_path is not None:
            notebook = json.loads(Path(file.abs_src_path).read_text())
            page = file.src_uri.removesuffix(".ipynb") + ".md"
            content = "\n\n".join(paragraphs(notebook, Path(file.src_uri).name))
            files.append(File.generated(config, page, content=content))
    return files


def paragraphs(notebook: dict[str, Any], name: str) -> Iterator[str]:
    """The cells in order; after the first, where to get the notebook itself."""
    for number, cell in enumerate(notebook["cells"]):
        source = joined(cell["source"]).rstrip()
        if cell["cell_type"] == "markdown":
            yield source
        elif cell["cell_type"] == "code" and source:
            yield f"```python\n{source}\n```"
            yield from (shown for output in cell["outputs"] if (shown := output_block(output)))
        if number == 0:
            yield f'<p><a href="{name}" download>This page as a notebook</a></p>'


def output_block(output: dict[str, Any]) -> str:
    """One output, in the richest of its forms that a page can show; empty for none."""
    if output["output_type"] == "stream":
        return framed(f"<pre>{html.escape(joined(output['text']).rstrip())}</pre>")
    data = output.get("data", {})
    if "image/png" in data:
        content = "".join(joined(data["image/png"]).split())
        return framed(f'<img alt="" src="data:image/png;base64,{content}">')
    for kind in ("image/svg+xml", "text/html"):
        if kind in data:
            return framed(joined(data[kind]))
    if "text/markdown" in data:
        return joined(data["text/markdown"])
    if "text/plain" in data:
        return framed(f"<pre>{html.escape(joined(data['text/plain']))}</pre>")
    return ""


def framed(content: str) -> str:
    """Raw HTML that Markdown leaves alone: in one block, without an empty line."""
    lines = [line or "&#8203;" for line in content.splitlines()]
    return '<div class="nb-output">' + "\n".join(lines) + "</div>"


def joined(text: str | list[str]) -> str:
    """Notebooks keep text as a string or as a list of lines."""
    return text if isinstance(text, str) else "".join(text)
