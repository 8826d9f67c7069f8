"""Training as if nobody else were in the process: its switches of torch, and its turn."""

from synthbench.isolation.isolated import isolated as isolated
