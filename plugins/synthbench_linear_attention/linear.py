"""Linear attention: all pairs of positions at once, or one position at a time."""

from __future__ import annotations

from torch import Tensor, nn

from synthbench_linear_attention.heads import HeadInputs, causal, empty_state, join, outer

EPSILON = 1e-6
"""Added to the normalizer, in which elu + 1 may vanish."""


class LinearAttentionMixer(nn.Module):
    """y_i = sum_{j <= i} f(q_i) . f(k_j) v_j / sum_{j <= i} f(q_i) . f(k_j), f = elu + 1."""

    def __init__(self, width: int, heads: int) -> None:
        """heads: that share the width."""
        super().__init__()
        self.inputs = HeadInputs(width, heads)
        self.output = nn.Linear(width, width, bias=False)

    def forward(self, x: Tensor) -> Tensor:
        """(B, T, width) -> (B, T, width)."""
        query, key, value = self.inputs(x)
        weights = (feature(query) @ feature(key).transpose(-2, -1)) * causal(x.shape[1], query)
        mixed = weights @ value / (weights.sum(-1, keepdim=True) + EPSILON)
        out: Tensor = self.output(join(mixed))
        return out

    def initial_state(self, batch: int) -> tuple[Tensor, Tensor]:
        """S = 0 (B, heads, d, d) and z = 0 (B, heads, 1, d)."""
        matrix = empty_state(self.output.weight, batch, self.inputs.heads, self.inputs.size)
        return matrix, matrix[:, :, :1]

    def step(self, x: Tensor, state: tuple[Tensor, Tensor]) -> tuple[Tensor, tuple[Tensor, Tensor]]:
        """One position of `forward`: x (B, width) and the state before it -> y, new state."""
        query, key, value = self.inputs(x[:, None])
        key = feature(key)
        matrix, total = state[0] + outer(key, value), state[1] + key
        query = feature(query)
        mixed = query @ matrix / ((query * total).sum(-1, keepdim=True) + EPSILON)
        return self.output(join(mixed)[:, 0]), (matrix, total)


def feature(x: Tensor) -> Tensor:
    """elu(x) + 1, which is positive."""
    return nn.functional.elu(x) + 1
