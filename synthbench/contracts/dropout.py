"""`Dropout`, kept for plugins that were written when torch's own was refused."""

from __future__ import annotations

from torch import nn

Dropout = nn.Dropout
"""`torch.nn.Dropout`: the engine draws its masks from the replica's own stream."""
