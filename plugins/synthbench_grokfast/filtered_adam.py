"""The step of Grokfast, in front of torch's own."""

from __future__ import annotations

from typing import Any

import torch


class FilteredAdam(torch.optim.Adam):
    """torch's Adam, which is given each gradient with its running mean added."""

    def __init__(
        self, groups: list[dict[str, Any]], filtered: tuple[float, float], **settings: Any
    ) -> None:
        super().__init__(groups, **settings)
        for group in self.param_groups:
            group["alpha"], group["lamb"] = filtered

    @torch.no_grad()
    def step(self, closure: None = None) -> None:  # type: ignore[override]
        """Filter every gradient, then step; the means are kept in the state."""
        means = {}
        for group in self.param_groups:
            for parameter in group["params"]:
                gradient = parameter.grad
                if gradient is None:
                    continue
                before = self.state[parameter].get("slow", gradient)
                means[parameter] = group["alpha"] * before + (1 - group["alpha"]) * gradient
                parameter.grad = gradient + group["lamb"] * means[parameter]
        super().step()
        # Only now: Adam makes its own state where a parameter has none at all.
        for parameter, mean in means.items():
            self.state[parameter]["slow"] = mean
