"""Judging a subject by its laws, so that a fault is found by the law it breaks and no other."""

from __future__ import annotations

import traceback
import warnings
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol

import synthbench
from synthbench.engine.generators import generators_restored
from synthbench.isolation import isolated
from synthbench.registry.fingerprints.own_code import PACKAGES
from synthbench.testing.law import Law, NotApplicable
from synthbench.testing.report import Report, Status, Verdict

CORE = Path(synthbench.__file__).parent


class Trial(Protocol):
    """What laws look at: the subject with what was drawn, built or measured for it."""

    facts: dict[str, str]


@dataclass
class Examination:
    """The laws of one subject; each is judged once, and only if those it needs hold.

    subject: its label.
    """

    subject: str
    laws: Sequence[Law[Any]]
    trial: Trial
    _verdicts: dict[str, Verdict] = field(default_factory=dict)

    def verdict(self, name: str) -> Verdict:
        """How the law of that name stands."""
        if name not in self._verdicts:
            law = next(law for law in self.laws if law.name == name)
            self._verdicts[name] = self._judged(law)
        return self._verdicts[name]

    def verdicts(self) -> Iterator[Verdict]:
        """Every law in its order, judged as it is asked for."""
        for law in self.laws:
            yield self.verdict(law.name)

    def report(self) -> Report:
        """All verdicts and facts."""
        return Report(self.subject, tuple(self.verdicts()), dict(self.trial.facts))

    def _judged(self, law: Law[Any]) -> Verdict:
        for needed in law.needs:
            found = self.verdict(needed)
            if found.status is Status.broken:
                return Verdict(law, Status.not_judged, f"cannot be judged before {needed} holds")
            if found.status is Status.not_judged:
                # What is to be mended first, at the root.
                return Verdict(law, Status.not_judged, found.seen)
        with isolated(), generators_restored(), warnings.catch_warnings():
            warnings.simplefilter("ignore")
            try:
                outcome = law.judge(self.trial)
            except Exception as error:
                outcome = raised(error)
        if isinstance(outcome, NotApplicable):
            return Verdict(law, Status.not_applicable, outcome.reason)
        return Verdict(law, Status.broken, outcome) if outcome else Verdict(law, Status.ok)


def raised(error: Exception) -> str:
    """`it raised ValueError: ... (task.py, line 12, in sample)`, with the message's first line.

    The place is the last one that is neither SynthBench's nor an installed library's.
    """
    lines = str(error).strip().splitlines()
    place = _place(error)
    said = f"it raised {type(error).__name__}" + (f": {lines[0]}" if lines else "")
    return f"{said} ({place})" if place else said


def _place(error: Exception) -> str:
    for frame in reversed(traceback.extract_tb(error.__traceback__)):
        path = Path(frame.filename)
        if path.is_file() and CORE not in path.parents and PACKAGES.isdisjoint(path.parts):
            return f"{path.name}, line {frame.lineno}, in {frame.name}"
    return ""
