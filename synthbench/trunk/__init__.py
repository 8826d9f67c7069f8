"""Sequence models that differ in one thing: how they mix positions."""
