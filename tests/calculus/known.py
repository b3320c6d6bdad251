"""What is not met yet, with the reason; a row that comes to be met fails until it leaves its list."""

KNOWN_WRONG: dict[str, str] = {}
"""Rows whose gradient is wrong or cannot be derived."""

_EXPANDED = "the form is multiplied out where the published one keeps a common factor"

KNOWN_WORSE: dict[str, str] = {
    "2 its Hessian product, any weights": "terms in e and s are not folded to p",
    "25 power pooling, p = 2": "the tensor between is kept, and its 1/2 beside the 2",
    "25 power pooling, p = 3": "the tensor between is kept",
    "43 Gaussian mixture": "r·v is formed in three sums, and a triangular product in each example",
    "54 Cox": "each risk set is shifted by its own maximum, so exponentials are taken for each pair",
    "61 ridge": "the factor 2 stays in the sum",
    "44 physics-informed residual": "sums are split and multiplied out",
    "45 gradient penalty": "the two parts of dW are two sums and a pass instead of one",
}
"""Rows whose form costs more than the published one."""
