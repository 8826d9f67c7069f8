"""What a command line of `synthbench eval` asks for: a study, from flags, a file or both."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from synthbench.plan.protocol_grid import protocol_changes
from synthbench.plan.study.file import StudyFile, study_toml

if TYPE_CHECKING:
    from synthbench.evaluation.studies.study import Study

SUFFIX = ".toml"
"""Of a study file."""


def asked_for(
    named: str | None, flags: Mapping[str, object], protocol: Mapping[str, str]
) -> StudyFile:
    """The study of a command line, whose flags go before what its file says.

    named: a suite, or a study file. flags: field of the study -> what was given, None or nothing
    where it was not. protocol: field of the protocol -> the text of its flag.
    """
    from synthbench.evaluation.studies.reading import flag_of, read_study_file

    protocol_changes(protocol, lambda field, text: f"{flag_of(field)} {text}")
    file = StudyFile()
    if named is not None and (named.endswith(SUFFIX) or Path(named).is_file()):
        file = read_study_file(Path(named))
    elif named is not None:
        file = StudyFile(suite=named)
    given = {key: value for key, value in flags.items() if value not in (None, [])}
    return file.changed({**given, "protocol": protocol})


def print_study(study: Study, file: StudyFile) -> None:
    """Write the file of a study, into whose folder it evaluates wherever the file lies."""
    folder = study.folder
    complete = file.changed({"name": folder.name, "out": str(folder.parent)})
    print(f"# {study.summary()}\n{study_toml(complete)}", end="")
