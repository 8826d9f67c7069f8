"""Switches of torch that are the user's to choose, and go into the record."""

from __future__ import annotations

from collections.abc import Callable
from typing import Literal

import torch
from torch import backends


def _flushes_denormal() -> bool:
    """Whether numbers too small for full precision become 0; torch has no word on it."""
    return bool(torch.tensor(1e-40) * 1.0 == 0)


def _matmul_in_tf32() -> bool:
    """By the newer switch, which the older `allow_tf32` moves too."""
    return bool(backends.cuda.matmul.fp32_precision == "tf32")


def _convolution_in_tf32() -> bool:
    precision: str = backends.cudnn.conv.fp32_precision  # type: ignore[attr-defined]
    return precision == "tf32"


SETTINGS: dict[str, tuple[Callable[[], object], bool]] = {
    "deterministic_algorithms": (torch.are_deterministic_algorithms_enabled, False),
    "flush_denormal": (_flushes_denormal, False),
    "mkldnn": (lambda: backends.mkldnn.enabled, True),
    "mkldnn_deterministic": (lambda: backends.mkldnn.deterministic, False),
    "attention_fastpath": (backends.mha.get_fastpath_enabled, True),
    "flash_attention": (backends.cuda.flash_sdp_enabled, True),
    "efficient_attention": (backends.cuda.mem_efficient_sdp_enabled, True),
    "math_attention": (backends.cuda.math_sdp_enabled, True),
    "cudnn_attention": (backends.cuda.cudnn_sdp_enabled, True),
    "cudnn": (lambda: backends.cudnn.enabled, True),
    "cudnn_benchmark": (lambda: backends.cudnn.benchmark, False),
    "cudnn_deterministic": (lambda: backends.cudnn.deterministic, False),
    "tf32_matmul": (_matmul_in_tf32, False),
    "tf32_convolution": (_convolution_in_tf32, True),
}
"""Name -> its present value, and torch's default."""


def changed_settings() -> dict[str, bool]:
    """The switches that choose other kernels or roundings than torch's defaults, by name."""
    now = {name: (bool(read()), default) for name, (read, default) in SETTINGS.items()}
    return {name: value for name, (value, default) in now.items() if value != default}


def in_tf32() -> tuple[Literal["matmul", "convolution"], ...]:
    """What CUDA computes in TF32, whose fraction has 10 bits, where numbers are float32."""
    found: list[Literal["matmul", "convolution"]] = []
    if _matmul_in_tf32():
        found.append("matmul")
    if _convolution_in_tf32():
        found.append("convolution")
    return tuple(found)
