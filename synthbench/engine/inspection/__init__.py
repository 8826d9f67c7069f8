"""Questions asked of a cell before anything trains."""
