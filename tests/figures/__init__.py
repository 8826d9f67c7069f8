"""Tests of synthbench.figures."""
