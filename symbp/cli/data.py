"""Which arrays a network trains on: a file of the user's, a text, the network's own data set, or the digits.

Enters: a network with what its file suggests, options. Leaves: arrays by the names of the network's inputs,
and the sizes that they show. Must not know: how the network is trained.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from symbp.errors import DataError, UsageError

if TYPE_CHECKING:
    from symbp.cli.target import Target
    from symbp.data import Data
    from symbp.ir.system import System, Tensor

CONTEXT = 64  # characters in a piece of text, where the network leaves its length open


def data_for(target: Target, path: str | None, text: str | None, sizes: Mapping[str, int]) -> Data:
    """The arrays that the network reads, and no others. Raises DataError, UsageError."""
    import symbp as bp

    system = target.network.system
    read = _read(system)
    if not target.trained and not path and not text:
        name = target.network.name
        raise UsageError(
            f"{name} is there for its page and its numbers, and has no data to train on",
            help=f"take steps in numbers: symbp trace {name} --step 0.1 --steps 20; or give it data: --data",
        )
    if path and text:
        raise UsageError("--data and --text are two sources of data", help="give one of them")
    if text:
        what, found = "a text doesn't", bp.data.characters(_text(text), _context(system, sizes))
    elif path:
        what, found = "", _named(bp.data.load(path), read, path)
    elif target.data is not None:
        what, found = "the data that its file names don't", dict(target.data())
    else:
        what, found = "the digits don't", bp.data.digits()
    missing = [tensor.name for tensor in read if tensor.name not in found]
    if missing:
        raise DataError(
            f"the data file has no array {missing[0]!r}" if path else f"{what} fit this network",
            where=path or text,
            details=(
                f"the network reads: {', '.join(tensor.name for tensor in read)}",
                f"the data hold: {', '.join(found)}",
            ),
            help="give a file by --data, its arrays named like the network's inputs",
        )
    return {tensor.name: _as_shaped(found[tensor.name], tensor, system) for tensor in read}


def _as_shaped(array: Any, tensor: Tensor, system: System) -> Any:
    """The array with the axes of length 1 that the network has and the file lacks: images of one channel."""
    from symbp.ir.expr import Size

    single = [
        k
        for k, extent in enumerate(tensor.shape)
        if extent == 1 or (isinstance(extent, Size) and system.bound.get(extent.name) == 1)
    ]
    if single and array.ndim + len(single) == len(tensor.shape):
        return array[tuple(None if k in single else slice(None) for k in range(len(tensor.shape)))]
    return array


def sizes_of(system: System, data: Data, given: Mapping[str, int]) -> dict[str, int]:
    """The given sizes, and those that the data show of what shapes a parameter: by their shapes or, where
    classes are counted, by their largest label. Raises UsageError for one that nothing tells."""
    from symbp.ir.expr import free_sizes

    shaping = sorted({s.name for t in system.parameters for extent in t.shape for s in free_sizes(extent)})
    open_ = [name for name in shaping if name not in system.bound and name not in given]
    found = {name: max(shown) for name in open_ if (shown := _shown(system, data, name))}
    unknown = [name for name in open_ if name not in found]
    if unknown:
        raise UsageError(
            f"nothing tells the size {unknown[0]}",
            details=(f"open sizes of parameters: {', '.join(unknown)}",),
            help=f"give it: --size {unknown[0]}=32, or declare it: {unknown[0]} = bp.dim({unknown[0]!r}, 32)",
        )
    return {**given, **found}


def _shown(system: System, data: Data, size: str) -> list[int]:
    """What the arrays show of a size: as the length of an axis, else as the number of their classes."""
    from symbp.ir.expr import Size

    read = [(system.tensor(name), array) for name, array in data.items()]
    lengths = [
        int(length)
        for tensor, array in read
        for extent, length in zip(tensor.shape, array.shape, strict=False)
        if extent == Size(size)
    ]
    classes = [
        int(array.max()) + 1
        for tensor, array in read
        if array.dtype.kind in "iu" and array.size and any(fact.bound == Size(size) for fact in tensor.facts)
    ]
    return lengths[:1] or classes


def _read(system: System) -> tuple[Tensor, ...]:
    from symbp.ir.system import Role

    return system.with_role(Role.INPUT, Role.TARGET)


def _text(path: str) -> str:
    try:
        return Path(path).read_text(encoding="utf-8")
    except FileNotFoundError:
        raise DataError("there is no such text file", where=path) from None
    except (OSError, UnicodeDecodeError) as error:
        raise DataError("the text can't be read as UTF-8", where=path, details=(str(error),)) from None


def _context(system: System, given: Mapping[str, int]) -> int:
    """How many characters the network reads at a time."""
    from symbp.ir.expr import Size

    lengths = [t.shape[1] for t in _read(system) if t.integer and len(t.shape) == 2]
    if not lengths:
        raise UsageError(
            "--text is for a network that reads characters",
            help='it reads integers, x = bp.tokens("x", (N, T), vocabulary=V), and predicts the next: '
            'y = bp.labels("y", (N, T), classes=V)',
        )
    known = {**system.bound, **given}
    return known.get(lengths[0].name, CONTEXT) if isinstance(lengths[0], Size) else int(lengths[0])


def _named(found: Data, read: Sequence[Tensor], where: str) -> Data:
    """The arrays by the network's names. A table without names has the target in its last column; columns of
    which no tensor has the name are, together, the one input that is not a column."""
    import numpy as np

    from symbp.data import TABLE
    from symbp.ir.system import Role

    if TABLE in found:
        whole = found[TABLE]
        targets = [t for t in read if t.role is Role.TARGET and len(t.shape) == 1]
        inputs = [t for t in read if t not in targets]
        if len(read) == 1:
            return {read[0].name: _as_kind(whole, read[0])}
        if len(inputs) != 1 or len(targets) != 1 or whole.ndim != 2 or whole.shape[1] < 2:
            raise DataError(
                f"one array without a name can't be told into {', '.join(t.name for t in read)}",
                details=(f"its shape: {whole.shape}",),
                where=where,
                help="save the arrays with their names: np.savez(path, x=…, y=…)",
            )
        last, rest = whole[:, -1], whole[:, :-1]
        return {inputs[0].name: _as_kind(rest, inputs[0]), targets[0].name: _as_kind(last, targets[0])}
    if not where.lower().endswith(".csv"):
        return found
    missing = [t for t in read if t.name not in found]
    columns = [array for name, array in found.items() if name not in {t.name for t in read}]
    if len(missing) == 1 and len(missing[0].shape) == 2 and columns:
        found = {**found, missing[0].name: np.stack(columns, 1)}
    return {t.name: _as_kind(found[t.name], t) for t in read if t.name in found} or found


def _as_kind(array: Any, tensor: Tensor) -> Any:
    """A table holds floating point numbers; what the network counts with becomes integers where they are."""
    whole = tensor.integer and bool((array == array.round()).all())
    return array.astype("int64") if whole else array
