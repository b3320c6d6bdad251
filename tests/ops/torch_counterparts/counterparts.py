"""What PyTorch says of each op: the same function of tensors, with the op's own option names, by family.

An op that PyTorch lacks is written out in its operators, from the publication that the op's docstring names.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from activation_counterparts import ACTIVATIONS
from layer_counterparts import LAYERS
from loss_counterparts import LOSSES
from random_counterparts import RANDOM
from recurrent_counterparts import RECURRENT
from sequence_counterparts import SEQUENCES
from shape_counterparts import SHAPES

COUNTERPARTS: dict[str, Callable[..., Any]] = (
    ACTIVATIONS | SHAPES | LOSSES | LAYERS | RECURRENT | RANDOM | SEQUENCES
)
