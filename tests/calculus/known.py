"""What is not met yet, with the reason; a row that comes to be met fails until it leaves its list."""

KNOWN_WRONG: dict[str, str] = {}
"""Rows whose gradient is wrong or cannot be derived."""

DIGITS = "Σ_t p·dp where Σ_d do·o is less work: it is subtracted from dp, and keeps dp's digits if made of it"
KNOWN_WORSE: dict[str, str] = {
    "18 attention": DIGITS,
    "20 causal attention": DIGITS,
    "20 masked attention": DIGITS,
    "20 grouped-query attention": DIGITS,
    "2 its Hessian product, any weights": "y·v + dz·v is not read as Σy·p·v: one operation more",
    "25 power pooling, p = 2": "a window of zeros is guarded; the guarded quotient is stored once a window",
    "25 power pooling, p = 3": "fewer operations, but the quotient is stored once a window",
    "43 Gaussian mixture": "the softmax of alpha is shifted by its maximum; the published one is not",
    "54 Cox": "each risk set is shifted by its own maximum, so exponentials are taken for each pair",
    "53 neighbourhood components": "Σ_j w·(y_i − y_j) stays one sum of differences; r is not read in dp",
    "59 Lennard-Jones": "Σ_j f·(x_i − x_j) stays one sum of differences, its number 2 outside",
    "61 ridge": "SymPy makes 2·a + 2·b of 2·(a + b): two operations more",
    "44 physics-informed residual": "r·(1 − h²) is not formed once for all three sums",
    "45 gradient penalty": "dW stays two matrix products and a pass instead of one sum that is none",
}
"""Rows whose form costs more than the published one."""
