"""Which arrays a network trains on: a file of the user's, a text, the network's own data set, or the digits.

Enters: a network with what its file suggests, options. Leaves: arrays by the names of the network's inputs,
and the sizes that they show. Must not know: how the network is trained.

Tables are read by the code that modules carry for it, so that both read the same.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from symbp.errors import DataError, UsageError, meant_file

if TYPE_CHECKING:
    from symbp.cli.target import Target
    from symbp.data import Data
    from symbp.ir.system import System, Tensor
    from symbp.runtime.common.reading.table_columns import _Asked

TABLES = (".csv", ".tsv")
CONTEXT = 64  # characters in a piece of text, where the network leaves its length open


@dataclass(frozen=True)
class Found:
    """The arrays that a network reads; of a table, how its columns were read, as modules keep it, and in a
    line of words; the cells of the column that says which part an example belongs to; by tensor, the values
    that its labels stand for."""

    data: Data
    columns: str = ""
    said: str = ""
    parts: tuple[str, ...] = ()
    classes: Mapping[str, tuple[str, ...]] = field(default_factory=dict)

    @property
    def mapped(self) -> bool:
        """Whether some of it stays in its file."""
        from symbp.runtime.common.arrays.by_rows import _in_file

        return any(map(_in_file, self.data.values()))


def data_for(target: Target, path: str | None, text: str | None, sizes: Mapping[str, int]) -> Data:
    """The arrays that the network reads, and no others. Raises DataError, UsageError."""
    return found_for(target, path, text, sizes).data


def found_for(
    target: Target,
    path: str | None,
    text: str | None,
    sizes: Mapping[str, int],
    column: str | None = None,
    parts: str | None = None,
    left: Sequence[str] = (),
) -> Found:
    """The arrays, and how a table was read, `column` its target, `parts` the column that is no data but says
    which part an example belongs to, `left` those that aren't read. Raises DataError, UsageError."""
    if path and not text and path.lower().endswith(TABLES):
        return _from_table(target.network.system, path, sizes, column, parts, left)
    for option, name in (
        ("--target-column", column), ("--split-column", parts), ("--drop", left and left[0]),
    ):  # fmt: skip
        if name:
            raise UsageError(f"{option} names a column of a table", help="give the table: --data FILE.csv")
    return _from_arrays(target, path, text, sizes)


def _from_arrays(target: Target, path: str | None, text: str | None, sizes: Mapping[str, int]) -> Found:
    """The arrays of a file, a folder, a text or a data set; of images, also what their labels stand for."""
    from symbp.data.images import classes_in, is_of_images

    data = _arrays_for(target, path, text, sizes)
    if text:
        from symbp.data import alphabet
        from symbp.runtime.common.reading.texts import _alphabet_text

        letters = alphabet(_text(text))
        pieces, length = data["x"].shape
        said = f"{text}: {pieces} pieces of {length} characters, {len(letters)} different ones"
        return Found(data, _alphabet_text("".join(letters)), said)
    if not path or not Path(path).is_dir() or not is_of_images(Path(path)):
        return Found(data)
    names = classes_in(Path(path))
    said = f"{path}: {len(data['x'])} images; y: {', '.join(f'{k} {name}' for k, name in enumerate(names))}"
    return Found(data, said=said, classes={"y": names})


def _from_table(
    system: System,
    path: str,
    sizes: Mapping[str, int],
    column: str | None,
    parts: str | None,
    left: Sequence[str],
) -> Found:
    from symbp.runtime.common.arrays.shapes import DataError as NoTable
    from symbp.runtime.common.reading.table_cells import _cells, _cells_of, _without
    from symbp.runtime.common.reading.table_columns import _read_columns, _said

    asked = _asked(system, sizes)
    try:
        whole = _cells(Path(path), None)
        says = tuple(_cells_of(whole, parts)) if parts else ()
        unread = [*left, *([parts] if parts else [])]
        cells = _without(whole, unread)
        arrays, columns = _read_columns(cells, asked, column)
        said = _said(columns, asked, len(cells.rows), unread)
    except NoTable as failure:
        raise DataError(str(failure), where=path) from None
    shaped = {t.name: _as_shaped(arrays[t.name], t, system) for t in _read(system)}
    classes = {c.tensor: c.values for c in columns.columns if c.values is not None}
    return Found(shaped, columns.text(), f"{path}: {said}", says, classes)


def _asked(system: System, sizes: Mapping[str, int]) -> _Asked:
    """What the network reads, for the code that reads tables."""
    from symbp.ir.expr import Size
    from symbp.ir.system import Role
    from symbp.runtime.common.reading.table_columns import _Asked

    known = {Size(name): value for name, value in {**system.bound, **sizes}.items()}

    def value(extent: Any) -> int | None:
        found = extent.xreplace(known) if hasattr(extent, "xreplace") else extent
        return int(found) if str(found).isdigit() else None

    read = _read(system)
    return _Asked(
        {t.name: tuple(value(extent) for extent in t.shape) for t in read},
        {
            t.name: next((value(f.bound) for f in t.facts if f.bound is not None), None)
            for t in read
            if t.integer
        },
        tuple(t.name for t in read if t.role is Role.TARGET),
        tuple(t.name for t in read if any(f.kind == "binary" for f in t.facts)),
    )


def _arrays_for(target: Target, path: str | None, text: str | None, sizes: Mapping[str, int]) -> Data:
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
            help="give a file by --data, its arrays named like the network's inputs: "
            f"np.savez('named.npz', {', '.join(f'{t.name}=f[…]' for t in read)}) with f = np.load(…)",
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
        raise DataError("there is no such text file", where=path, help=meant_file(path)) from None
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
    """The arrays by the network's names. One array without a name has the target in its last column."""
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
    return found


def _as_kind(array: Any, tensor: Tensor) -> Any:
    """A table holds floating point numbers; what the network counts with becomes integers where they are."""
    whole = tensor.integer and bool((array == array.round()).all())
    return array.astype("int64") if whole else array
