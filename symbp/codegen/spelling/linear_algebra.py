"""What the leaves of linear algebra are called in modules of every target.

Enters: the name of a leaf. Leaves: a function's name, which of its results is meant. Must not know: targets.
"""

from __future__ import annotations

LINEAR_ALGEBRA: dict[str, tuple[str, int | None]] = {
    "inverse": ("_inverse", None),
    "det": ("np.linalg.det", None),
    "logdet": ("np.linalg.slogdet", 1),
    "cholesky": ("_cholesky", None),
    "cofactors": ("_cofactors", None),
    "eigenvalues": ("_eigenvalues", None),
    "eigenvectors": ("_eigenvectors", None),
    "singular_values": ("_singular_values", None),
    "left_vectors": ("_left_vectors", None),
    "right_vectors": ("_right_vectors", None),
    "argsort": ("_argsort", None),
}
"""How a leaf of linear algebra is called: the function, and which of several results it is."""
SINGULAR = {"_singular_values", "_left_vectors", "_right_vectors"}


def helpers_of(function: str) -> set[str]:
    """The functions that a module needs to call one."""
    return {function, *({"_singular"} if function in SINGULAR else ())} if function[0] == "_" else set()
