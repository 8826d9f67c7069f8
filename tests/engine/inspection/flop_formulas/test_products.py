"""Products of matrices and vectors, counted by hand."""

from __future__ import annotations

import pytest
import torch
from torch import nn
from torch.nn import functional

from tests.engine.inspection.counting import drawn, forward, trained, trained_module

PRODUCTS = {
    "mm": (torch.mm, [(5, 4), (4, 3)], 2 * 5 * 4 * 3),
    "matmul": (torch.matmul, [(7, 5, 4), (4, 3)], 2 * 7 * 5 * 4 * 3),
    "operator": (lambda a, b: a @ b, [(7, 5, 4), (7, 4, 3)], 2 * 7 * 5 * 4 * 3),
    "bmm": (torch.bmm, [(7, 5, 4), (7, 4, 3)], 2 * 7 * 5 * 4 * 3),
    "shared by a batch": (torch.matmul, [(2, 1, 5, 4), (7, 4, 3)], 2 * 2 * 7 * 5 * 4 * 3),
    "addmm": (lambda a, b, c: torch.addmm(c, a, b), [(5, 4), (4, 3), (3,)], 2 * 5 * 4 * 3),
    "baddbmm": (
        lambda a, b, c: torch.baddbmm(c, a, b),
        [(7, 5, 4), (7, 4, 3), (7, 5, 3)],
        2 * 7 * 5 * 4 * 3,
    ),
    "addbmm": (
        lambda a, b, c: torch.addbmm(c, a, b),
        [(7, 5, 4), (7, 4, 3), (5, 3)],
        2 * 7 * 5 * 4 * 3,
    ),
    "mv": (torch.mv, [(5, 4), (4,)], 2 * 5 * 4),
    "matrices and a vector": (lambda a, b: a @ b, [(7, 5, 4), (4,)], 2 * 7 * 5 * 4),
    "a vector and a matrix": (lambda a, b: a @ b, [(5,), (5, 4)], 2 * 5 * 4),
    "a vector and matrices": (torch.matmul, [(5,), (7, 5, 4)], 2 * 7 * 5 * 4),
    "dot": (torch.dot, [(5,), (5,)], 2 * 5),
    "mv of a tensor": (lambda a, b: a.mv(b), [(5, 4), (4,)], 2 * 5 * 4),
    "dot of a tensor": (lambda a, b: a.dot(b), [(5,), (5,)], 2 * 5),
    "mv by name": (lambda a, b: torch.mv(a, vec=b), [(5, 4), (4,)], 2 * 5 * 4),
    "a method by name": (lambda a, b: a.matmul(other=b), [(5, 4), (4,)], 2 * 5 * 4),
    "linear": (functional.linear, [(7, 5, 4), (3, 4), (3,)], 2 * 7 * 5 * 4 * 3),
    "einsum": (lambda a, b: torch.einsum("bi,oi->bo", a, b), [(5, 4), (3, 4)], 2 * 5 * 4 * 3),
    "einsum by heads": (
        lambda a, b: torch.einsum("bthd,hde->bthe", a, b),
        [(2, 5, 3, 4), (3, 4, 6)],
        2 * 2 * 5 * 3 * 4 * 6,
    ),
    "einsum of pairs": (
        lambda a, b: torch.einsum("bji,ji->bj", a, b),
        [(5, 3, 4), (3, 4)],
        2 * 5 * 3 * 4,
    ),
    # From left to right: (5, 4) and (4, 3), then (5, 3) and (3, 6).
    "einsum of three": (
        lambda a, b, c: torch.einsum("ij,jk,kl->il", a, b, c),
        [(5, 4), (4, 3), (3, 6)],
        2 * 5 * 4 * 3 + 2 * 5 * 3 * 6,
    ),
    "tensordot": (
        lambda a, b: torch.tensordot(a, b, dims=2),
        [(5, 4, 3), (4, 3, 6)],
        2 * 5 * (4 * 3) * 6,
    ),
    # x^T W_o, a product of (5, 4) and (4, 6 * 3), then of that and y for every output.
    "bilinear": (
        functional.bilinear,
        [(5, 4), (5, 3), (6, 4, 3)],
        2 * 5 * 4 * 6 * 3 + 2 * 5 * 6 * 3,
    ),
}


@pytest.mark.parametrize("name", PRODUCTS)
def test_backward_has_two_products_for_each(name: str) -> None:
    function, shapes, flops = PRODUCTS[name]
    assert forward(function, drawn(shapes)) == flops
    assert trained(function, drawn(shapes)) == 3 * flops


@pytest.mark.parametrize("name", [n for n in PRODUCTS if n not in ("bilinear", "einsum of three")])
def test_the_gradient_of_data_is_not_needed(name: str) -> None:
    function, shapes, flops = PRODUCTS[name]
    assert trained(function, drawn(shapes), first=False) == 2 * flops


def test_data_of_a_product_of_three() -> None:
    function, shapes, _ = PRODUCTS["bilinear"]
    # Without the gradient of x: the product of that of x^T W_o and W.
    assert trained(function, drawn(shapes), first=False) == (
        3 * (2 * 5 * 4 * 6 * 3 + 2 * 5 * 6 * 3) - 2 * 5 * 4 * 6 * 3
    )
    _, shapes, _ = PRODUCTS["einsum of three"]
    left, right = 2 * 5 * 4 * 3, 2 * 5 * 3 * 6
    chain = PRODUCTS["einsum of three"][0]
    assert trained(chain, drawn(shapes), first=False) == 2 * left + 3 * right


IN_PLACE = {
    "addmm_": (torch.Tensor.addmm_, [(5, 3), (5, 4), (4, 3)], 2 * 5 * 4 * 3),
    "baddbmm_": (torch.Tensor.baddbmm_, [(7, 5, 3), (7, 5, 4), (7, 4, 3)], 2 * 7 * 5 * 4 * 3),
    "addbmm_": (torch.Tensor.addbmm_, [(5, 3), (7, 5, 4), (7, 4, 3)], 2 * 7 * 5 * 4 * 3),
    "addmv_": (torch.Tensor.addmv_, [(5,), (5, 4), (4,)], 2 * 5 * 4),
    "addmv": (torch.addmv, [(5,), (5, 4), (4,)], 2 * 5 * 4),
    # As scripted code calls them, which forms do not see.
    "dot": (torch.ops.aten.dot, [(5,), (5,)], 2 * 5),
    "mv": (torch.ops.aten.mv, [(5, 4), (4,)], 2 * 5 * 4),
    "vdot": (torch.vdot, [(5,), (5,)], 2 * 5),
    "a vector as a layer": (functional.linear, [(5, 4), (4,)], 2 * 5 * 4),
}


@pytest.mark.parametrize("name", IN_PLACE)
def test_operations_that_torchs_counter_leaves_at_zero(name: str) -> None:
    function, shapes, flops = IN_PLACE[name]
    assert forward(function, drawn(shapes)) == flops


def test_out_is_counted_once_and_filled() -> None:
    a, b, out = drawn([(5, 4), (4,), (5,)])
    assert forward(lambda: torch.matmul(a, b, out=out), []) == 2 * 5 * 4
    torch.testing.assert_close(out, a @ b)


def test_a_complex_product_has_four_real_ones() -> None:
    shapes, dtype = [(5, 4), (4, 3)], torch.complex64
    # (a + bi)(c + di) takes 4 multiplications and 2 additions, and its sum 2 more: 8 for 2.
    assert forward(torch.mm, drawn(shapes, dtype)) == 8 * 5 * 4 * 3
    assert trained(torch.mm, drawn(shapes, dtype)) == 3 * 8 * 5 * 4 * 3
    batches = [(7, 5, 4), (7, 4, 3)]
    assert forward(torch.bmm, drawn(batches, dtype)) == 7 * 8 * 5 * 4 * 3
    added = [(7, 5, 3), *batches]
    assert forward(torch.baddbmm, drawn(added, dtype)) == 7 * 8 * 5 * 4 * 3
    assert forward(torch.addmm, drawn([(3,), *shapes], dtype)) == 8 * 5 * 4 * 3


@pytest.mark.filterwarnings("ignore:Sparse CSR")
@pytest.mark.parametrize("layout", [torch.sparse_coo, torch.sparse_csr])
def test_only_what_a_sparse_matrix_keeps_is_multiplied(layout) -> None:
    graph = torch.zeros(6, 6)
    graph[[0, 1, 1, 4, 5], [3, 0, 2, 4, 1]] = 1.0
    sparse = graph.to_sparse(layout=layout)
    assert forward(torch.mm, [sparse, torch.randn(6, 3)]) == 2 * 5 * 3
    # The gradient of the dense factor is another product with the sparse one.
    assert trained(lambda x: sparse @ x, drawn([(6, 3)])) == 2 * (2 * 5 * 3)
    assert trained(lambda x: torch.sparse.mm(sparse, x), drawn([(6, 3)])) == 2 * (2 * 5 * 3)
    assert forward(torch.mm, [torch.randn(3, 6), sparse.to_sparse_csc()]) == 2 * 5 * 3


def test_groups_of_rows_each_have_a_matrix() -> None:
    x = torch.randn(24, 16)
    experts = torch.randn(2, 16, 32)
    offsets = torch.tensor([8, 24], dtype=torch.int32)
    flops = 2 * 24 * 16 * 32
    assert forward(lambda: functional.grouped_mm(x, experts, offs=offsets), []) == flops
    grouped = lambda a, b: functional.grouped_mm(a, b, offs=offsets)  # noqa: E731
    assert trained(grouped, [x, experts]) == 3 * flops
    assert trained(grouped, [x.detach(), experts.detach()], first=False) == 2 * flops


def test_look_ups_and_elementwise_work_count_nothing() -> None:
    indices = torch.randint(10, (5, 3))
    for table in (nn.Embedding(10, 4), nn.EmbeddingBag(10, 4)):
        assert forward(table, [indices]) == 0
        layer = nn.Sequential(nn.LayerNorm(4), nn.GELU(), nn.Softmax(-1))
        assert trained_module(layer, table(indices)) == 0
