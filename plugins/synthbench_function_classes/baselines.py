"""Networks that presets of several tasks train."""

SMALL = (
    "transformer mixer=mamba2 layers=2 heads=2 width=16 mlp=2 optimizer=adam lr=0.01 "
    "weight_decay=0 batch_size=64"
)
"""A layer adds up products of an example's x and y, as a step of gradient descent does, and the
convolution brings the two together. Attention has to find both, and took 8 times the samples."""
GARG = (
    "transformer layers=12 heads=8 width=256 mlp=4 positions=absolute optimizer=adam lr=0.0001 "
    "beta2=0.999 weight_decay=0 clip=none batch_size=64"
)
"""The standard network of Garg et al. 2022 (section A.1 and its released code), 500,000 steps."""
