"""Who hears of an evaluation: the terminal, a notebook, trackers."""
