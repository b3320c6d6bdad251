"""What a generated module has of its own, as the other parts see it: names and types, never spliced.

Enters: nothing. Leaves: declarations that let the parts be read, linted and typed by themselves.
Must not know: any network.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

Array = np.ndarray[Any, Any]

NAME: str
DTYPE: type[np.floating[Any]]
SIZES: dict[str, int]
PARAMETERS: dict[str, tuple[Any, ...]]
INPUTS: dict[str, tuple[Any, ...]]
INTEGERS: dict[str, Any]
FACTS: dict[str, tuple[tuple[str, int], ...]]
SOLVED: dict[str, tuple[str, int, Callable[[int, Mapping[str, int]], int]]]
CONDITIONS: dict[str, Callable[[Mapping[str, int]], bool]]
SAMPLE: dict[str, int]
FORWARD_INPUTS: tuple[str, ...]
OUTPUTS: tuple[str, ...]
METRICS: tuple[str, ...]
LOSS: str
INFERENCE: dict[str, str]
FORWARD_GIVEN: tuple[str, ...]
INFERENCE_GIVEN: tuple[str, ...]
BUFFERS: dict[str, tuple[Any, ...]]
STARTS: dict[str, float]
FITTED: dict[str, tuple[str, str, int | None]]
RANDOM_AT_INFERENCE: tuple[str, ...]
RANDOM: dict[str, tuple[tuple[Any, ...], str, float]]
BATCH: str | None
GRADIENTS: dict[str, str]
EQUATIONS: dict[int, str]
STOPPED: tuple[str, ...]
DERIVATIVE_INPUTS: tuple[str, ...]
DERIVATIVES: dict[str, str]
MOMENTS: tuple[str, ...]
HYPER: dict[str, float]


def _initial(rng: np.random.Generator, sizes: Mapping[str, int]) -> dict[str, Array]:
    raise NotImplementedError


def _outputs(
    params: Any, data: Mapping[str, Array], sizes: Mapping[str, int], training: bool
) -> dict[str, Array]:
    raise NotImplementedError


def _values(params: Any, data: Mapping[str, Array], sizes: Mapping[str, int]) -> dict[str, Array]:
    raise NotImplementedError


def _differentiate(
    params: Any, gradients: Any, data: Mapping[str, Array], sizes: Mapping[str, int], *, apart: bool = False
) -> dict[str, Array]:
    raise NotImplementedError


def _derived(params: Any, data: Mapping[str, Array], sizes: Mapping[str, int]) -> dict[str, Array]:
    raise NotImplementedError


def _advance(state: Any, data: Mapping[str, Array], sizes: Mapping[str, int]) -> tuple[float, bool]:
    raise NotImplementedError
