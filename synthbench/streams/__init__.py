"""Counter-based random streams: every number is a function of (seed, purpose, counter)."""

from synthbench.streams.philox import keys_of, philox4x32
from synthbench.streams.purpose import Purpose
from synthbench.streams.stream import Stream, seed_word

__all__ = ["Purpose", "Stream", "keys_of", "philox4x32", "seed_word"]
