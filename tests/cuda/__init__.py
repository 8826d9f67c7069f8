"""What only a CUDA GPU can show: `pytest -m cuda -n 0 tests/cuda`."""
