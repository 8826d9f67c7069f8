"""A listener for tests."""

from __future__ import annotations

from synthbench.listeners.listener import Silent


class Notes(Silent):
    """Keeps what it is told."""

    def __init__(self) -> None:
        self.messages: list[str] = []

    def note(self, message: str) -> None:
        self.messages.append(message)
