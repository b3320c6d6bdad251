"""Outputs, loss and metrics of a short module.

Enters: parameters and data. Leaves: arrays and numbers. Must not know: the network.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from symbp.runtime.network import FORWARD_INPUTS, INPUTS, METRICS, OUTPUTS, Array
from symbp.runtime.numpy.short.core import init_state


@np.errstate(all="ignore")
def predict(params: Mapping[str, Any], /, **inputs: Any) -> dict[str, Array]:
    """The outputs; arrays that only the loss needs may be given and are not used."""
    given = {name: a for name, a in inputs.items() if name not in INPUTS or name in FORWARD_INPUTS}
    arrays, (forward, *_), values = init_state(params).passes(given, {n: INPUTS[n] for n in FORWARD_INPUTS})
    forward(arrays)
    return {name: values[name] for name in OUTPUTS}


@np.errstate(all="ignore")
def evaluate(params: Mapping[str, Any], /, **data: Any) -> dict[str, float]:
    """The loss and the metrics over all of the data at once."""
    arrays, (forward, loss, _, metrics), values = init_state(params).passes(data, INPUTS)
    for run in (forward, loss, metrics):
        run(arrays)
    return {name: float(values[name]) for name in ("loss", *METRICS)}
