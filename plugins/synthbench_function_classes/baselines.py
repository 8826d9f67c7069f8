"""Transformers that presets of several tasks train."""

SMALL = (
    "transformer layers=2 heads=2 width=32 mlp=2 optimizer=adam lr=0.003 weight_decay=0 "
    "batch_size=32"
)
"""Learns in about a minute at d of 2 or 3."""
GARG = (
    "transformer layers=12 heads=8 width=256 mlp=4 positions=absolute optimizer=adam lr=0.0001 "
    "beta2=0.999 weight_decay=0 clip=none batch_size=64"
)
"""The standard network of Garg et al. 2022 (section A.1 and its released code), 500,000 steps."""
