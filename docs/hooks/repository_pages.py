"""Pages of the site that lie outside `docs/`, and links that are right in both places.

In the repository a page links to files where they lie: `../leaderboards/RULES.md`,
`../synthbench/contracts/task.py`. On the site the first is a page of its own (`PAGES`), any other
file of the repository becomes a page that shows it, a folder one that lists it.
"""

from __future__ import annotations

import ast
import posixpath
import re
from collections.abc import Iterator
from pathlib import Path

from mkdocs.config.defaults import MkDocsConfig
from mkdocs.structure.files import File, Files
from mkdocs.structure.pages import Page

PAGES = {
    "README.md": "index.md",
    "CONTRIBUTING.md": "contributing.md",
    "CHANGELOG.md": "changelog.md",
    "benchmarks/RESULTS.md": "measured.md",
    "leaderboards/README.md": "leaderboards.md",
    "leaderboards/RULES.md": "rules.md",
    "plugins/README.md": "bundled-plugins.md",
}
"""File of the repository -> page of the site."""

LINK = re.compile(r"(?<=\]\()(?![a-z]+:)([^)#\s]+)(#[^)\s]*)?(?=\))")
FENCE = re.compile(r"^(```.*?^```)", re.MULTILINE | re.DOTALL)
LANGUAGES = {
    ".py": "python",
    ".toml": "toml",
    ".yml": "yaml",
    ".json": "json",
    ".md": "markdown",
    ".j2": "html",
}


def on_files(files: Files, config: MkDocsConfig) -> Files:
    """Add the pages from outside `docs/`, and those of every file that a page links to."""
    root = repository(config)
    for source, page in PAGES.items():
        files.append(File.generated(config, page, content=(root / source).read_text()))
    sources = {*PAGES, *(f"docs/{file.src_uri}" for file in files.documentation_pages())}
    linked = {
        target
        for source in sources
        if (root / source).is_file()
        for target in linked_files((root / source).read_text(), source)
        if not is_page(target)
    }
    for target in sorted(linked):
        content = shown(root, target)
        files.append(File.generated(config, source_page(root, target), content=content))
    return files


def on_page_markdown(markdown: str, page: Page, config: MkDocsConfig, files: Files) -> str:
    """Point the links of a page to pages of the site."""
    source = repository_path(page.file.src_uri)
    if source is None:
        return markdown
    root, folder = repository(config), posixpath.dirname(page.file.src_uri)

    def replaced(match: re.Match[str]) -> str:
        target = resolved(match[1], source)
        if not is_page(target):
            found = source_page(root, target)
        elif target.endswith(".ipynb"):
            found = target.removeprefix("docs/").removesuffix(".ipynb") + ".md"
        else:
            found = PAGES.get(target) or target.removeprefix("docs/")
        return posixpath.relpath(found, folder or ".") + (match[2] or "")

    return "".join(
        part if part.startswith("```") else LINK.sub(replaced, part)
        for part in FENCE.split(markdown)
    )


def repository(config: MkDocsConfig) -> Path:
    """The folder of mkdocs.yml."""
    return Path(config.config_file_path).parent


def repository_path(page: str) -> str | None:
    """Where a page of the site lies in the repository; None for a page that shows a file."""
    if page.startswith("source/"):
        return None
    return {page: source for source, page in PAGES.items()}.get(page, f"docs/{page}")


def linked_files(markdown: str, source: str) -> Iterator[str]:
    """Paths in the repository that a page links to."""
    for part in FENCE.split(markdown):
        if not part.startswith("```"):
            yield from (resolved(match[1], source) for match in LINK.finditer(part))


def resolved(link: str, source: str) -> str:
    """The path in the repository to which a file's relative link leads."""
    return posixpath.normpath(posixpath.join(posixpath.dirname(source), link))


def is_page(target: str) -> bool:
    """Whether a file is on the site as it is, or as a page that it is the text of."""
    return target in PAGES or (target.startswith("docs/") and not target.endswith(".py"))


def source_page(root: Path, target: str) -> str:
    """The page that shows a file or lists a folder; MkDocs would hide a name with a dot first."""
    place = f"source/{target.lstrip('.')}"
    return f"{place}/index.md" if (root / target).is_dir() else f"{place}.md"


def shown(root: Path, target: str) -> str:
    """A file in a code block, or a folder's files with the first line of what they say."""
    path = root / target
    title = f"---\nsearch:\n  exclude: true\n---\n\n# `{target}`\n\n"
    if path.is_file():
        language = LANGUAGES.get(path.suffix, "text")
        return f"{title}````{language}\n{path.read_text().rstrip()}\n````\n"
    rows = [f"| `{name}` | {says} |" for name, says in listing(path)]
    return f"{title}| file | |\n| --- | --- |\n" + "\n".join(rows) + "\n"


def listing(folder: Path) -> Iterator[tuple[str, str]]:
    """The files of a folder, Python's with the first line of their docstring."""
    for path in sorted(folder.iterdir()):
        if path.name.startswith((".", "__pycache__")):
            continue
        says = ""
        if path.suffix == ".py":
            says = (ast.get_docstring(ast.parse(path.read_text())) or "").partition("\n")[0]
        yield path.name + ("/" if path.is_dir() else ""), says
