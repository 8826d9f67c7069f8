"""Why replicas cannot be stacked, in words for the author of the module."""

from __future__ import annotations

from synthbench.errors import first_line

REASONS = {
    ".item()": "it reads the value of a tensor, as .item(), int(), float() or `if` do",
    "value out of a tracing tensor": "it reads the value of a tensor, as `if` does, which a "
    "recorded step would do once",
    "boolean mask": "it takes as many numbers as meet a condition, as x[mask] does",
    "dynamic shape": "the size of a tensor in it depends on numbers, as that of nonzero() does",
    "must override the setup_context": "it has an autograd.Function without setup_context, or a "
    "backward hook",
    "generate_vmap_rule": "it has an autograd.Function without a rule for vmap",
    "saved tensor hooks": "it computes activations anew in its backward pass (checkpoint)",
    "Tensor.requires_grad_()": "it calls requires_grad_ in its forward pass",
    "torch.autograd.grad": "it calls torch.autograd.grad in its forward pass",
    "does not require grad": "it calls torch.autograd.grad in its forward pass",
    "Jitted modules": "it is scripted",
    "graph leaves": "it keeps a computed tensor in an attribute, as pruning and the old "
    "weight_norm do",
    "doesn't have storage": "it takes its numbers out of PyTorch, as to NumPy",
    "numpy()": "it takes its numbers out of PyTorch, as to NumPy",
    "cannot pickle": "it holds something that cannot be copied, such as a lock",
    "evice meta": "it keeps a parameter in a second place too, such as a dict",
    "view size is not compatible": "it calls view where memory has to be copied; reshape does both",
    "accessing `data` under vmap": "it reads or writes `.data`",
    "mutating directly with `.data`": "it reads or writes `.data`",
    "vmap: inplace arithmetic": "it writes a result that depends on the replica into a tensor that "
    "does not",
}
"""Part of what torch says -> what a module has done; the first that fits."""


def stacking_reason(error: Exception) -> str:
    """What in a module torch cannot batch over replicas, or what it says itself."""
    message = str(error)
    found = next((reason for part, reason in REASONS.items() if part in message), None)
    return found or first_line(error)
