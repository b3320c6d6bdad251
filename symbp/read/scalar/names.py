"""Names for the elements of tensors: w1 … w8 for two weight matrices, h1 and h2 for two hidden units.

Enters: shapes, what the tensors are called, names that their author chose. Leaves: a name for each element,
no two alike. Must not know: what the tensors are.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Mapping, Sequence
from math import prod

from symbp.errors import UsageError

Place = tuple[int, ...]
Shape = tuple[int, ...]


def element_names(
    shapes: Mapping[str, Shape],
    called: Mapping[str, str],
    chosen: Mapping[str, Sequence[str]] | None = None,
) -> dict[str, dict[Place, str]]:
    """The name of each element, by tensor and place; those `chosen` come first. A tensor of one element keeps
    its own. W1 and W2 go on counting, w1, w2, …; where there is an h beside an h0, each has its own numbers,
    h1 and h0_1. Raises UsageError: other than one chosen name for each element, or one name twice."""
    chosen = chosen or {}
    found, taken = dict[str, dict[Place, str]](), set[str]()
    counters: dict[str, Iterator[int]] = {}
    single = {name for name, shape in shapes.items() if prod(shape) == 1}
    for name in sorted(shapes, key=lambda n: 0 if n in chosen else 1 if n in single else 2):
        places = list(itertools.product(*map(range, shapes[name])))
        if name in chosen:
            own: Iterator[str] = iter(_checked(name, chosen[name], len(places), taken))
        elif name in single:
            own = itertools.chain([called[name]], (f"{called[name]}_{k}" for k in itertools.count(2)))
        else:
            stem = _stem(called[name], {called[n] for n in shapes})
            counter = counters.setdefault(stem, itertools.count(1))
            own = (f"{stem}{number}" for number in counter)
        found[name] = {}
        for at in places:
            found[name][at] = next(one for one in own if one not in taken)
            taken.add(found[name][at])
    return {name: found[name] for name in shapes}


def _stem(word: str, words: set[str]) -> str:
    """What stands before the numbers: `w` for W1 and for W; `h0_` for h0 where there is an h, too."""
    base = (word.rstrip("0123456789") or word).lower()
    return base if base == word.lower() or base not in {one.lower() for one in words} else f"{word}_"


def _checked(name: str, chosen: Sequence[str], count: int, taken: set[str]) -> Sequence[str]:
    if len(chosen) != count:
        raise UsageError(
            f"{name} has {count} elements here, and {len(chosen)} names: {', '.join(chosen)}",
            help="give elements={name: [a name for each]}, or choose the sizes that the names are for",
        )
    twice = [one for k, one in enumerate(chosen) if one in taken or one in chosen[:k]]
    if twice:
        raise UsageError(f"{twice[0]} is the name of two elements", help="choose another one in elements=…")
    return chosen
