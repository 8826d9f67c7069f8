"""What is said of torch's switches."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
import torch

from synthbench.isolation.settings import changed_settings, in_tf32


@pytest.fixture
def precisions() -> Iterator[None]:
    """The switches of TF32, put back afterwards."""
    matmul, convolution = torch.backends.cuda.matmul.allow_tf32, torch.backends.cudnn.allow_tf32
    yield
    torch.backends.cuda.matmul.allow_tf32 = matmul
    torch.backends.cudnn.allow_tf32 = convolution


def test_tf32_is_that_of_torchs_switches(precisions: None) -> None:
    assert in_tf32() == ("convolution",), "torch's default"
    assert not {"tf32_matmul", "tf32_convolution"} & changed_settings().keys()
    torch.set_float32_matmul_precision("high")
    torch.backends.cudnn.allow_tf32 = False
    assert in_tf32() == ("matmul",)
    found = changed_settings()
    assert found["tf32_matmul"] is True and found["tf32_convolution"] is False
    torch.set_float32_matmul_precision("highest")
    assert in_tf32() == ()
