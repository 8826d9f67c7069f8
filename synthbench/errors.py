"""Every error a user can cause.

    SynthbenchError
    ├── UnknownNameError      no task, model, probe, launcher, ... of that name
    ├── ConfigurationError    a field that does not exist or a value that is not allowed
    ├── InterfaceError        a model that cannot take the task
    ├── ModelError            a module that fails in its forward or backward pass
    ├── TaskError             a task that fails, or whose batches and references do not fit
    ├── PluginError           a plugin that breaks the contract
    ├── RecordError           a record that is missing, corrupt or does not match its files
    ├── SubmissionError       a leaderboard submission that breaks a rule or was tampered with
    ├── OutputError           a folder that cannot be written, or is in use
    ├── HubError              a repository on the Hub that cannot be reached, read or written
    ├── LaunchError           workers that cannot be started, or are lost again and again
    ├── NothingToDrawError    a picture of something that was not measured
    └── NothingToShowError    a table without a row

The command line prints the message alone and exits with code 2.
"""

from __future__ import annotations

import errno
from collections.abc import Iterable
from difflib import get_close_matches
from typing import TYPE_CHECKING, Any, NamedTuple

if TYPE_CHECKING:
    from pydantic import ValidationError


class SynthbenchError(Exception):
    """Base of all errors that are the user's to mend; the message says how."""


class UnknownNameError(SynthbenchError, LookupError):
    """A name that no plugin has registered."""


class ConfigurationError(SynthbenchError, ValueError):
    """A configuration field that does not exist, or a value that is not allowed."""


class InterfaceError(SynthbenchError, ValueError):
    """A model and a task that do not fit together."""


class ModelError(SynthbenchError, RuntimeError):
    """A module that cannot be built, run or differentiated."""


class TaskError(SynthbenchError, RuntimeError):
    """A task that cannot be sampled or scored, or that contradicts itself."""


class PluginError(SynthbenchError, RuntimeError):
    """A plugin that breaks the plugin contract."""


class RecordError(SynthbenchError, ValueError):
    """A record on disk that cannot be trusted."""


class SubmissionError(SynthbenchError, ValueError):
    """A submission that breaks a rule of its leaderboard, or does not hold together."""


class OutputError(SynthbenchError, OSError):
    """An output folder that cannot be written or is already in use."""


class DiskError(OutputError):
    """A disk to which nothing more can be written, whatever the folder."""


REMEDIES = {
    errno.ENOSPC: "make room",
    errno.EDQUOT: "make room within your quota",
    errno.EFBIG: "raise the limit on the size of files (ulimit -f), or take another folder",
    errno.EROFS: "make the disk writable, or take another folder",
    errno.EACCES: "make the folder writable, or take another",
    errno.EPERM: "make the folder writable, or take another",
    errno.ENOENT: "its folder is not there: make it, or take another",
    errno.EIO: "check the disk, or take another folder",
}
"""What to do where something cannot be written."""
WHOLE_DISK = {errno.ENOSPC, errno.EDQUOT, errno.EROFS, errno.EIO}
"""What does not concern one folder alone."""


def cannot_write(path: object, error: OSError) -> OutputError:
    """What a full disk, a folder that is gone or may not be written is to the one who waits."""
    reason = error.strerror or first_line(error)
    remedy = REMEDIES.get(error.errno or 0, "take another folder")
    kind = DiskError if error.errno in WHOLE_DISK else OutputError
    return kind(f"cannot write {path}: {reason}; {remedy}, then run the same command again")


class FolderInUseError(OutputError):
    """A cell's folder in which another evaluation is at work."""


class HubError(SynthbenchError, OSError):
    """A repository on the Hugging Face Hub that cannot be reached, read or written to."""


class LaunchError(SynthbenchError, RuntimeError):
    """Workers that cannot be started, or are lost again and again."""


class NothingToDrawError(SynthbenchError, ValueError):
    """A picture of something these results do not hold."""


class NothingToShowError(SynthbenchError, ValueError):
    """A table of which no row is left."""


def did_you_mean(word: str, options: Iterable[str]) -> str:
    """The clause `; did you mean "x"?` for the closest option, or an empty string."""
    close = get_close_matches(word, list(options), n=1, cutoff=0.6)
    return f'; did you mean "{close[0]}"?' if close else ""


def first_line(error: Exception) -> str:
    """The first line of an error's message, or the name of its type."""
    lines = str(error).strip().splitlines()
    return lines[0] if lines else type(error).__name__


VMAP_ADVICE = {
    "data-dependent control flow": "`if` or `while` on a tensor's values; choose with torch.where",
    "calling .item() on a Tensor": "`.item()`, `int` or `float` of a tensor; keep it a tensor",
    "accessing `data` under vmap": "`p.data`; use `p` itself, under torch.no_grad",
    "indexing with a boolean mask": "`x[mask]`; choose with torch.where",
}
"""What to do where torch, which asks for an issue in its own tracker, cannot map over replicas."""


def explain(error: Exception) -> str:
    """The type of an error and its first line: a bare KeyError says no more than a name."""
    kind, line = type(error).__name__, first_line(error)
    for phrase, advice in VMAP_ADVICE.items():
        if phrase in line:
            return f"{kind}: {advice}"
    return kind if line == kind else f"{kind}: {line}"


class Mistake(NamedTuple):
    """The first thing that is wrong with some fields, for a message of one line.

    where: path of the field, joined by dots; empty where it is none alone. message: what is wrong,
    without a capital. given: the value that was refused.
    """

    where: str
    message: str
    given: Any


def first_mistake(error: ValidationError) -> Mistake:
    """What pydantic found first."""
    first = error.errors()[0]
    message = first["msg"].removeprefix("Value error, ")
    where = ".".join(str(part) for part in first["loc"])
    return Mistake(where, message[:1].lower() + message[1:], first["input"])
