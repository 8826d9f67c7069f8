"""A number with its confidence interval."""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict


class Estimate(BaseModel):
    """A value and the ends of its interval; None means beyond the budget."""

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)

    value: float | None
    low: float | None
    high: float | None

    def within(self, least: float, most: float) -> Estimate:
        """The same estimate with an interval that respects the bounds of what is estimated."""
        low = None if self.low is None else max(self.low, least)
        high = None if self.high is None else min(self.high, most)
        return Estimate(value=self.value, low=low, high=high)

    def scaled(self, factor: float) -> Estimate:
        """The same estimate in another unit."""
        ends = (self.value, self.low, self.high)
        value, low, high = (None if end is None else end * factor for end in ends)
        return Estimate(value=value, low=low, high=high)
