"""`pytest --synthbench NAME`: the laws of the conformance kit as tests, one for each law.

Loaded by pytest's entry point in every environment that has SynthBench, so it imports nothing
heavy until it is asked for.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from synthbench.testing.examination import Examination
    from synthbench.testing.report import Verdict


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add `--synthbench`."""
    parser.getgroup("synthbench").addoption(
        "--synthbench",
        action="append",
        default=[],
        metavar="NAME",
        help="check a plugin, or a reference such as 'my-task n=20', by SynthBench's laws; "
        "repeatable",
    )


def pytest_collection_modifyitems(session: pytest.Session, items: list[pytest.Item]) -> None:
    """Add one test for each law of everything that was named."""
    names = session.config.getoption("--synthbench")
    if not names:
        return
    from synthbench.errors import SynthbenchError
    from synthbench.registry.registry import installed
    from synthbench.testing.subjects import find_subjects

    try:
        found = [(each.title, each.examination()) for each in find_subjects(installed(), names)]
    except SynthbenchError as error:
        raise pytest.UsageError(str(error)) from None
    for title, examination in found:
        for law in examination.laws:
            name = f"{title}: {law.name}"
            items.append(
                LawItem.from_parent(
                    session,
                    name=name,
                    nodeid=f"synthbench::{name}",
                    examination=examination,
                    law=law.name,
                )
            )


class LawItem(pytest.Item):
    """One law of one subject."""

    def __init__(self, *, examination: Examination, law: str, **rest: Any) -> None:
        """examination: shared by the laws of a subject; law: its name."""
        super().__init__(**rest)
        self._examination, self._law = examination, law

    def runtest(self) -> None:
        """Judge the law; one that cannot be judged, or does not apply, is skipped."""
        from synthbench.testing.report import Status

        verdict = self._examination.verdict(self._law)
        if verdict.status is Status.broken:
            raise LawBrokenError(verdict)
        if verdict.status is not Status.ok:
            pytest.skip(f"{verdict.status.value}: {verdict.seen}")

    def repr_failure(self, excinfo: pytest.ExceptionInfo[BaseException], style: Any = None) -> Any:
        """Advice in place of a traceback through the kit."""
        if isinstance(excinfo.value, LawBrokenError):
            return str(excinfo.value)
        return super().repr_failure(excinfo, style)

    def reportinfo(self) -> tuple[Path, int | None, str]:
        """The subject and its law."""
        return Path("synthbench"), None, self.name


class LawBrokenError(AssertionError):
    """A law does not hold."""

    def __init__(self, verdict: Verdict) -> None:
        """verdict: of the broken law."""
        from synthbench.testing.report import Finding

        law = verdict.law
        super().__init__(Finding(law.name, law.statement, verdict.seen, law.advice).describe())
