"""What an examination found: verdicts, findings that read like advice, facts."""

from __future__ import annotations

import textwrap
from collections.abc import Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from synthbench.errors import SynthbenchError
from synthbench.testing.law import Law


class Status(StrEnum):
    """How a law stands for a subject."""

    ok = "ok"
    broken = "broken"
    not_judged = "not judged"
    """A law that it needs is broken."""
    not_applicable = "does not apply"


@dataclass(frozen=True)
class Verdict:
    """One law, how it stands, and what was seen or why it was not judged."""

    law: Law[Any]
    status: Status
    seen: str = ""


@dataclass(frozen=True)
class Finding:
    """One broken law: what it says, what was seen, what to change."""

    law: str
    statement: str
    seen: str
    advice: str

    def describe(self) -> str:
        """The finding as a few lines of advice, at most 80 columns wide."""
        lines = [f"{self.law}: {self.statement}", f"seen: {self.seen}", f"change: {self.advice}"]
        return "\n".join(
            textwrap.fill(
                line, 78, initial_indent=indent, subsequent_indent="    ", break_long_words=False
            )
            for line, indent in zip(lines, ("", "  ", "  "), strict=True)
        )


@dataclass(frozen=True)
class Report:
    """Every verdict about one subject, and facts that are measured but never judged."""

    subject: str
    verdicts: tuple[Verdict, ...]
    facts: dict[str, str] = field(default_factory=dict)

    @property
    def findings(self) -> list[Finding]:
        """The broken laws."""
        return [
            Finding(v.law.name, v.law.statement, v.seen, v.law.advice)
            for v in self.verdicts
            if v.status is Status.broken
        ]

    def raise_if_broken(self) -> None:
        """Raise ConformanceError unless every law that was judged holds."""
        if self.findings:
            raise ConformanceError(self.subject, self.findings)


class ConformanceError(SynthbenchError, AssertionError):
    """Laws that are broken, each with advice; an AssertionError, so that pytest shows a failure."""

    def __init__(self, subject: str, findings: Sequence[Finding]) -> None:
        """subject: the label of what was examined."""
        self.subject = subject
        self.findings = tuple(findings)
        count = f"{len(findings)} law{'s' * (len(findings) > 1)}"
        advice = "\n\n".join(finding.describe() for finding in findings)
        super().__init__(f"{subject} breaks {count}\n\n{advice}")
