"""One tidy table of finished cells: what they were, and what was measured."""
