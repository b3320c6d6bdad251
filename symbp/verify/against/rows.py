"""The rows of a report: one for each tensor that was answered, or should have been.

Enters: what was compared and who is to blame. Leaves: rows, the first wrong tensor.
Must not know: how a repair is searched for.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from symbp.verify.against.answer import Compared, Repair
from symbp.verify.against.blame import Blame
from symbp.verify.against.differing import Difference
from symbp.verify.against.matching import Matched
from symbp.verify.against.reference import Reference
from symbp.verify.against.report import TensorRow, Verdict

COARSE = 1e-3  # what numbers of single precision may be off


def rows_of(
    reference: Reference,
    matched: Matched,
    found: Mapping[str, Difference],
    blamed: Blame,
    repairs: Mapping[str, Repair],
    dtype: Any,
) -> list[TensorRow]:
    """Rows in the order of the forward and then the backward pass."""
    every = sorted({*matched.compared, *matched.missing}, key=reference.place)
    rows = []
    for tensor in every:
        if tensor in matched.missing:
            why = "the code returns no such gradient"
            rows.append(_blank(reference, tensor, "", "gradient", "missing", why))
        else:
            rows.append(_row(reference, matched, tensor, found, blamed, repairs, dtype))
    return rows


def first(reference: Reference, rows: list[TensorRow], blamed: Blame) -> str:
    """The tensor that is wrong first: what follows from others, or is missing, only where nothing else is."""
    wrong = {row.tensor: row for row in rows if not row.ok}
    misshapen = [tensor for tensor, row in wrong.items() if row.verdict in ("shape", "dtype")]
    own = [shown for shown in map(reference.shown, blamed.own) if shown in wrong]
    return next(iter([*own, *misshapen, *wrong]), "")


def _row(
    reference: Reference,
    matched: Matched,
    tensor: str,
    found: Mapping[str, Difference],
    blamed: Blame,
    repairs: Mapping[str, Repair],
    dtype: Any,
) -> TensorRow:
    one, repair = matched.compared[tensor], repairs.get(tensor)
    if tensor in matched.shapes:
        row = _blank(reference, tensor, one.theirs, one.kind, "shape", matched.shapes[tensor])
        return _repaired(row, repair)
    difference = found[tensor]
    seen = one.seen[difference.at]
    verdict, why = _verdict(tensor, one, difference, blamed, dtype)
    row = TensorRow(
        reference.shown(tensor),
        one.theirs,
        one.kind,
        verdict,
        reference.axes(tensor),
        difference.element,
        difference.answered,
        difference.right,
        difference.absolute,
        difference.relative,
        difference.compared,
        dict(seen.point.sizes),
        why,
        follows=tuple(map(reference.shown, (blamed.follows or {}).get(tensor, ()))),
        equation=reference.equation(tensor),
    )
    return _repaired(row, repair)


def _verdict(
    tensor: str, one: Compared, difference: Difference, blamed: Blame, dtype: Any
) -> tuple[Verdict, str]:
    if tensor in blamed.other:
        if one.kind == "value":
            return "not compared", "the loss is right all the same: it is something else in the code"
        return "not compared", "no gradient rests on it as it is: it is something else in the code"
    kind = mistyped(one, dtype)
    if difference.missing_values:
        count = difference.missing_values
        return "no value", f"no finite number in {count} element{'s' if count > 1 else ''}"
    if (blamed.follows or {}).get(tensor):
        return "follows", ""
    if not difference.ok:
        return ("dtype", kind) if kind and difference.relative < COARSE else ("wrong", kind or _ratio(one))
    if not difference.compared:
        return "not compared", "rounding decides its value at every point"
    return ("dtype", kind) if kind else ("right", "")


def _ratio(one: Compared) -> str:
    """The one number by which a tensor is off at every point, if there is one."""
    found = []
    for seen in one.seen:
        large = np.abs(seen.right) > 1e-3 * np.max(np.abs(seen.right), initial=0.0)
        found += [np.asarray(seen.answered)[large] / seen.right[large]]
    ratios = np.concatenate([part.ravel() for part in found]) if found else np.zeros(0)
    if not ratios.size or np.ptp(ratios) > 1e-6 * np.abs(ratios[0]) or abs(ratios[0]) < 1e-9:
        return ""
    if abs(ratios[0] - 1) < 1e-6:  # only what is small beside the rest is wrong
        return ""
    return (
        "its sign is the other one"
        if abs(ratios[0] + 1) < 1e-6
        else f"it is {ratios[0]:.6g} times what it should be"
    )


def mistyped(one: Compared, dtype: Any) -> str:
    """What is wrong with the type of a gradient's numbers, if anything is."""
    if one.kind == "value":
        return ""
    types = {np.asarray(seen.answered).dtype for seen in one.seen}
    wrong = [t for t in types if t.kind != "f" or t.itemsize < np.dtype(dtype).itemsize]
    return f"its numbers are {wrong[0]}, where {np.dtype(dtype)} was given" if wrong else ""


def _blank(
    reference: Reference, tensor: str, theirs: str, kind: str, verdict: Verdict, why: str
) -> TensorRow:
    return TensorRow(
        reference.shown(tensor),
        theirs,
        kind,
        verdict,
        reference.axes(tensor),
        why=why,
        equation=reference.equation(tensor),
    )


def _repaired(row: TensorRow, repair: Repair | None) -> TensorRow:
    if repair is None:
        return row
    why = row.why if row.verdict == "shape" else ""
    return TensorRow(**{**vars(row), "why": why, "slip": repair.slip, "repair": repair.hint})
