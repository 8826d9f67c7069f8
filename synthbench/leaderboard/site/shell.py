"""What all pages share: templates, style, scripts, and a policy that allows nothing else."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import lru_cache
from importlib.resources import files
from types import MappingProxyType

from jinja2 import ChoiceLoader, Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

from synthbench.version import __version__

PACKAGE = "synthbench.leaderboard.site"


@dataclass(frozen=True)
class Asset:
    """A style sheet or script that is written into the page, and its hash for the policy."""

    content: Markup
    hash: str


@lru_cache(maxsize=2)
def environment(package: str = PACKAGE) -> Environment:
    """The templates. Whatever they print is escaped; an unknown name is an error.

    package: whose templates there are, beside those that all pages share.
    """
    made = Environment(
        loader=ChoiceLoader([PackageLoader(each, "templates") for each in (package, PACKAGE)]),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    style, theme, tables = (read_asset(n) for n in ("site.css", "theme.js", "tables.js"))
    made.globals.update(
        style=style.content,
        theme=theme.content,
        tables=tables.content,
        policy=content_policy(style, theme, tables),
        version=__version__,
    )
    return made


def read_asset(name: str) -> Asset:
    """One of our own files; it must not end the element that it is written into."""
    text = (files(PACKAGE) / "assets" / name).read_text(encoding="utf-8")
    if "</" in text:
        raise ValueError(f"{name} must not contain </")
    digest = base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()
    return Asset(Markup(text), f"'sha256-{digest}'")


def content_policy(style: Asset, *scripts: Asset) -> str:
    """A content security policy: these assets, images inside the page, and nothing else.

    Hashes, unlike 'self', mean the same to every browser when a page is opened from disk.
    """
    return (
        f"default-src 'none'; style-src {style.hash}; "
        f"script-src {' '.join(script.hash for script in scripts)}; "
        "img-src data:; base-uri 'none'; form-action 'none'"
    )


def render(
    template: str,
    view: object,
    package: str = PACKAGE,
    functions: Mapping[str, Callable[..., str]] = MappingProxyType({}),
) -> str:
    """A page from its template.

    view: what the template calls `view`. package: as of `environment`. functions: of this page
    alone, by the names that the template calls.
    """
    return environment(package).get_template(template).render(view=view, **functions)
