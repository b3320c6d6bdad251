"""Which optimizers and schedules there are, without what they are made of, so that a command's help is quick.

Enters: nothing. Leaves: names. Must not know: equations.
"""

from __future__ import annotations

from collections.abc import Mapping

OPTIMIZERS: Mapping[str, str] = {  # each with its module in `symbp.optim`
    "SGD": "descent",
    "Momentum": "descent",
    "Nesterov": "descent",
    "Lion": "descent",
    "Adagrad": "scaled",
    "Adadelta": "scaled",
    "RMSprop": "scaled",
    "Adam": "adam",
    "AMSGrad": "adam",
    "AdamW": "adam",
    "Adamax": "adam",
    "NAdam": "adam",
    "RAdam": "adam",
    "LAMB": "adam",
    "SparseAdam": "adam",
    "Adafactor": "matrices",
    "Muon": "matrices",
    "LBFGS": "quasi_newton",
}
SCHEDULES = (
    "constant",
    "cosine",
    "exponential",
    "linear",
    "one-cycle",
    "plateau",
    "step",
)  # as `schedules.over` has them
