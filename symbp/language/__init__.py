"""What users write networks in: leaves, tensors with operators, index notation, `Network`."""

from symbp.language.differentiate import grad
from symbp.language.leaves import buffer, hyper, input, labels, param, random, target, tokens
from symbp.language.modes import mode, update
from symbp.language.network import Network
from symbp.language.notation import Max, Prod, Sum, equal, index, indices, stop_gradient, unequal, where
from symbp.language.recurrence import define, recurrent
from symbp.language.sizes import dim, dims
from symbp.language.tensor import Condition, Tensor
from symbp.language.variants.class_weights import class_weighted
from symbp.language.variants.restarted import restarted
from symbp.language.variants.standardised_inputs import standardised, standardised_as
from symbp.language.variants.standardised_target import standardised_target

__all__ = [
    "Condition",
    "Max",
    "Network",
    "Prod",
    "Sum",
    "Tensor",
    "buffer",
    "class_weighted",
    "define",
    "dim",
    "dims",
    "equal",
    "grad",
    "hyper",
    "index",
    "indices",
    "input",
    "labels",
    "mode",
    "param",
    "random",
    "recurrent",
    "restarted",
    "standardised",
    "standardised_as",
    "standardised_target",
    "stop_gradient",
    "target",
    "tokens",
    "unequal",
    "update",
    "where",
]
