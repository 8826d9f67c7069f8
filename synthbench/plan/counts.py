"""Numbers of samples as people write them: 640k, 1.5M."""

from __future__ import annotations

from synthbench.errors import ConfigurationError

SUFFIXES = {"k": 1_000, "M": 1_000_000, "G": 1_000_000_000}


def parse_count(text: str) -> int:
    """`640k`, `1.5M` or `20000` as an integer; ConfigurationError for anything else."""
    number, factor = (text[:-1], SUFFIXES[text[-1]]) if text[-1:] in SUFFIXES else (text, 1)
    try:
        value = float(number.replace("_", "")) * factor
    except ValueError:
        value = -1.0
    if not (1 <= value < 2**63 and value == int(value)):
        raise ConfigurationError(f"{text!r} is not a number of samples such as 20000, 640k or 2M")
    return int(value)
