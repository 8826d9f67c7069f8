"""A named setting of a task, with a model that was seen to learn it there."""

from __future__ import annotations

from typing import NamedTuple


class Preset(NamedTuple):
    """Fields of a task under a name, written behind the task's: `'sparse-parity small'`.

    fields: as in a reference, `n=20 k=3`; what is written behind the name goes before them.
    model: a reference of the baseline, which is trained where no model is named, with the
    probes. budget: training samples of a replica; train_samples: how many different ones, where
    they are few; evaluation_samples: held-out ones. They hold for any model, unless the protocol
    names its own.
    """

    fields: str = ""
    model: str | None = None
    budget: int | None = None
    probes: tuple[str, ...] = ()
    train_samples: int | None = None
    evaluation_samples: int | None = None

    def protocol(self) -> dict[str, int]:
        """The fields of a protocol that it sets."""
        own = {
            "budget": self.budget,
            "train_samples": self.train_samples,
            "evaluation_samples": self.evaluation_samples,
        }
        return {key: value for key, value in own.items() if value is not None}
