"""How a transformer may be told where its tokens are."""

from __future__ import annotations

from typing import Literal

Positions = Literal["relative", "absolute", "rotary"]
