"""What a module keeps in plain attributes, taken from one and given to another."""

from __future__ import annotations

import torch
from torch import nn

import synthbench as sb
from synthbench.engine.axis.attributes import attributes_of, changed, set_attributes


class Counter(nn.Module):
    """Counters, and what it was built for."""

    def __init__(self) -> None:
        super().__init__()
        self.interface = sb.Interface(sb.Signs(3), sb.Margin())
        self.calls = 0
        self.seen = {"tokens": [1, 2], "last": torch.zeros(2)}


def test_a_fresh_module_takes_them_over_though_some_cannot_be_assigned() -> None:
    old, new = Counter(), Counter()
    old.calls, old.seen["tokens"] = 3, [1, 5, 7]
    old.seen["last"] += 1
    saved = attributes_of(old)
    assert sorted(changed(attributes_of(new), saved)) == [
        ":calls",
        ":seen/last",
        ":seen/tokens/1",
        ":seen/tokens/2",
    ]
    set_attributes(new, saved)
    assert not changed(attributes_of(new), saved)
    assert new.interface.input == sb.Signs(3)
