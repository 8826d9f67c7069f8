"""Randomness of a forward pass: torch's random functions answered from the replica's stream."""
