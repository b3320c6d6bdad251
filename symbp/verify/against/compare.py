"""Somebody's backward pass beside a derivation: asked, matched, compared, and the first mistake named.

Enters: a derivation, a backward pass. Leaves: a report.
Must not know: how code is run, how a repair is searched for.

What is wrong is what is wrong at the declared sizes. At free ones, where no two agree, code is asked in order
to tell a transpose from its matrix and 1/N from 1/K; what differs only there is a note.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from symbp.derive.derivation import Derivation
from symbp.errors import SymbpError, UsageError
from symbp.verify.against.answer import Answer, Array, Backward, Compared, Repair
from symbp.verify.against.blame import Blame, blame
from symbp.verify.against.differing import Difference, differences, same, tolerance
from symbp.verify.against.guessing import guessed
from symbp.verify.against.matching import Matched, matched
from symbp.verify.against.places import places
from symbp.verify.against.reference import Reference
from symbp.verify.against.report import AgainstReport
from symbp.verify.against.rows import first, rows_of
from symbp.verify.against.spelled import Spelled
from symbp.verify.against.wording import explained
from symbp.verify.points import Point

FindRepair = Callable[[Derivation, Compared, Mapping[str, tuple[Array, ...]]], Repair | None]
MOST_REPAIRS = 3  # each search may take seconds


@dataclass(frozen=True)
class Judged:
    """What was found at some points."""

    points: tuple[Point, ...]
    matched: Matched
    found: Mapping[str, Difference]
    blame: Blame

    @property
    def wrong(self) -> set[str]:
        """What differs, or has another shape."""
        return {t for t, d in self.found.items() if not d.ok and t not in self.blame.other} | {
            *self.matched.shapes
        }


def compare(
    spelled: Spelled,
    backward: Backward,
    *,
    sizes: Mapping[str, int] | None = None,
    seed: int = 0,
    hyper: Mapping[str, float] | None = None,
    find_repair: FindRepair | None = None,
) -> AgainstReport:
    """The report on a backward pass."""
    reference = spelled.reference
    chosen = places(reference.derivation, sizes=sizes, seed=seed, hyper=hyper)
    if not chosen.declared:
        raise UsageError("no point was found at which the loss has a value", help="choose other sizes")
    apart = getattr(backward, "apart", False)  # it has no sizes of its own, and may take long at large ones
    anywhere = bool(apart and chosen.free)
    points = tuple(_in(point, backward.dtype) for point in (chosen.free if anywhere else chosen.declared))
    answers = [backward.at(point) for point in points]
    dtype = own_precision(answers, backward.dtype)
    here = judged(spelled, points, answers, dtype, apart=apart)
    free = tuple(_in(point, backward.dtype) for point in chosen.free if not anywhere)
    there = _elsewhere(spelled, backward, free, dtype)
    repairs = _repairs(reference, here, there, find_repair) if find_repair else {}
    rows = rows_of(reference, here.matched, here.found, here.blame, repairs, dtype)
    return AgainstReport(
        reference.derivation.name,
        backward.name,
        tuple(rows),
        first(reference, rows, here.blame),
        tuple(_unsteady(answers[0], backward.at(points[0]), tolerance(dtype))),
        (
            *here.matched.notes,
            *_behind(reference, here.blame),
            *_unknown(here.matched, answers),
            *([f"it computes in {dtype}, whatever it is given"] if dtype != backward.dtype else []),
            *_changed(answers),
            *_only_there(reference, here, there),
        ),
        dict(points[0].sizes),
        len(points),
        seed,
    )


def judged(
    spelled: Spelled,
    points: tuple[Point, ...],
    answers: Sequence[Answer],
    dtype: Any,
    *,
    apart: bool = False,
) -> Judged:
    """Answers at points, matched and compared; `apart`, if each is made of right values, not of others."""
    reference = spelled.reference
    found = matched(reference, spelled, points, answers)
    loose = np.dtype(dtype) != np.float64
    off = differences(reference, found.compared, dtype)
    if apart:
        own = sorted((t for t in off if not off[t].ok), key=reference.place)
        return Judged(points, found, off, Blame(tuple(own)))
    blamed = blame(reference, found.compared, off, loose=loose)
    if blamed.own and found.left and not loose:
        known = {t: found.compared[t] for t in off if t not in blamed.other}
        wrong = [t for t in known if not off[t].ok]
        more = guessed(reference, points, known, wrong, found.left, answers[0].passed)
        if more:
            found = with_guessed(reference, found, more)
            off = differences(reference, found.compared, dtype)
            blamed = blame(reference, found.compared, off, loose=loose)
    return Judged(points, found, off, blamed)


def with_guessed(reference: Reference, found: Matched, more: Mapping[str, Compared]) -> Matched:
    """What was matched, and what shows in what was made of it."""
    names = {one.theirs for one in more.values()}
    told = [
        f"{one.theirs} was taken for {reference.shown(t)}, by what was made of it" for t, one in more.items()
    ]
    every = {**found.compared, **more}
    return replace(
        found,
        compared={t: every[t] for t in sorted(every, key=reference.place)},
        left={name: arrays for name, arrays in found.left.items() if name not in names},
        notes=(*found.notes, *told),
    )


def own_precision(answers: Sequence[Answer], given: Any) -> Any:
    """The floating point numbers in which code computes: those that all its gradients are, if it has no
    others, else those that it was given."""
    types = {np.asarray(array).dtype for answer in answers for array in answer.gradients.values()}
    alone = len(types) == 1 and all(len(answer.gradients) > 1 for answer in answers)
    own = next(iter(types)) if alone else np.dtype(given)
    coarser = own.kind == "f" and 4 <= own.itemsize < np.dtype(given).itemsize
    return own if coarser else np.dtype(given)


def _elsewhere(spelled: Spelled, backward: Backward, points: tuple[Point, ...], dtype: Any) -> Judged | None:
    """The same at free sizes; None where the code can't be asked there."""
    try:
        answers = [backward.at(point) for point in points]
        return judged(spelled, points, answers, dtype) if answers else None
    except SymbpError:
        return None


def _in(point: Point, dtype: Any) -> Point:
    """The point in a precision."""
    if np.dtype(dtype) == np.float64:
        return point
    values = {n: a.astype(dtype).astype(float) if a.dtype.kind == "f" else a for n, a in point.values.items()}
    return replace(point, values=values)


# --- repairs
def _repairs(
    reference: Reference, here: Judged, there: Judged | None, find_repair: FindRepair
) -> dict[str, Repair]:
    """What mends each tensor that is wrong by itself; sought at free sizes first, if it is wrong there, too,
    and the code works there: a convolution written for a kernel of 3×3 is wrong at others for another
    reason."""
    found = dict[str, Repair]()
    mended = [*here.blame.own, *(t for t in here.matched.shapes if t not in here.blame.own)]
    for tensor in mended[:MOST_REPAIRS]:
        known = [one for one in found.values() if tensor in one.explains]
        if known:
            found[tensor] = known[0]
            continue
        fits = there is not None and tensor in there.wrong and there.wrong <= here.wrong
        places = [there, here] if there is not None and fits else [here]
        tried = (_repair(reference, at, tensor, find_repair) for at in places)
        repair = next((one for one in tried if one is not None), None)
        if repair is not None:
            found[tensor] = repair
    return found


def _repair(reference: Reference, at: Judged, tensor: str, find_repair: FindRepair) -> Repair | None:
    known = {t: one for t, one in at.matched.compared.items() if t in at.found and t not in at.blame.other}
    derivation, called = reference.holding(tensor)
    if tensor not in called:
        return None
    given = {
        called[t]: tuple(seen.answered for seen in one.seen)
        for t, one in known.items()
        if t != tensor and t in called
    }
    one = at.matched.compared[tensor]
    repair = find_repair(derivation, replace(one, tensor=called[tensor]), given)
    if repair is None:
        return None
    explains = frozenset(t for t in known if called.get(t) in repair.explains)
    return explained(reference, derivation.system, replace(repair, explains=explains))


# --- what else is to be said
def _unsteady(once: Answer, again: Answer, close: float) -> list[str]:
    """What isn't the same when it is asked for twice."""
    losses = {} if once.loss is None else {"the loss": np.asarray(once.loss)}
    second = {"the loss": np.asarray(np.nan if again.loss is None else again.loss), **again.gradients}
    pairs = [(name, np.asarray(a), second.get(name)) for name, a in {**losses, **once.gradients}.items()]
    names = [name for name, a, b in pairs if b is None or not same(a, np.asarray(b), close)]
    if not names:
        return []
    return [f"not the same twice at one point (drawn at random, or left from before): {', '.join(names)}"]


def _behind(reference: Reference, blamed: Blame) -> list[str]:
    """Where to look first, if the code doesn't show it."""
    if not blamed.behind:
        return []
    own, behind = ", ".join(map(reference.shown, blamed.own)), reference.shown(blamed.behind)
    return [f"{own} rest on {behind}, and nothing that is right does: look there first"]


def _unknown(found: Matched, answers: Sequence[Answer]) -> list[str]:
    """What was returned among gradients and is none."""
    names = [name for name in answers[0].gradients if name in found.left]
    return [f"{', '.join(names)}: no gradient of the network, not compared"] if names else []


def _changed(answers: Sequence[Answer]) -> list[str]:
    names = list(dict.fromkeys(name for answer in answers for name in answer.changed))
    return [f"it writes to its arguments: {', '.join(names)}"] if names else []


def _only_there(reference: Reference, here: Judged, there: Judged | None) -> list[str]:
    """What is right at the declared sizes and nowhere else."""
    if there is None or reference.loss in there.wrong:
        return []
    names = [t for t in there.blame.own if t in here.found and here.found[t].ok]
    if here.wrong or not names:
        return []
    shown = ", ".join(map(reference.shown, names))
    seen = there.matched.compared[names[0]].seen[there.found[names[0]].at]
    sizes = ", ".join(f"{name} = {value}" for name, value in seen.point.sizes.items())
    return [f"at other sizes than the declared ones it differs: {shown} (at {sizes})"]
