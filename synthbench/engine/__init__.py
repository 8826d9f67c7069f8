"""The replica engine: R trainings of one module as one set of stacked tensors."""
