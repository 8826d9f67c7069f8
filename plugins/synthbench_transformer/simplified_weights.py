"""What the two parameters of the simplified transformer have become."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, ClassVar

from pydantic import Field

from synthbench import Probe, View

if TYPE_CHECKING:
    from torch import Tensor


class SimplifiedWeights(Probe):
    """The diagonal of W_k against the rest, and the first entries of v.

    Training has two phases (E. Edelman et al. 2024, section 4): W_k gains its diagonal first, then
    v_2, the previous token, dominates the profile v.
    """

    name: ClassVar[str] = "simplified-weights"
    paper: ClassVar[str] = "E. Edelman et al. 2024, arXiv:2402.11004"

    entries: int = Field(default=3, ge=2)
    """Leading entries of v to report; v1 belongs to the token itself."""

    def measure(self, view: View) -> Mapping[str, Tensor]:
        """`diagonal` and `off-diagonal`, the means over W_k, and `v1`, `v2`, ... of v."""
        if set(view.parameters) != {"key", "profile.distance"}:
            raise ValueError("it reads the parameters of simplified-transformer alone")
        key = view.parameters["key"]
        size = key.shape[0]
        diagonal = key.diagonal().sum()
        found = {
            "diagonal": diagonal / size,
            "off-diagonal": (key.sum() - diagonal) / (size * (size - 1)),
        }
        v = view.record(view.parameters, view.batch.x[:1]).outputs["profile"]
        return found | {f"v{i + 1}": v[i] for i in range(min(self.entries, v.shape[0]))}
