"""State_dicts of other libraries: their names and matrices as torch.nn would have them, and back.

Enters: arrays by their keys. Leaves: arrays under the keys of torch.nn's modules. Must not know: networks.

A dialect is a table: which key is which, and whether the matrix stands transposed.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from symbp.errors import DataError, UsageError, choose


@dataclass(frozen=True)
class Dialect:
    """`keys` pairs their key with torch.nn's, a star for a layer's number, and says whether the matrix stands
    transposed; `prefix` may stand in front of all. `constants` are arrays that are no weights, `twins` such
    that must be equal to another one."""

    keys: tuple[tuple[str, str, bool], ...]
    prefix: str = ""
    constants: tuple[str, ...] = ()
    twins: tuple[tuple[str, str], ...] = ()


def _same(*keys: str) -> tuple[tuple[str, str, bool], ...]:
    return tuple((f"{key}.{end}", f"{key}.{end}", False) for key in keys for end in ("weight", "bias"))


DIALECTS: Mapping[str, Dialect | None] = {
    "torch": None,
    # Hugging Face's GPT-2: its Conv1D is a linear map whose matrix has its inputs first.
    "gpt2": Dialect(
        keys=(
            ("wte.weight", "wte.weight", False),
            ("wpe.weight", "wpe.weight", False),
            *_same("h.*.ln_1"),
            ("h.*.attn.c_attn.weight", "h.*.attn.in_proj_weight", True),
            ("h.*.attn.c_attn.bias", "h.*.attn.in_proj_bias", False),
            ("h.*.attn.c_proj.weight", "h.*.attn.out_proj.weight", True),
            ("h.*.attn.c_proj.bias", "h.*.attn.out_proj.bias", False),
            *_same("h.*.ln_2"),
            ("h.*.mlp.c_fc.weight", "h.*.mlp.c_fc.weight", True),
            ("h.*.mlp.c_fc.bias", "h.*.mlp.c_fc.bias", False),
            ("h.*.mlp.c_proj.weight", "h.*.mlp.c_proj.weight", True),
            ("h.*.mlp.c_proj.bias", "h.*.mlp.c_proj.bias", False),
            *_same("ln_f"),
        ),
        prefix="transformer.",
        constants=("h.*.attn.bias", "h.*.attn.masked_bias"),
        twins=(("lm_head.weight", "wte.weight"),),
    ),
}


def read_as(layout: str, arrays: Mapping[str, Any]) -> dict[str, Any]:
    """The arrays under torch.nn's keys. Raises UsageError: no such dialect; DataError: a key that it
    hasn't, a twin that isn't one."""
    dialect = _named(layout)
    if dialect is None:
        return dict(arrays)
    found: dict[str, Any] = {}
    for key, array in arrays.items():
        ours = _ours(dialect, key)
        if ours is not None:
            found[ours[0]] = _turned(array, ours[1], key)
        elif not _is_constant(dialect, key) and not _twin(dialect, key, arrays):
            known = ", ".join(theirs for theirs, _, _ in dialect.keys)
            raise DataError(f"{key!r} is no array of a {layout} model", help=f"its arrays: {known}")
    return found


def written_as(layout: str, arrays: Mapping[str, Any], before: Mapping[str, Any]) -> dict[str, Any]:
    """Arrays with torch.nn's keys under the dialect's; constants and twins as they were there `before`."""
    dialect = _named(layout)
    if dialect is None:
        return dict(arrays)
    prefix = dialect.prefix if not before or any(k.startswith(dialect.prefix) for k in before) else ""
    names = {ours[0]: key for key in before if (ours := _ours(dialect, key)) is not None}
    found: dict[str, Any] = {}
    for key, array in arrays.items():
        theirs, turned = _theirs(dialect, key)
        found[names.get(key, f"{prefix}{theirs}")] = _turned(array, turned, key)
    for key, array in before.items():
        if _is_constant(dialect, key):
            found[key] = array
        for twin, of in dialect.twins:
            if key == twin:
                found[key] = found[next(k for k in found if k in (of, f"{dialect.prefix}{of}"))]
    return found


def _named(layout: str) -> Dialect | None:
    if layout not in DIALECTS:
        raise UsageError(f"no layout is called {layout!r}", help=choose(layout, DIALECTS))
    return DIALECTS[layout]


def _bare(dialect: Dialect, key: str) -> str:
    return key.removeprefix(dialect.prefix)


def _filled(pattern: str, key: str, into: str) -> str | None:
    """`into` with the number that stands at the star of a pattern; None if the key isn't of the pattern."""
    found = re.fullmatch(re.escape(pattern).replace(r"\*", r"(\d+)"), key)
    return None if found is None else into.replace("*", found[1] if found.groups() else "*")


def _ours(dialect: Dialect, key: str) -> tuple[str, bool] | None:
    for theirs, ours, turned in dialect.keys:
        if (filled := _filled(theirs, _bare(dialect, key), ours)) is not None:
            return filled, turned
    return None


def _theirs(dialect: Dialect, key: str) -> tuple[str, bool]:
    for theirs, ours, turned in dialect.keys:
        if (filled := _filled(ours, key, theirs)) is not None:
            return filled, turned
    raise DataError(f"{key!r} has no place in this layout", help="give like=, a state_dict of that model")


def _is_constant(dialect: Dialect, key: str) -> bool:
    return any(_filled(c, _bare(dialect, key), c) is not None for c in dialect.constants)


def _twin(dialect: Dialect, key: str, arrays: Mapping[str, Any]) -> bool:
    """Whether the key is the same array as another one once more. Raises DataError: it isn't the same."""
    for twin, of in dialect.twins:
        if _bare(dialect, key) == twin:
            other = next((arrays[k] for k in arrays if _bare(dialect, k) == of), None)
            if other is None or not np.array_equal(other, arrays[key]):
                raise DataError(f"{key} isn't {of} once more: an output layer of its own isn't taken in")
            return True
    return False


def _turned(array: Any, turned: bool, key: str) -> Any:
    if turned and np.ndim(array) != 2:
        raise DataError(f"{key} is no matrix: it has {np.ndim(array)} axes")
    return np.ascontiguousarray(np.transpose(array)) if turned else array
