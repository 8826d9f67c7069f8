"""A dataset repository on the Hub, through `huggingface_hub`; what fails is one line."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from itertools import islice
from pathlib import Path

from synthbench.errors import ConfigurationError, HubError, explain
from synthbench.leaderboard.submissions.texts import printable

NAME = re.compile(r"[A-Za-z0-9][\w.-]{0,95}/[A-Za-z0-9][\w.-]{0,95}", re.ASCII)
MOST_FILES = 200_000
"""Files of a repository."""
KIND = "dataset"
LOG_IN = "log in with `hf auth login` or set HF_TOKEN"


class HubRepository:
    """One dataset repository, at one revision. Every method raises HubError where it cannot be."""

    def __init__(self, name: str, revision: str | None = None) -> None:
        """name: as USER/NAME; ConfigurationError for another. revision: default: the newest."""
        if not NAME.fullmatch(name) or ".." in name or "--" in name:
            raise ConfigurationError(
                f"--hub must be USER/NAME of a dataset repository, got {printable(name)!r}"
            )
        self.name = name
        self._revision = revision

    def create(self, private: bool) -> None:
        """Make it, unless it is there."""
        from huggingface_hub import HfApi

        with self._said("be made"):
            HfApi().create_repo(self.name, repo_type=KIND, private=private or None, exist_ok=True)

    def sizes(self) -> dict[str, int]:
        """The bytes of every file, by its path; later calls read this same revision."""
        from huggingface_hub import HfApi
        from huggingface_hub.hf_api import RepoFile

        with self._said("be read"):
            api = HfApi()
            self._revision = api.repo_info(self.name, repo_type=KIND, revision=self._revision).sha
            tree = api.list_repo_tree(
                self.name, repo_type=KIND, revision=self._revision, recursive=True
            )
            found = list(islice((each for each in tree), MOST_FILES + 1))
        if len(found) > MOST_FILES:
            raise HubError(f"{self.name} holds more than {MOST_FILES:,} files")
        return {
            each.path: max(each.size, each.lfs.size if each.lfs else 0)
            for each in found
            if isinstance(each, RepoFile)
        }

    def download(self, patterns: Sequence[str], folder: Path) -> None:
        """Fetch the files that match, `*` for anything, into a folder of their own."""
        from huggingface_hub import snapshot_download

        with self._said("be read"), _without_bars():
            snapshot_download(
                self.name,
                repo_type=KIND,
                revision=self._revision,
                allow_patterns=list(patterns),
                local_dir=folder,
            )

    def commit(self, files: Mapping[str, Path | bytes], message: str) -> str:
        """Add or replace files, all in one commit or none; returns its address."""
        from huggingface_hub import CommitOperationAdd, HfApi

        operations = [
            CommitOperationAdd(path, content if isinstance(content, bytes) else str(content))
            for path, content in files.items()
        ]
        with self._said("be written to"), _without_bars():
            done = HfApi().create_commit(
                self.name, operations, repo_type=KIND, commit_message=message
            )
        return str(done.commit_url)

    @contextmanager
    def _said(self, what: str) -> Iterator[None]:
        """Turn whatever the client raises into one line."""
        try:
            yield
        # Its transport is another library in each of its major versions, with errors of its own.
        except Exception as error:
            raise HubError(f"{self.name} cannot {what}: {reason_of(error)}") from error


def reason_of(error: Exception) -> str:
    """What a person can do about an error of `huggingface_hub`, on one line."""
    from huggingface_hub.errors import HfHubHTTPError, OfflineModeIsEnabled

    chain = list(_causes(error))
    if any(isinstance(each, OfflineModeIsEnabled) for each in chain):
        return "HF_HUB_OFFLINE is set"
    answered = next((each for each in chain if isinstance(each, HfHubHTTPError)), None)
    if answered is not None:
        status = answered.response.status_code
        if status in (401, 403):
            return f"it is not there, or you may not ({status}); {LOG_IN}"
        if status == 404:
            return f"there is no such dataset or revision, or it is private; {LOG_IN}"
        return printable(f"the Hub answers {status}: {answered.server_message or 'no reason'}")
    if any("Connect" in type(each).__name__ or "Timeout" in type(each).__name__ for each in chain):
        return "the Hub cannot be reached; is there a network?"
    return printable(explain(chain[-1]))


def _causes(error: BaseException | None) -> Iterator[Exception]:
    """The error, what it was raised from, and so on."""
    while isinstance(error, Exception):
        yield error
        error = error.__cause__ or error.__context__


@contextmanager
def _without_bars() -> Iterator[None]:
    """Without the client's own bars: there is one of ours, or none."""
    from huggingface_hub.utils.tqdm import (
        are_progress_bars_disabled,
        disable_progress_bars,
        enable_progress_bars,
    )

    if are_progress_bars_disabled():
        yield
        return
    disable_progress_bars()
    try:
        yield
    finally:
        enable_progress_bars()
