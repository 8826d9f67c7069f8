"""What a person sees of cells in a terminal or a notebook: progress, tables, results."""
