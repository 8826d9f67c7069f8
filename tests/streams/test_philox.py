"""Philox against the known-answer vectors published with Random123 (kat_vectors)."""

import pytest
import torch

from synthbench.streams.philox import keys_of, philox4x32, seed_to_key

VECTORS = [
    (
        "00000000 00000000 00000000 00000000",
        "00000000 00000000",
        "6627e8d5 e169c58d bc57ac4c 9b00dbd8",
    ),
    (
        "ffffffff ffffffff ffffffff ffffffff",
        "ffffffff ffffffff",
        "408f276d 41c83b0e a20bc7c6 6d5451fd",
    ),
    (
        "243f6a88 85a308d3 13198a2e 03707344",
        "a4093822 299f31d0",
        "d16cfe09 94fdcceb 5001e420 24126ea1",
    ),
]


def words(text: str) -> list[torch.Tensor]:
    return [torch.tensor(int(word, 16), dtype=torch.int64) for word in text.split()]


@pytest.mark.parametrize(("counter", "key", "expected"), VECTORS)
def test_known_answers(counter: str, key: str, expected: str) -> None:
    result = philox4x32(tuple(words(counter)), tuple(words(key)))
    assert [f"{int(word):08x}" for word in result] == expected.split()


def test_known_answers_hold_inside_vmap() -> None:
    counters = torch.stack([torch.stack(words(c)) for c, _, _ in VECTORS])
    keys = torch.stack([torch.stack(words(k)) for _, k, _ in VECTORS])
    result = torch.vmap(lambda c, k: torch.stack(philox4x32(tuple(c), tuple(k))))(counters, keys)
    expected = torch.stack([torch.stack(words(e)) for _, _, e in VECTORS])
    assert torch.equal(result, expected)


def test_key_splits_a_64_bit_seed() -> None:
    assert seed_to_key(0x1234_5678_9ABC_DEF0) == (0x9ABC_DEF0, 0x1234_5678)
    assert keys_of([5, 2**32 + 7]).tolist() == [[5, 0], [7, 1]]


@pytest.mark.parametrize("seed", [-1, 2**64])
def test_seed_outside_64_bits_is_refused(seed: int) -> None:
    with pytest.raises(ValueError, match="between 0 and 2\\^64"):
        seed_to_key(seed)


@pytest.mark.parametrize("varied", range(6))
def test_any_one_word_may_carry_an_axis(varied: int) -> None:
    fixed = [*words(VECTORS[2][0]), *words(VECTORS[2][1])]
    values = torch.tensor([0, 1, 0xFFFFFFFF, 0x243F6A88])

    def encrypted(value: torch.Tensor) -> torch.Tensor:
        inputs = [value if place == varied else word for place, word in enumerate(fixed)]
        return torch.stack(philox4x32(tuple(inputs[:4]), tuple(inputs[4:])))

    alone = torch.stack([encrypted(value) for value in values])
    assert torch.equal(torch.vmap(encrypted)(values), alone)
    assert torch.equal(encrypted(values).T, alone)
