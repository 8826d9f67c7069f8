"""Counter-based random streams: every number is a function of (seed, purpose, counter)."""

from synthbench.streams.noise import NoiseStream, noise_keys
from synthbench.streams.philox import keys_of, philox4x32
from synthbench.streams.purpose import Purpose
from synthbench.streams.stream import Stream, seed_word

__all__ = [
    "NoiseStream",
    "Purpose",
    "Stream",
    "keys_of",
    "noise_keys",
    "philox4x32",
    "seed_word",
]
