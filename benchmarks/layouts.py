"""How a framework keeps a row's parameters: as other arrays than the row names, and back again.

Enters and leaves: named NumPy arrays.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np

Arrays = Mapping[str, np.ndarray]


@dataclass(frozen=True)
class Layout:
    """`to` makes the framework's arrays of the row's, `back` the row's of the framework's."""

    to: Callable[[Arrays], dict[str, np.ndarray]]
    back: Callable[[Arrays], dict[str, np.ndarray]]


PLAIN = Layout(dict, dict)


def split(*stacked: str) -> Layout:
    """Parameters stacked over layers as one array for each layer: `W` as `W.0`, `W.1`, …"""

    def to(arrays: Arrays) -> dict[str, np.ndarray]:
        found = {}
        for name, array in arrays.items():
            parts = {f"{name}.{k}": part.copy() for k, part in enumerate(array)}
            found |= parts if name in stacked else {name: array}
        return found

    def back(arrays: Arrays) -> dict[str, np.ndarray]:
        found: dict[str, list[np.ndarray]] = {}
        for name, array in arrays.items():
            found.setdefault(name.partition(".")[0], []).append(array)
        return {name: np.stack(parts) if name in stacked else parts[0] for name, parts in found.items()}

    return Layout(to, back)


def gates(order: tuple[int, ...]) -> Layout:
    """Weights (D, G, H) as (G·H, D), offsets (G, H) as G·H, the row's gates in another order."""
    inverse = tuple(order.index(k) for k in range(len(order)))

    def to(arrays: Arrays) -> dict[str, np.ndarray]:
        found = dict(arrays)
        for name in ("W", "U"):
            array = arrays[name].reshape(len(arrays[name]), len(order), -1)
            found[name] = array[:, order].reshape(len(array), -1).T.copy()
        for name in {"b", "c"} & set(arrays):
            found[name] = arrays[name].reshape(len(order), -1)[order, :].reshape(-1).copy()
        return found

    def back(arrays: Arrays) -> dict[str, np.ndarray]:
        found = dict(arrays)
        for name in ("W", "U"):
            array = arrays[name].T.reshape(arrays[name].shape[1], len(order), -1)
            found[name] = array[:, inverse]
        for name in {"b", "c"} & set(arrays):
            found[name] = arrays[name].reshape(len(order), -1)[inverse, :]
        return found

    return Layout(to, back)


def fused_attention(heads: int) -> Layout:
    """A GPT's blocks one by one, query, key and value of each as one matrix: `Wqkv.0` (D, 3·D), `bqkv.0`."""
    plain = ("wa", "oa", "Wo", "bo", "wb", "ob", "W1", "b1", "W2", "b2")
    ends = ("We", "Wp", "wf_f", "of_f")

    def to(arrays: Arrays) -> dict[str, np.ndarray]:
        found = {name: arrays[name] for name in ends[:2]}
        depth, width = arrays["wa_"].shape
        for k in range(depth):
            weights = [arrays[f"W{part}_"][k].reshape(width, -1) for part in "qkv"]
            found[f"Wqkv.{k}"] = np.concatenate(weights, 1)
            found[f"bqkv.{k}"] = np.concatenate([arrays[f"b{part}_"][k].reshape(-1) for part in "qkv"])
            found |= {f"{name}.{k}": arrays[f"{name}_"][k].copy() for name in plain}
            found[f"Wo.{k}"] = found[f"Wo.{k}"].reshape(-1, width)
        return found | {name: arrays[name] for name in ends[2:]}

    def back(arrays: Arrays) -> dict[str, np.ndarray]:
        found = {name: arrays[name] for name in ends}
        blocks, width = range(sum(name.startswith("wa.") for name in arrays)), arrays["We"].shape[1]
        for number, part in enumerate("qkv"):
            columns = slice(number * width, (number + 1) * width)
            weights = [arrays[f"Wqkv.{k}"][:, columns].reshape(width, heads, -1) for k in blocks]
            offsets = [arrays[f"bqkv.{k}"][columns].reshape(heads, -1) for k in blocks]
            found |= {f"W{part}_": np.stack(weights), f"b{part}_": np.stack(offsets)}
        found |= {f"{name}_": np.stack([arrays[f"{name}.{k}"] for k in blocks]) for name in plain}
        found["Wo_"] = found["Wo_"].reshape(len(blocks), heads, -1, width)
        return found

    return Layout(to, back)
