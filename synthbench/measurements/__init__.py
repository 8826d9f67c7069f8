"""What is measured and not trained: its rows on disk, their table and their pictures."""
