"""Chains of assignments and retrieval by pointers, as a plugin."""
