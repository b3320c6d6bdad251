"""How JAX writes what a forward pass is made of: as NumPy does, but for a few functions.

Enters: nothing. Leaves: SPELLING. Must not know: what is computed.
"""

from __future__ import annotations

from symbp.codegen import infer
from symbp.codegen.tree import Call, DType, Expression
from symbp.targets.frameworks.spelling import (
    Rule,
    Spelling,
    chosen,
    full,
    helper,
    reals,
    renamed,
    spread,
)

ALIKE = (
    "exp", "log", "sin", "cos", "tan", "sqrt", "sinh", "cosh", "tanh", "arcsin", "arccos", "arctan",
    "arcsinh", "arccosh", "arctanh", "arctan2", "floor", "floor_divide", "rint",
)  # fmt: skip
DTYPES: dict[str, str] = {"real": "float", "integer": "int"}


def _cast(node: Expression, dtype: DType) -> Expression:
    name = infer.number(DTYPES[dtype], "object")
    return infer.call(".astype", node, name, shape=node.shape, dtype=dtype)


def _full(node: Call, sizes: Expression, value: Expression) -> Expression:
    return infer.call("jnp.full", sizes, value, shape=node.shape, dtype=node.dtype)


def _constant(value: Expression, dtype: DType) -> Expression:
    return infer.call("jnp.asarray", value, shape=(), dtype=dtype)


RULES: dict[str, Rule] = {
    "np.arange": renamed("jnp.arange"),
    "np.zeros": renamed("jnp.zeros"),
    "np.full": full(_full, "jnp.broadcast_to"),
    "np.broadcast_to": spread("jnp.broadcast_to"),
    "np.stack": renamed("jnp.stack", axis="axis"),
    "np.where": chosen("jnp.where", arrays=0),
    "np.einsum": reals("jnp.einsum"),
    "np.pad": renamed("jnp.pad"),
    "np.linalg.inv": reals("jnp.linalg.inv"),
    "np.linalg.det": reals("jnp.linalg.det"),
    "stop_gradient": renamed("jax.lax.stop_gradient"),
    ".sum": renamed(".sum", keepdims="keepdims"),
    ".mean": renamed(".mean", keepdims="keepdims"),
    ".max": helper("largest"),
    ".prod": renamed(".prod"),
    ".argmax": renamed(".argmax"),
    ".reshape": renamed(".reshape"),
    ".swapaxes": renamed(".swapaxes"),
    ".transpose": renamed(".transpose"),
}

SPELLING = Spelling(
    library="JAX",
    imports=("import jax", "import jax.numpy as jnp"),
    functions={
        **{f"np.{name}": f"jnp.{name}" for name in ALIKE},
        "erf": "jax.scipy.special.erf", "erfc": "jax.scipy.special.erfc", "gamma": "jax.scipy.special.gamma",
        "loggamma": "jax.scipy.special.gammaln", "digamma": "jax.scipy.special.digamma",
        "trigamma": "trigamma",
    },
    rules=RULES,
    helpers="symbp.runtime.jax_functions",
    casts=_cast,
    constant=_constant,
    words=("jax.grad(loss) differentiates it; for double precision, set jax_enable_x64.",),
)  # fmt: skip
