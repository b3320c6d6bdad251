"""exp, log and their kin in float64, as sums of products: loops over them run on whole vectors.

Enters: numbers. Leaves: numbers in float64. Must not know: where they are called.
`float32` stands for it in modules of that dtype.

Arguments are reduced as in Muller, Elementary functions (2016), chapter 11: exp(x) = 2^k·exp(r) with
|r| ≤ log(2)/2, and log(x) = k·log(2) + log(m) with m from √½ to √2; the polynomials are best fits there.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from symbp.runtime.numba.compiling import exact_kernel


@exact_kernel
def _reduced(x: Any) -> tuple[Any, Any]:
    """exp(r) - 1 and k, where x = k·log(2) + r with |r| ≤ log(2)/2."""
    shifted = x * 1.4426950408889634 + 6755399441055744.0  # the integer k is in the last bits
    k = shifted - 6755399441055744.0
    r = x - k * 0.6931471805596629565 - k * 2.82352905630315771e-13  # log(2) in two parts
    p = 2.75572341000406e-06 + r * (
        2.7557233430795844e-07 + r * (2.511228818672374e-08 + r * 2.092692173894748e-09)
    )
    p = 0.0013888888888858482 + r * (0.00019841269897193756 + r * (2.4801587373657717e-05 + r * p))
    p = 0.16666666666666685 + r * (0.04166666666666673 + r * (0.008333333333316685 + r * p))
    p = 0.5 + r * p
    return r + r * r * p, np.float64(shifted).view(np.int64) - np.int64(0x4338000000000000)


@exact_kernel
def _power_of_two(k: Any) -> Any:
    """2^k within the normal numbers."""
    return np.int64((k + 1023) << 52).view(np.float64)


@exact_kernel
def _exp(x: Any) -> Any:
    """exp(x); 2^k in two factors, since it need not be a normal number."""
    x = np.float64(x)
    x = min(x, 710.0)
    x = max(x, -746.0)
    grown, k = _reduced(x)
    half = k >> 1
    return (1.0 + grown) * _power_of_two(half) * _power_of_two(k - half)


@exact_kernel
def _expm1(x: Any) -> Any:
    """exp(x) - 1 = 2^k·(exp(r) - 1) + (2^k - 1), which is exact near 0; halved, since 2^k may overflow."""
    x = np.float64(x)
    x = min(x, 710.0)
    x = max(x, -38.0)
    grown, k = _reduced(x)
    half = _power_of_two(k - 1)
    return 2.0 * (half * grown + (half - 0.5))


@exact_kernel
def _log(x: Any) -> Any:
    """log(x): NaN below 0, -inf at 0; with s = f/(2 + f), log(1 + f) = 2·s + s³·p(s²)."""
    x = np.float64(x)
    tiny = x < 2.2250738585072014e-308
    bits = np.float64(x * 18014398509481984.0 if tiny else x).view(np.int64)
    k = (bits - np.int64(0x3FE6A09E667F3BCD)) >> 52
    f = np.int64(bits - (k << 52)).view(np.float64) - 1.0
    e = np.float64(k) - (54.0 if tiny else 0.0)
    s = f / (2.0 + f)
    z = s * s
    p = 0.22222198476015553 + z * (0.1818356973757315 + z * (0.15313903317481253 + z * 0.1479750689671745))
    p = 0.6666666666666735 + z * (0.3999999999941109 + z * (0.2857142874326258 + z * p))
    half = 0.5 * f * f
    found = e * 0.6931471805596629565 - ((half - (s * (half + z * p) + e * 2.82352905630315771e-13)) - f)
    if x > 0.0:
        return found if x < np.inf else x
    return -np.inf if x == 0.0 else np.float64(np.nan)
