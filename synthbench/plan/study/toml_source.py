"""A TOML file that a person wrote, and errors that name its lines."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

from synthbench.errors import ConfigurationError, SynthbenchError
from synthbench.plan.study.toml_lines import KeyPath, holds, line_of

E = TypeVar("E", bound=SynthbenchError)
AT_LINE = re.compile(r"(.*) \(at line (\d+), column \d+\)")
"""How Python's reader says where a mistake is."""


@dataclass(frozen=True)
class TomlSource:
    """The file, its text and its content."""

    path: Path
    text: str
    content: Mapping[str, Any]

    @classmethod
    def read(cls, path: Path) -> TomlSource:
        """Read a file; ConfigurationError, with the line, for one that is not TOML."""
        try:
            text = path.read_text(encoding="utf-8").replace("\r\n", "\n")
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

    def located(self, path: KeyPath, error: E) -> E:
        """The same error of the value at a path, or its nearest parent, with file and line."""
        while not holds(self.content, path):
            path = path[:-1]
        words = ".".join(key for key in path if isinstance(key, str))
        where = f"{self.path}:{line_of(self.text, path)}"
        return type(error)(f"{where}: {words}: {error}" if words else f"{where}: {error}")
