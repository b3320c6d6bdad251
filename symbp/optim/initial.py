"""How parameters start, for `param(..., init=...)` and `nn.Dense(..., init=...)`.

Enters: shapes. Leaves: `symbp.ir.training.Initial`, with the reason. Must not know: networks.
A network needs the defaults itself, so the definitions stand in `symbp.language.initial`.
"""

from symbp.language.initial import constant, default, glorot_normal, glorot_uniform, he_normal, normal, zeros

__all__ = ["constant", "default", "glorot_normal", "glorot_uniform", "he_normal", "normal", "zeros"]
