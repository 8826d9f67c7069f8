"""Values as TOML or Python have them, as the texts that references have."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping

from synthbench.errors import ConfigurationError
from synthbench.plan.field_values import field_value
from synthbench.plan.space import reference_text

BARE = re.compile(r"[^\[\]{}()'\",]+|(log|linear)\([^()]*\)")
"""Words of a list that need no quotes."""
KEY = re.compile(r"[A-Za-z_][\w.]*")


def value_text(value: object) -> str:
    """The text of a value: a string says what it says in a reference, `none`, `log(0.01..1,7)`.

    Raises ConfigurationError for what no field takes, such as a date.
    """
    if isinstance(value, str):
        return value
    if value is None:
        return "none"
    if isinstance(value, bool | int | float):
        return json.dumps(value)
    if isinstance(value, list | tuple):
        return f"[{','.join(map(_in_a_list, value))}]"
    raise ConfigurationError(f"{value!r} is no value of a field; write a number, a word or a list")


def entry_text(entry: object) -> str:
    """The reference that an entry is: its text, or a table of a name and fields.

    A table may stand for an optimizer with fields of its own. Raises ConfigurationError for
    anything else.

    >>> entry_text({"name": "mlp", "width": [50, 100], "lr": "log(0.01..1,7)"})
    'mlp width=[50,100] lr=log(0.01..1,7)'
    """
    if isinstance(entry, str):
        return entry
    if not isinstance(entry, Mapping):
        raise ConfigurationError(
            f"{entry!r} is no reference; write 'mlp width=200', or a table with a name and fields"
        )
    name, fields = _named(entry)
    return reference_text(name, _texts(fields))


def native_value(text: str) -> object:
    """What TOML writes for a text that `value_text` makes of it: a number, a word or a list."""
    value = field_value(text)
    plain = isinstance(value, bool | int | float) or _is_plain_list(value)
    return value if plain and value_text(value) == text else text


def _is_plain_list(value: object) -> bool:
    """Numbers, and lists of them, which TOML writes as they stand."""
    if isinstance(value, list):
        return all(isinstance(each, bool | int | float) or _is_plain_list(each) for each in value)
    return False


def _named(entry: Mapping[str, object]) -> tuple[str, dict[str, object]]:
    fields = dict(entry)
    name = fields.pop("name", None)
    if not isinstance(name, str) or not name:
        raise ConfigurationError('a table needs a name, such as name = "mlp"')
    return name, fields


def _texts(fields: Mapping[str, object]) -> dict[str, str]:
    """Field -> text; a named part's fields come after it, with dots: `optimizer.momentum`."""
    texts: dict[str, str] = {}
    for key, value in fields.items():
        if not KEY.fullmatch(key):
            raise ConfigurationError(f"{key!r} cannot be the name of a field")
        if isinstance(value, Mapping):
            texts[key], own = _named(value)
            texts |= {f"{key}.{field}": text for field, text in _texts(own).items()}
        else:
            texts[key] = value_text(value)
    return texts


def _in_a_list(value: object) -> str:
    """A word that could be read as anything else stands between quotes."""
    text = value_text(value)
    if not isinstance(value, str):
        return text
    read = text if text.lower() == "none" else field_value(text)
    is_itself = read == text and BARE.fullmatch(text) and text == text.strip()
    return text if is_itself else json.dumps(text, ensure_ascii=False)
