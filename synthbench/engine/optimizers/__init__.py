"""One step of the optimizers of all replicas."""
