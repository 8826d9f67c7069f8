"""What recurrence carries and attention does not, at the sizes of a CPU.

pytest -m slow tests/paper/test_state_tracking.py
"""

from __future__ import annotations

from pathlib import Path

import pytest

import synthbench as sb

LSTM = "lstm layers=1 width=32 mlp=0 lr=0.003 batch_size=32"
SEEDS = 8


def final(task: str, model: str, budget: int, out: Path, score: str = "accuracy") -> list[float]:
    """A score of every replica at the end of the budget, whether it has solved the task or not."""
    protocol = sb.Protocol(
        seeds=SEEDS, budget=budget, until="budget", evaluation_samples=128, evaluation_batch=128
    )
    settings = sb.Settings(sb.TrainerOptions(accelerator="cpu"))
    result = sb.evaluate(task, model, protocol=protocol, out=out, settings=settings)
    last = {row["replica"]: row for row in result.trajectories}
    found = [float(row[score]) for row in last.values()]
    print(task, model, score, [round(each, 3) for each in sorted(found)])
    return found


@pytest.mark.slow
def test_a_flip_flop_is_remembered_by_an_lstm_and_glitches_in_attention(out: Path) -> None:
    """Liu et al. 2023b: both learn words of 20 symbols, and attention errs on words of 80.

    The threshold at 80 is the accuracy of one that misses one position in fifty.
    """
    task = "automaton machine=flip-flop length=20 longer=[80]"
    attention = "transformer layers=1 width=32 mlp=2 lr=0.003 batch_size=32"
    for model, holds in ((LSTM, True), (attention, False)):
        trained = final(task, model, 32_000, out)
        longer = final(task, model, 32_000, out, "accuracy@length-80")
        assert sum(score > 0.98 for score in trained) >= SEEDS - 1
        assert sum((score > 0.98) == holds for score in longer) >= SEEDS - 1


@pytest.mark.slow
def test_parity_is_carried_to_longer_words_by_an_lstm_and_not_by_attention(out: Path) -> None:
    """Liu et al. 2023: what attention learns of words of 8 symbols is of no use at 32.

    Two were seen to learn it, with 0.985 and 1.0 after 64k samples. One that knows the state
    up to position 8 and nothing after it has 5/8 at 32; an LSTM that misses 1 in 25 is above 0.96.
    Beyond position 8 attention adds embeddings that it was not trained with.
    """
    task = "automaton machine=parity length=8 longer=[32]"
    attention = (
        "transformer layers=3 width=64 heads=4 mlp=2 positions=absolute lr=0.002 weight_decay=0 "
        "batch_size=64"
    )
    for model, budget in ((LSTM, 32_000), (attention, 96_000)):
        assert sum(score > 0.95 for score in final(task, model, budget, out)) >= SEEDS - 1
    carried = final(task, LSTM, 32_000, out, "accuracy@length-32")
    assert sum(score > 0.96 for score in carried) >= SEEDS - 1
    assert max(final(task, attention, 96_000, out, "accuracy@length-32")) < 0.7


@pytest.mark.slow
def test_one_layer_of_attention_does_not_follow_s5(out: Path) -> None:
    """Words of 10 symbols: a look back at 8 is worth 0.86, at 4 it is 0.51."""
    task = "automaton machine=s5 length=10 longer=[]"
    lstm = "lstm layers=1 width=64 mlp=0 lr=0.003 batch_size=32"
    attention = "transformer layers=1 width=64 heads=4 mlp=2 lr=0.003 batch_size=32"
    assert sum(score > 0.96 for score in final(task, lstm, 32_000, out)) >= SEEDS - 1
    assert max(final(task, attention, 32_000, out)) < 0.85
