"""SynthBench measures how models learn, not only whether they learn.

The public names are listed in `__init__.pyi`; each is imported when it is first used, so that
`import synthbench` is cheap.
"""

import os

from lazy_loader import attach_stub

from synthbench.version import __version__ as __version__

# By default MKL's sums depend on where in memory a matrix lies, hence a replica's last bits on
# its place in the stack. In this mode they do not; it must be set before torch first multiplies.
os.environ.setdefault("MKL_CBWR", "AUTO")

_load, __dir__, __all__ = attach_stub(__name__, __file__)


def __getattr__(name: str) -> object:
    if name not in __all__:
        raise AttributeError(f"module 'synthbench' has no attribute {name!r}")
    return _load(name)
