"""References of the baselines that several presets share."""

QUADRATIC = (
    "mlp activation=power bias=false loss=square optimizer=adamw lr=0.005 weight_decay=1 "
    "batch_size=full"
)
"""The quadratic network of Gromov 2023 (arXiv:2301.02679), whose width is still to be said."""
POWER = (
    "transformer layers=2 heads=4 width=128 mlp=4 positions=absolute optimizer=adamw lr=0.001 "
    "beta2=0.98 decayed=all clip=none warmup=10 batch_size=512"
)
"""Power et al. 2022, whose weight decay is still to be said: 0 in their code and figure 1."""
ONE_LAYER = (
    "transformer layers=1 heads=4 mlp=4 norm=false positions=absolute optimizer=adamw beta2=0.98 "
    "decayed=all clip=none batch_size=full"
)
"""The architecture of Nanda et al. 2023, whose width and rates are still to be said."""
