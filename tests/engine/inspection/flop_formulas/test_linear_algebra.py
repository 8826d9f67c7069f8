"""Linear systems and Fourier transforms, by the counts of LAPACK's and FFTW's authors."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor

from tests.engine.inspection.counting import forward, trained

N, K, SYSTEMS = 6, 4, 2
MATRIX = torch.randn(SYSTEMS, N, N) + 5 * torch.eye(N)
RIGHT = torch.randn(SYSTEMS, N, K)
POSITIVE = MATRIX @ MATRIX.mT


def lower(matrix: Tensor, right: Tensor) -> Tensor:
    return torch.linalg.solve_triangular(matrix, right, upper=False)


FACTORIZATIONS = {
    "Cholesky": (torch.linalg.cholesky, POSITIVE, N**3 // 3),
    "LU": (torch.linalg.lu_factor, MATRIX, 2 * N**3 // 3),
    "inverse": (torch.linalg.inv, MATRIX, 2 * N**3),
}


@pytest.mark.parametrize("name", FACTORIZATIONS)
def test_factorizations(name: str) -> None:
    function, matrix, flops = FACTORIZATIONS[name]
    assert forward(function, [matrix]) == SYSTEMS * flops


def test_a_triangular_system_is_n_squared_for_each_right_hand_side() -> None:
    """That is n (n - 1) / 2 multiplications and additions, and n divisions."""
    flops = SYSTEMS * K * N**2
    assert forward(lower, [MATRIX, RIGHT]) == flops
    assert forward(lower, [MATRIX, RIGHT[0]]) == flops
    from_the_right = lambda a, b: torch.linalg.solve_triangular(  # noqa: E731
        a, b.mT, upper=True, left=False
    )
    assert forward(from_the_right, [MATRIX, RIGHT]) == flops
    # Backward: the transposed system for the right-hand sides, an outer product for the matrix.
    outer = SYSTEMS * 2 * N * K * N
    assert trained(lower, [MATRIX.clone(), RIGHT.clone()]) == flops + flops + outer


@pytest.mark.parametrize("vectors", [True, False])
def test_a_system_is_factorized_once(vectors: bool) -> None:
    right = RIGHT[..., 0] if vectors else RIGHT
    columns = 1 if vectors else K
    factors, both = SYSTEMS * 2 * N**3 // 3, SYSTEMS * 2 * columns * N**2
    assert forward(torch.linalg.solve, [MATRIX, right]) == factors + both
    found = trained(torch.linalg.solve, [MATRIX.clone(), right.clone()])
    assert found == factors + both + both + SYSTEMS * 2 * N * columns * N


def test_fourier_transforms() -> None:
    signal, length = torch.randn(3, 16), 16
    whole, half = 3 * 5 * length * 4, 3 * 5 * length * 4 // 2
    assert forward(torch.fft.rfft, [signal]) == half
    spectrum = torch.fft.rfft(signal)
    assert forward(torch.fft.irfft, [spectrum]) == half
    assert forward(torch.fft.fft, [signal.to(torch.complex64)]) == whole
    assert forward(torch.fft.rfft2, [torch.randn(3, 8, 4)]) == 3 * 5 * 32 * 5 // 2


def test_a_long_convolution_by_fourier_transforms() -> None:
    """As Hyena's: forward three transforms of 2 T, the product of spectra is elementwise."""
    length, channels, batch = 16, 3, 2

    def convolve(x: Tensor, filters: Tensor) -> Tensor:
        spectra = torch.fft.rfft(x, n=2 * length) * torch.fft.rfft(filters, n=2 * length)
        return torch.fft.irfft(spectra, n=2 * length)[..., :length]

    one = 5 * (2 * length) * 5 // 2
    x, filters = torch.randn(batch, channels, length), torch.randn(channels, length)
    assert forward(convolve, [x, filters]) == (2 * batch * channels + channels) * one
