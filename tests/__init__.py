"""Tests, laid out as the package is."""

import os

# Workers of pytest-xdist share the cores: with several threads each they would wait for one
# another. Before torch is imported, and inherited by the commands that tests run.
if "PYTEST_XDIST_WORKER" in os.environ:
    os.environ.setdefault("OMP_NUM_THREADS", "1")
