"""What an author writes: tasks, models with recipes, optimizers, probes, and what they share."""
