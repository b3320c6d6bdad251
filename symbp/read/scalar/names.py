"""Names for the elements of tensors: w1 … w8 for two weight matrices, h1 and h2 for two hidden units.

Enters: shapes, what the tensors are called. Leaves: a name for each element, no two alike.
Must not know: what the tensors are.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Mapping, Sequence
from math import prod

Shape = tuple[int, ...]
Places = Mapping[Shape, str]


def element_names(shapes: Mapping[str, Shape], called: Mapping[str, str]) -> dict[str, dict[Shape, str]]:
    """The name of each element, by tensor and place. A scalar keeps its tensor's name. W1 and W2 go on
    counting, w1, w2, …; where there is an h beside an h0, each has its own numbers, h1 and h0_1."""
    single = {name for name, shape in shapes.items() if prod(shape) == 1}
    bases = {name: _base(called.get(name, name)) for name in shapes}
    alone = {called.get(name, name).lower() for name in shapes}
    found: dict[str, dict[Shape, str]] = {}
    taken: set[str] = set()
    for name in sorted(shapes, key=lambda n: n not in single):  # scalars choose first
        if name in single:
            own = next(_free(called.get(name, name), taken))
            found[name] = {(0,) * len(shapes[name]): own}
            taken.add(own)
    counters: dict[str, itertools.count[int]] = {}
    for name, shape in shapes.items():
        if name in single:
            continue
        base = bases[name]
        shared = base != called.get(name, name).lower() and base not in alone
        stem = base if shared or base == called.get(name, name).lower() else f"{called.get(name, name)}_"
        counter = counters.setdefault(stem, itertools.count(1))
        found[name] = {}
        for at in itertools.product(*map(range, shape)):
            own = next(one for number in counter for one in [f"{stem}{number}"] if one not in taken)
            found[name][at] = own
            taken.add(own)
    return {name: found[name] for name in shapes}


def _base(name: str) -> str:
    """`W12` → `w`; what is only digits behind is no base."""
    return (name.rstrip("0123456789") or name).lower()


def _free(name: str, taken: set[str]) -> Iterator[str]:
    yield from (
        one
        for one in itertools.chain([name], (f"{name}_{k}" for k in itertools.count(2)))
        if one not in taken
    )


def ordered(names: Mapping[str, Places]) -> Sequence[str]:
    """All names, tensor by tensor."""
    return [one for places in names.values() for one in places.values()]
