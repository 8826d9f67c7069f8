"""Logarithm, exponential and normal quantile from IEEE basic operations only.

`torch.log` differs in the last bit between CPU and GPU. Addition, multiplication and
division do not (IEEE 754 rounds them correctly), and separate tensor operations are never fused,
so these functions give the same bits on every device.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import torch
from torch import Tensor

from synthbench.streams.bits import reinterpreted

SPLITTER = 2.0**27 + 1
"""Times a float64, and taken back, leaves its upper 26 bits."""
# Odd powers of s = (m - 1) / (m + 1): |s| <= 0.172 makes the next term smaller than 2^-53.
LOG_COEFFICIENTS = tuple(1.0 / (2 * j + 1) for j in range(12))

EXP_COEFFICIENTS = tuple(1.0 / math.factorial(j) for j in range(14))
LN2_HIGH = 6.93147180369123816490e-01
LN2_LOW = 1.90821492927058770002e-10
"""ln 2 in two parts: k times the first is exact for |k| < 2^20 (fdlibm)."""
EXPONENT_BIAS, MANTISSA_BITS = 1023, 52

# Wichura 1988, algorithm AS 241 (PPND16), constant term first.
CENTRAL_NUMERATOR = (
    3.3871328727963666080e0, 1.3314166789178437745e2, 1.9715909503065514427e3,
    1.3731693765509461125e4, 4.5921953931549871457e4, 6.7265770927008700853e4,
    3.3430575583588128105e4, 2.5090809287301226727e3,
)  # fmt: skip
CENTRAL_DENOMINATOR = (
    1.0, 4.2313330701600911252e1, 6.8718700749205790830e2, 5.3941960214247511077e3,
    2.1213794301586595867e4, 3.9307895800092710610e4, 2.8729085735721942674e4,
    5.2264952788528545610e3,
)  # fmt: skip
MIDDLE_NUMERATOR = (
    1.42343711074968357734e0, 4.63033784615654529590e0, 5.76949722146069140550e0,
    3.64784832476320460504e0, 1.27045825245236838258e0, 2.41780725177450611770e-1,
    2.27238449892691845833e-2, 7.74545014278341407640e-4,
)  # fmt: skip
MIDDLE_DENOMINATOR = (
    1.0, 2.05319162663775882187e0, 1.67638483018380384940e0, 6.89767334985100004550e-1,
    1.48103976427480074590e-1, 1.51986665636164571966e-2, 5.47593808499534494600e-4,
    1.05075007164441684324e-9,
)  # fmt: skip
TAIL_NUMERATOR = (
    6.65790464350110377720e0, 5.46378491116411436990e0, 1.78482653991729133580e0,
    2.96560571828504891230e-1, 2.65321895265761230930e-2, 1.24266094738807843860e-3,
    2.71155556874348757815e-5, 2.01033439929228813265e-7,
)  # fmt: skip
TAIL_DENOMINATOR = (
    1.0, 5.99832206555887937690e-1, 1.36929880922735805310e-1, 1.48753612908506148525e-2,
    7.86869131145613259100e-4, 1.84631831751005468180e-5, 1.42151175831644588870e-7,
    2.04426310338993978564e-15,
)  # fmt: skip


def polynomial(x: Tensor, coefficients: Sequence[float]) -> Tensor:
    """Evaluate sum_j coefficients[j] x^j by Horner's rule, one rounding per operation."""
    value = torch.full_like(x, coefficients[-1])
    for coefficient in reversed(coefficients[:-1]):
        value.mul_(x).add_(coefficient)
    return value


def log(x: Tensor) -> Tensor:
    """Natural logarithm of positive float64 numbers, the same bits on every device.

    Relative error below 1e-15 (x = 2^e m with m in [sqrt(1/2), sqrt(2)), then the series
    log m = 2 artanh((m - 1) / (m + 1))).
    """
    mantissa, exponent = torch.frexp(x)
    # Arithmetic that is exact, not `where`, which takes several times longer.
    low = (mantissa < math.sqrt(0.5)).to(torch.float64)
    mantissa = mantissa * (low + 1)
    exponent = exponent.to(torch.float64) - low
    s = (mantissa - 1) / (mantissa + 1)
    return exponent * math.log(2.0) + 2 * s * polynomial(s * s, LOG_COEFFICIENTS)


def exp(x: Tensor) -> Tensor:
    """Exponential of float64 numbers between -700 and 700, the same bits on every device.

    Relative error below 1e-15 (x = k ln 2 + r with |r| <= ln(2) / 2, then Taylor's series).
    """
    k = torch.round(x * (1 / math.log(2.0)))
    r = (x - k * LN2_HIGH) - k * LN2_LOW
    # By its bits, because a power is not one of the operations IEEE 754 rounds correctly.
    bits = (k.to(torch.int64) + EXPONENT_BIAS) << MANTISSA_BITS
    scale = reinterpreted(bits, torch.float64)
    return polynomial(r, EXP_COEFFICIENTS) * scale


def ordered_sum(values: Tensor) -> Tensor:
    """Sum over the last axis from left to right, so that every device rounds alike."""
    total = values[..., 0]
    for index in range(1, values.shape[-1]):
        total = total + values[..., index]
    return total


def sqrt(x: Tensor) -> Tensor:
    """Square root of positive float64, correctly rounded.

    `torch.sqrt` is MKL's on a CPU, whose last bit is not the same on all of them. One step of
    Newton's from there, with the exact residual x - root^2. Source: Dekker 1971, product of halves.
    """
    root = torch.sqrt(x)
    high = root * SPLITTER - (root * SPLITTER - root)
    low = root - high
    square = root * root
    lost = (high * high - square) + 2 * high * low + low * low
    return root + ((x - square) - lost) / (2 * root)


def normal_quantile(p: Tensor) -> Tensor:
    """Standard normal quantile of float64 probabilities in (0, 1).

    Relative error about 1e-15. Source: Wichura 1988, Applied Statistics 37, AS 241.
    """
    q = p - 0.5
    r_central = 0.180625 - q * q
    ratio = polynomial(r_central, CENTRAL_NUMERATOR) / polynomial(r_central, CENTRAL_DENOMINATOR)
    central = q * ratio
    r = sqrt(-log(torch.minimum(p, 1 - p)))
    middle = polynomial(r - 1.6, MIDDLE_NUMERATOR) / polynomial(r - 1.6, MIDDLE_DENOMINATOR)
    tail = polynomial(r - 5.0, TAIL_NUMERATOR) / polynomial(r - 5.0, TAIL_DENOMINATOR)
    outer = torch.where(r <= 5.0, middle, tail)
    return torch.where(q.abs() <= 0.425, central, torch.where(q < 0, -outer, outer))
