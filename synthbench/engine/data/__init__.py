"""Samples of every replica: fresh ones, finite sets, and what identifies them."""
