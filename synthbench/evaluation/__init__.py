"""From a plan to records on disk: the order of things."""
