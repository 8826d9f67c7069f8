"""A TOML file that a person wrote, and errors that name its lines."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Collection, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, TypeVar

from pydantic import ValidationError

from synthbench.contracts.frozen import Frozen
from synthbench.errors import ConfigurationError, SynthbenchError, did_you_mean, first_mistake
from synthbench.plan.study.toml_lines import KeyPath, holds, line_of

E = TypeVar("E", bound=SynthbenchError)
M = TypeVar("M", bound=Frozen)
AT_LINE = re.compile(r"(.*) \(at line (\d+), column \d+\)")
"""How Python's reader says where a mistake is."""


@dataclass(frozen=True)
class TomlSource:
    """The file, its text and its content.

    within: where in the file the content stands, for a part of it; empty for all of it.
    """

    path: Path
    text: str
    content: Mapping[str, Any]
    within: tuple[str | int, ...] = ()

    @classmethod
    def read(cls, path: Path) -> TomlSource:
        """Read a file; ConfigurationError, with the line, for one that is not TOML."""
        try:
            # Some editors begin a file with a byte order mark, which TOML does not know.
            text = path.read_text(encoding="utf-8-sig").replace("\r\n", "\n")
            return cls(path, text, tomllib.loads(text))
        except tomllib.TOMLDecodeError as error:
            found = AT_LINE.fullmatch(str(error))
            what, line = (found[1], f":{found[2]}") if found else (str(error), "")
            what = what[:1].lower() + what[1:]
            raise ConfigurationError(f"{path}{line}: this is not TOML: {what}") from None
        except OSError as error:
            raise ConfigurationError(f"cannot read {path}: {error.strerror}") from None
        except UnicodeDecodeError:
            raise ConfigurationError(f"cannot read {path}: it is not text in UTF-8") from None

    def part(self, *path: str | int, without: Collection[str] = ()) -> TomlSource:
        """A table of the file as a source of its own, whose errors name the lines of the file.

        without: keys of the table that are not looked at. Raises ConfigurationError, with the
        line, where there is no table.
        """
        content: Any = self.content
        for key in path:
            content = content[key]
        if not isinstance(content, Mapping):
            raise self.located(path, ConfigurationError(f"{content!r} must be a table"))
        kept = {key: value for key, value in content.items() if key not in without}
        return replace(self, content=kept, within=(*self.within, *path))

    def refuse_keys_beyond(self, known: Collection[str], what: str) -> None:
        """Raise ConfigurationError, with the line, for a key that `what`, a study, has not."""
        for key in self.content:
            if key not in known:
                guess, keys = did_you_mean(key, known), ", ".join(known)
                message = f"{what} has no such key{guess} (keys: {keys})"
                raise self.located((key,), ConfigurationError(message))

    def read_as(self, model: type[M]) -> M:
        """The content as a model; ConfigurationError, with the line, for a value that is wrong."""
        try:
            return model.model_validate(self.content)
        except ValidationError as error:
            place, (_, message, _) = error.errors()[0]["loc"], first_mistake(error)
            raise self.located(place, ConfigurationError(message)) from None

    def located(self, path: KeyPath, error: E) -> E:
        """The same error of the value at a path, or its nearest parent, with file and line."""
        while not holds(self.content, path):
            path = path[:-1]
        whole = [*self.within, *path]
        words = ".".join(key for key in whole if isinstance(key, str))
        where = f"{self.path}:{line_of(self.text, whole)}"
        return type(error)(f"{where}: {words}: {error}" if words else f"{where}: {error}")
