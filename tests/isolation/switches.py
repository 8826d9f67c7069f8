"""What a caller can have switched in torch, each in a context of its own."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager

import torch
from torch import backends


@contextmanager
def _set(change: Callable[[], object], back: Callable[[], object]) -> Iterator[None]:
    change()
    try:
        yield
    finally:
        back()


def _dtype(dtype: torch.dtype) -> AbstractContextManager[None]:
    return _set(
        lambda: torch.set_default_dtype(dtype), lambda: torch.set_default_dtype(torch.float32)
    )


def _matmul(precision: str) -> AbstractContextManager[None]:
    def back() -> None:
        torch.set_float32_matmul_precision("highest")
        for switch in (("cuda", "matmul"), ("mkldnn", "matmul")):
            torch._C._set_fp32_precision_setter(*switch, "none")

    return _set(lambda: torch.set_float32_matmul_precision(precision), back)


def _newer(backend: str, operation: str, precision: str) -> AbstractContextManager[None]:
    def set_to(value: str) -> Callable[[], None]:
        return lambda: torch._C._set_fp32_precision_setter(backend, operation, value)

    return _set(set_to(precision), set_to("none"))


SWITCHES: dict[str, Callable[[], AbstractContextManager[object]]] = {
    "autocast": lambda: torch.autocast("cpu", torch.bfloat16),
    "autocast to half": lambda: torch.autocast("cpu", torch.float16),
    "autocast of another device": lambda: _set(
        lambda: torch.set_autocast_enabled("cuda", True),
        lambda: torch.set_autocast_enabled("cuda", False),
    ),
    "medium precision": lambda: _matmul("medium"),
    "high precision": lambda: _matmul("high"),
    "bfloat16 products": lambda: _newer("mkldnn", "matmul", "bf16"),
    "bfloat16 everywhere": lambda: _newer("generic", "all", "bf16"),
    "TF32 everywhere": lambda: _newer("generic", "all", "tf32"),
    "no TF32": lambda: _newer("cuda", "all", "ieee"),
    "double": lambda: _dtype(torch.float64),
    "bfloat16": lambda: _dtype(torch.bfloat16),
    "default device": lambda: _set(
        lambda: torch.set_default_device("meta"), lambda: torch.set_default_device(None)
    ),
    "device context": lambda: torch.device("meta"),
    "no gradients": torch.no_grad,
    "gradients switched off": lambda: _set(
        lambda: torch.set_grad_enabled(False), lambda: torch.set_grad_enabled(True)
    ),
    "inference mode": torch.inference_mode,
    "anomaly detection": lambda: torch.autograd.set_detect_anomaly(True),
    "anomalies but NaN": lambda: torch.autograd.set_detect_anomaly(True, check_nan=False),
}


def switched(name: str) -> AbstractContextManager[object]:
    """The switch of that name, turned; torch is as it comes afterwards."""
    return SWITCHES[name]()


def state() -> dict[str, object]:
    """Every switch of torch that is to be left as it was."""
    precisions = {
        f"{backend} {operation}": torch._C._get_fp32_precision_getter(backend, operation)
        for backend in ("cuda", "mkldnn")
        for operation in ("all", "matmul", "conv", "rnn")
    }
    # What was never set and "ieee" are the same for products.
    full = {name: "none" if value == "ieee" else value for name, value in precisions.items()}
    return full | {
        "generic": backends.fp32_precision,
        "older": _older(),
        "autocast": [torch.is_autocast_enabled(kind) for kind in ("cpu", "cuda")],
        "autocast dtype": [torch.get_autocast_dtype(kind) for kind in ("cpu", "cuda")],
        "dtype": torch.get_default_dtype(),
        "device": torch.empty(0).device.type,
        "grad": torch.is_grad_enabled(),
        "inference": torch.is_inference_mode_enabled(),
        "anomaly": (torch.is_anomaly_enabled(), torch.is_anomaly_check_nan_enabled()),
    }


def _older() -> str:
    try:
        return torch.get_float32_matmul_precision()
    except RuntimeError:
        return "mixed"
