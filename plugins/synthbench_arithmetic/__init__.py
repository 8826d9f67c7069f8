"""Arithmetic on finite groups, of which a share of the table is trained on, as a plugin."""
