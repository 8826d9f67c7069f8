"""What a model takes, and which loss it is trained on."""

from __future__ import annotations

import pytest

import synthbench as sb
from synthbench.engine.axis.objective import recipe_loss
from synthbench.errors import ConfigurationError
from synthbench.registry.registry import installed


def test_the_message_names_ports_as_they_are_written() -> None:
    message = (
        r"its output must be Margin or Margins or Value or ClassLogits, the task's is TokenLogits: "
        r"token logits \(vocabulary=3, length=5\)"
    )
    with pytest.raises(sb.InterfaceError, match=message):
        installed().model("mlp").check_accepts(sb.Interface(sb.Tokens(3, 5), sb.TokenLogits(3, 5)))


@pytest.mark.parametrize(
    ("model", "losses", "name"),
    [
        ("mlp", sb.MARGIN_LOSSES, "hinge"),
        ("mlp loss=square", sb.MARGIN_LOSSES, "square"),
        ("mlp", sb.CLASS_LOSSES, "cross-entropy"),
        ("mlp", sb.REGRESSION_LOSSES, "square"),
        ("mlp loss=huber", sb.REGRESSION_LOSSES, "huber"),
        ("mlp loss=none", sb.MARGIN_LOSSES, "hinge"),
        ("mlp loss=logistic", sb.CLASS_LOSSES, "logistic"),
        ("transformer", sb.CLASS_LOSSES, "cross-entropy"),
    ],
)
def test_a_models_own_default_gives_way_to_the_tasks(model: str, losses, name: str) -> None:
    assert installed().model(model).training_loss(losses) == name


def test_a_loss_that_is_asked_for_and_missing_is_refused() -> None:
    task, protocol = installed().task("sparse-parity n=8 k=2"), sb.Protocol(budget=1024)
    sb.Cell(task, installed().model("mlp"), protocol).check()
    with pytest.raises(ConfigurationError, match='has no loss "cross-entropy"'):
        sb.Cell(task, installed().model("mlp loss=cross-entropy"), protocol).check()
    assert recipe_loss(task, installed().model("mlp")) is task.losses()["hinge"]


def test_who_takes_shorter_sequences_says_so() -> None:
    assert installed().model("transformer").takes_shorter
    assert not installed().model("mlp").takes_shorter
