"""What to train on and what to hold out: at random, with as much of each class in both, or as a column says.

Enters: arrays by name, one row an example. Leaves: the same in parts. Must not know: networks, files.

Modules split by the same code, which they carry; of arrays in files nothing is read.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

from symbp.data.reading import Data
from symbp.errors import DataError


@contextmanager
def _as_ours() -> Iterator[None]:
    """Errors as the rest of symbp has them."""
    from symbp.runtime.common.arrays.shapes import DataError as Refused

    try:
        yield
    except Refused as failure:
        raise DataError(str(failure)) from None


def split(
    data: Mapping[str, Any], held_out: int | None = None, seed: int = 0, stratify: str | None = None
) -> tuple[Data, Data]:
    """(what to train on, what is held out): the first `held_out` examples of a seeded permutation are held
    out, a fifth by default (359 of the 1,797 digits). With `stratify`, the name of an array of classes (N,),
    of each class the same share, up to rounding.

    Raises DataError when the arrays differ in their numbers of examples, or too few would be left.
    """
    from symbp.runtime.common.reading import splitting

    with _as_ours():
        count = splitting._examples(data)
        return splitting._split(data, count // 5 if held_out is None else held_out, seed, stratify)


def split_by(data: Mapping[str, Any], says: Sequence[str]) -> tuple[Data, Data, Data]:
    """(train, validation, test) as each example's word says: `train` or 0, `validation`, `test` or 1. Raises
    DataError: another word, nothing to train on or to test on."""
    from symbp.runtime.common.reading import splitting

    with _as_ours():
        train, validation, test = splitting._split_by(data, says)
    return train, validation, test
