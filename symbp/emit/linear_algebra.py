"""What the leaves of linear algebra are called in modules of every target.

Enters: the name of a leaf. Leaves: a function's name, and what else it needs. Must not know: targets.
"""

from __future__ import annotations

LINEAR_ALGEBRA = {
    "inverse": ("_inverse", ""),
    "det": ("np.linalg.det", ""),
    "logdet": ("np.linalg.slogdet", "[1]"),
    "cholesky": ("_cholesky", ""),
    "cofactors": ("_cofactors", ""),
    "eigenvalues": ("_eigenvalues", ""),
    "eigenvectors": ("_eigenvectors", ""),
    "singular_values": ("_singular_values", ""),
    "left_vectors": ("_left_vectors", ""),
    "right_vectors": ("_right_vectors", ""),
    "argsort": ("_argsort", ""),
}
"""How a leaf of linear algebra is called: the function, and what follows the call."""
SINGULAR = {"_singular_values", "_left_vectors", "_right_vectors"}


def helpers_of(function: str) -> set[str]:
    """The functions that a module needs to call one."""
    return {function, *({"_singular"} if function in SINGULAR else ())} if function[0] == "_" else set()
