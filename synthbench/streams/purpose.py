"""What a random number is for; each purpose has a stream of its own."""

from __future__ import annotations

from enum import IntEnum


class Purpose(IntEnum):
    """The streams of one replica.

    Separate purposes let initialization and data noise be varied independently: a replica's
    training data do not change when only its `init` seed does.
    """

    INIT = 0
    WORLD = 1
    TRAIN = 2
    EVAL = 3
    PROBE = 4
    NOISE = 5
    """Dropout masks; keyed by the `train` seed."""
    TEST = 6
    """The test split of an exported data set."""
    SHUFFLE = 7
    """The order of a finite training set; keyed by the `train` seed."""
    OPTIMIZER = 8
    """What an optimizer draws in its step; keyed by the `train` seed."""
