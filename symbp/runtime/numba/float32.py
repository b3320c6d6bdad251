"""exp, log and their kin in float32, as sums of products: loops over them run on whole vectors.

Enters: numbers. Leaves: numbers in float32. Must not know: where they are called. It stands for `float64`.

Arguments are reduced as in Muller, Elementary functions (2016), chapter 11: exp(x) = 2^k·exp(r) with
|r| ≤ log(2)/2, and log(x) = k·log(2) + log(m) with m from √½ to √2; the polynomials are best fits there.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from symbp.runtime.network import F32
from symbp.runtime.numba.compiling import exact_kernel


@exact_kernel
def _reduced(x: Any) -> tuple[Any, Any]:
    """exp(r) - 1 and k, where x = k·log(2) + r with |r| ≤ log(2)/2."""
    shifted = x * F32(1.44269504) + F32(12582912)  # the integer k is in the last bits
    k = shifted - F32(12582912)
    r = x - k * F32(0.693145751953125) - k * F32(1.42860682e-06)  # log(2) in two parts
    p = F32(0.166665186) + r * (F32(0.041666205) + r * (F32(0.00836891785) + r * F32(0.00139505414)))
    p = F32(0.50000001) + r * p
    return r + r * r * p, F32(shifted).view(np.int32) - np.int32(0x4B400000)


@exact_kernel
def _power_of_two(k: Any) -> Any:
    """2^k within the normal numbers."""
    return np.int32((k + 127) << 23).view(F32)


@exact_kernel
def _exp(x: Any) -> Any:
    """exp(x); 2^k in two factors, since it need not be a normal number."""
    x = F32(x)
    x = min(x, F32(89))
    x = max(x, F32(-104))
    grown, k = _reduced(x)
    half = k >> 1
    return (F32(1) + grown) * _power_of_two(half) * _power_of_two(k - half)


@exact_kernel
def _expm1(x: Any) -> Any:
    """exp(x) - 1 = 2^k·(exp(r) - 1) + (2^k - 1), which is exact near 0; halved, since 2^k may overflow."""
    x = F32(x)
    x = min(x, F32(89))
    x = max(x, F32(-18))
    grown, k = _reduced(x)
    half = _power_of_two(k - 1)
    return F32(2) * (half * grown + (half - F32(0.5)))


@exact_kernel
def _log(x: Any) -> Any:
    """log(x): NaN below 0, -inf at 0; with s = f/(2 + f), log(1 + f) = 2·s + s³·p(s²)."""
    x = F32(x)
    tiny = x < F32(1.17549435e-38)
    bits = F32(x * F32(33554432) if tiny else x).view(np.int32)
    k = (bits - np.int32(0x3F3504F3)) >> 23
    f = np.int32(bits - (k << 23)).view(F32) - F32(1)
    e = F32(k) - (F32(25) if tiny else F32(0))
    s = f / (F32(2) + f)
    z = s * s
    p = F32(0.666667767) + z * (F32(0.399774956) + z * F32(0.298730736))
    half = F32(0.5) * f * f
    found = e * F32(0.693145751953125) - ((half - (s * (half + z * p) + e * F32(1.42860682e-06))) - f)
    if x > F32(0):
        return found if x < F32(np.inf) else x
    return -F32(np.inf) if x == F32(0) else F32(np.nan)
