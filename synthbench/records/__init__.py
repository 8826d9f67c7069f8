"""Records: a cell's result on disk, written atomically, hashed, and read back with care."""

from synthbench.plan.suite_reference import SuiteReference
from synthbench.records.reading import read_record
from synthbench.records.schema import Record

__all__ = ["Record", "SuiteReference", "read_record"]
