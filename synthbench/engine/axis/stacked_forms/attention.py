"""`scaled_dot_product_attention` of all replicas at once.

On CPU torch has no rule to vmap its fused kernel, but to the kernel replicas are only more
sequences. Measured against plain products and a softmax (R = 8 and 32, 16 sequences, 1 to 4 heads
of 16 or 32): up to a quarter slower at length 32, up to 1.5 times as fast at 128.
"""

from __future__ import annotations

import math
from typing import Any
from typing import cast as cast_to

import torch
from torch import Tensor
from torch.nn import functional

from synthbench.engine.axis.stacked_forms.derivatives import (
    Tensors,
    differentiated_again,
    folded,
)
from synthbench.engine.axis.stacked_forms.precision import cast

aten: Any = torch.ops.aten


def scaled_dot_product_attention(  # noqa: PLR0913 - torch's own arguments
    query: Tensor,
    key: Tensor,
    value: Tensor,
    attn_mask: Tensor | None = None,
    dropout_p: float = 0.0,
    is_causal: bool = False,
    scale: float | None = None,
    enable_gqa: bool = False,
) -> Tensor:
    """softmax(query key^T scale + mask) value, (..., L, V).

    query: (..., L, E); key: (..., S, E); value: (..., S, V).

    Masks, scale and grouped queries as in torch's function of that name; the mask is additive
    or, if it is bool, True where attention is allowed. Dropout is of the attention weights.
    """
    query, key, value = cast(query), cast(key), cast(value)
    if enable_gqa:
        groups = query.shape[-3] // key.shape[-3]
        key, value = key.repeat_interleave(groups, -3), value.repeat_interleave(groups, -3)
    mask, factor = _additive(attn_mask, query), _factor(query, scale)
    if dropout_p or not _is_fused(query, key, value, mask):
        weights = _weights(query * factor, key, mask, is_causal)
        return functional.dropout(weights, dropout_p, training=True) @ value
    if mask is not None:
        mask = mask.to(query.dtype).expand(*query.shape[:-1], key.shape[-2])
    given = (None if t is None else _by_heads(t) for t in (query, key, value, mask))
    output, _ = _Fused.apply(is_causal, factor, *given)  # type: ignore[no-untyped-call]
    return cast_to(Tensor, output.reshape(query.shape))


def attention_weights(  # noqa: PLR0913 - torch's own arguments
    query: Tensor,
    key: Tensor,
    value: Tensor,
    attn_mask: Tensor | None = None,
    dropout_p: float = 0.0,
    is_causal: bool = False,
    scale: float | None = None,
    enable_gqa: bool = False,
) -> Tensor:
    """The map inside it, before dropout: (..., L, S), rows that sum to 1."""
    if enable_gqa:
        key = key.repeat_interleave(query.shape[-3] // key.shape[-3], -3)
    mask = _additive(attn_mask, query)
    return _weights(query * _factor(query, scale), key, mask, is_causal)


class _Fused(torch.autograd.Function):
    """Torch's kernel for CPU; tensors are (sequences, heads, length, width)."""

    @staticmethod
    def forward(causal: bool, factor: float, *tensors: Any) -> Any:
        *sequences, mask = tensors
        kernel = aten._scaled_dot_product_flash_attention_for_cpu
        output, log_sums = kernel(*sequences, 0.0, causal, attn_mask=mask, scale=factor)
        return output, log_sums.contiguous()

    @staticmethod
    def setup_context(ctx: Any, inputs: tuple[Any, ...], output: tuple[Tensor, Tensor]) -> None:
        ctx.causal, ctx.factor, *tensors = inputs
        ctx.mark_non_differentiable(output[1])
        ctx.set_materialize_grads(False)
        ctx.save_for_backward(*tensors, *output)

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor | None) -> tuple[Any, ...]:
        if gradients[0] is None:
            return (None,) * 6
        tensors = gradients[0], *ctx.saved_tensors
        found = _FusedBackward.apply(ctx.causal, ctx.factor, *tensors)  # type: ignore[no-untyped-call]
        return None, None, *found, None

    @staticmethod
    def vmap(info: Any, in_dims: tuple[int | None, ...], *arguments: Any) -> Any:
        return folded(_Fused, info, in_dims, arguments)


class _FusedBackward(torch.autograd.Function):
    """Gradients of query, key and value; torch cannot differentiate its own kernel twice."""

    @staticmethod
    def forward(causal: bool, factor: float, *tensors: Any) -> Any:
        gradient, query, key, value, mask, output, log_sums = tensors
        kernel = aten._scaled_dot_product_flash_attention_for_cpu_backward
        given = (gradient, query, key, value, output, log_sums)
        return kernel(*given, 0.0, causal, attn_mask=mask, scale=factor)

    @staticmethod
    def setup_context(ctx: Any, inputs: tuple[Any, ...], output: tuple[Tensor, ...]) -> None:
        ctx.causal, ctx.factor, *tensors = inputs
        ctx.save_for_backward(*tensors[:5])

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor) -> tuple[Any, ...]:
        of_output, *inputs = ctx.saved_tensors

        def attend(tensors: Tensors) -> tuple[Tensor]:
            query, key, value, mask = tensors
            assert query is not None and key is not None and value is not None
            return (_weights(query * ctx.factor, key, mask, ctx.causal) @ value,)

        again = differentiated_again(attend, tuple(inputs), [of_output], (*gradients, None))
        of_inputs, of_of_output = again
        return None, None, *of_of_output, *of_inputs[:3], None, None, None

    @staticmethod
    def vmap(info: Any, in_dims: tuple[int | None, ...], *arguments: Any) -> Any:
        return folded(_FusedBackward, info, in_dims, arguments)


def _is_fused(query: Tensor, key: Tensor, value: Tensor, mask: Tensor | None) -> bool:
    """Whether the kernel takes them: on CPU, of one width, and the mask is not learned."""
    return (
        query.device.type == "cpu"
        and query.dim() > 2
        and query.shape[:-2] == key.shape[:-2] == value.shape[:-2]
        and query.shape[-1] == value.shape[-1]
        and not (mask is not None and mask.requires_grad)
    )


def _additive(mask: Tensor | None, query: Tensor) -> Tensor | None:
    """The mask as what is added to scores."""
    if mask is None or mask.dtype != torch.bool:
        return mask
    return torch.zeros_like(mask, dtype=query.dtype).masked_fill(~mask, -torch.inf)


def _factor(query: Tensor, scale: float | None) -> float:
    return 1 / math.sqrt(query.shape[-1]) if scale is None else scale


def _by_heads(tensor: Tensor) -> Tensor:
    """(sequences, heads, length, width) from (sequences, length, width) or more axes."""
    return tensor.unsqueeze(1) if tensor.dim() == 3 else tensor.flatten(0, -4)


def _weights(query: Tensor, key: Tensor, mask: Tensor | None, causal: bool) -> Tensor:
    """Attention weights (..., L, S); those of a row that may attend to nothing are zero."""
    scores = query @ key.mT
    if causal:
        later = torch.ones(scores.shape[-2:], dtype=torch.bool, device=scores.device).triu(1)
        scores = scores + torch.zeros_like(later, dtype=scores.dtype).masked_fill(later, -torch.inf)
    if mask is None:
        return scores.softmax(-1)
    return cast_to(Tensor, aten._safe_softmax(scores + mask, -1))
