"""Tracking the state of finite automata, as a plugin."""
