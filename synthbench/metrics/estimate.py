"""A number with its confidence interval."""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict


class Estimate(BaseModel):
    """A value and the ends of its interval; None means beyond the budget."""

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)

    value: float | None
    low: float | None
    high: float | None

    def scaled(self, factor: float) -> Estimate:
        """The same estimate in another unit."""
        ends = (self.value, self.low, self.high)
        value, low, high = (None if end is None else end * factor for end in ends)
        return Estimate(value=value, low=low, high=high)
