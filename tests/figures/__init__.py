"""Tests of synthbench.results.figures."""
