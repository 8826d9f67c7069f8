"""The paper study obeys every law of studies."""

from synthbench_example import register_studies

from synthbench import read_paper_study
from synthbench.testing import check_study


def test_every_law() -> None:
    (path,) = register_studies()
    check_study(read_paper_study(path))
