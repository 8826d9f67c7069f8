"""Tests, laid out as the package is."""

import os

# Workers of pytest-xdist share the cores: with several threads each they would wait for one
# another. Before torch is imported, and inherited by the commands that tests run.
if "PYTEST_XDIST_WORKER" in os.environ:
    os.environ.setdefault("OMP_NUM_THREADS", "1")

# What else is installed beside us is not what is tested: other people's plugins stay out, also
# of the commands that tests run. A test that wants some names them, or its own environment does.
os.environ["SYNTHBENCH_PLUGINS"] = "none"
