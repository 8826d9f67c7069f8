"""Laws of paper studies."""
