"""Claims of papers: what was said, what was measured, and the verdict with its interval.

The public names are listed in `__init__.pyi`; each is imported when it is first used.
"""

from lazy_loader import attach_stub

__getattr__, __dir__, __all__ = attach_stub(__name__, __file__)
