"""Columns of a table as arrays: numbers, categories, labels.

Enters: the cells of a table, what a network reads. Leaves: arrays by the names of its tensors, and how each
column was read, which a file of parameters keeps. Must not know: files, separators, how a network is trained.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from symbp.runtime.common.arrays.shapes import DataError
from symbp.runtime.common.reading.table_cells import (
    _DATE,
    _INFINITE,
    _MARKED,
    _Cells,
    _first,
    _is_missing,
    _is_number,
    _listed,
    _named_column,
    _plain,
    _quoted,
)
from symbp.runtime.network import Array

_MOST = 1000  # categories of a column; more are names or texts


@dataclass(frozen=True)
class _Asked:
    """What a network reads: the extents of its tensors where they are known, the number of classes of those
    that hold integers, the tensors that are targets, those that hold 0 and 1."""

    shapes: Mapping[str, tuple[int | None, ...]]
    classes: Mapping[str, int | None]
    targets: tuple[str, ...]
    binary: tuple[str, ...] = ()


@dataclass(frozen=True)
class _Column:
    """A column, the tensor that it goes to, and its categories; None for numbers."""

    name: str
    tensor: str
    values: tuple[str, ...] | None = None


@dataclass(frozen=True)
class _Columns:
    """How a table was read, and whether names stood above."""

    headed: bool
    columns: tuple[_Column, ...]

    def text(self) -> str:
        """As JSON."""
        return json.dumps(
            {"headed": self.headed, "columns": [[c.name, c.tensor, c.values] for c in self.columns]}
        )


def _columns_from(text: str) -> _Columns:
    """Reads what `_Columns.text` wrote."""
    try:
        found = json.loads(text)
        columns = tuple(
            _Column(str(name), str(tensor), None if values is None else tuple(map(str, values)))
            for name, tensor, values in found["columns"]
        )
        return _Columns(bool(found["headed"]), columns)
    except (ValueError, TypeError, KeyError, RecursionError):
        raise DataError("what the file of parameters keeps of a table's columns is damaged") from None


def _read_columns(cells: _Cells, asked: _Asked, target: str | None) -> tuple[dict[str, Array], _Columns]:
    """The arrays of a table that is read for the first time: its own values say what each column is."""
    tensors = _tensors_of(cells, asked, target)
    columns = tuple(
        _Column(name, tensor, _categories(name, _column(cells, k), cells.lines))
        for k, (name, tensor) in enumerate(zip(cells.names, tensors, strict=True))
    )
    return _filled(cells, columns, asked), _Columns(cells.headed, columns)


def _read_again(cells: _Cells, asked: _Asked, known: _Columns) -> dict[str, Array]:
    """The arrays of another table with the columns of one that was read before; targets may be missing."""
    if known.headed:
        present = [c for c in known.columns if c.name in cells.names]
    else:
        ahead = [c for c in known.columns if c.tensor not in asked.targets]
        fewer = len(cells.names) == len(ahead) and tuple(ahead) == known.columns[: len(ahead)]
        present = ahead if fewer else list(known.columns)
        if len(cells.names) != len(present):
            raise DataError(
                f"the table has {len(cells.names)} columns, that of the training had {len(known.columns)}"
            )
    missing = [c.name for c in known.columns if c not in present and c.tensor not in asked.targets]
    if missing:
        raise DataError(
            f"the table has no column {_quoted(missing[0])}, which the network was trained on; "
            f"its columns: {_listed(cells.names)}"
        )
    return _filled(cells, tuple(present), asked)


def _column(cells: _Cells, place: int) -> list[str]:
    return [row[place] for row in cells.rows]


# --- which column goes where
def _tensors_of(cells: _Cells, asked: _Asked, target: str | None) -> list[str]:
    """The tensor of each column. The target is the column that is asked for, or the last; columns that have
    the name of a tensor of one axis go there, all others go together to the one input that is left."""
    names = cells.names
    placed = {} if target is None else {_named_column(cells, target): _one_target(asked)}
    alone = {tensor for tensor, shape in asked.shapes.items() if len(shape) == 1}
    if target is None and set(names) != alone & set(names) and len(asked.targets) == 1:
        (wanted,) = asked.targets
        if wanted in names[:-1]:
            raise DataError(
                f"the column {wanted!r} has the target's name, and the last column is {_quoted(names[-1])}: "
                f"name the target, --target-column {wanted}"
            )
        placed[names[-1]] = wanted
    placed |= {name: name for name in names if name in alone - set(placed.values()) and name not in placed}
    left = [tensor for tensor in asked.shapes if tensor not in placed.values()]
    others = [name for name in names if name not in placed]
    if len(left) > 1 or (left and not others):
        raise DataError(
            f"{len(names)} columns ({_listed(names)}) can't be told into {', '.join(asked.shapes)}: name "
            "columns like inputs of one axis, or give arrays by their names in an .npz file"
        )
    if others and not left:
        raise DataError(
            f"the column {_quoted(others[0])} has the name of no input: the network reads "
            + ", ".join(asked.shapes)
        )
    if left and len(asked.shapes[left[0]]) != 2 and (len(others) > 1 or len(asked.shapes[left[0]]) != 1):
        raise DataError(
            f"{left[0]} has {len(asked.shapes[left[0]])} axes, and columns ({_listed(others)}) make an array "
            "of two: give an .npz file"
        )
    return [placed.get(name) or left[0] for name in names]


def _one_target(asked: _Asked) -> str:
    if len(asked.targets) != 1:
        raise DataError(
            f"the network has {len(asked.targets)} targets, so no column can be named as the target"
        )
    return asked.targets[0]


# --- what a column is
def _categories(name: str, cells: Sequence[str], lines: Sequence[int]) -> tuple[str, ...] | None:
    """The values of a column of text, sorted; None for numbers. Refuses what is neither."""
    if all(map(_is_number, cells)):
        return None
    _refuse_missing(name, cells, lines)
    other = [k for k, cell in enumerate(cells) if not _is_number(cell)]
    for kind, what in (
        (
            _DATE,
            "is a date: write numbers, days since the first or the month, or leave the column out (--drop)",
        ),
        (_MARKED, "is no plain number: write 1234.5, without separators of thousands, decimal commas, units"),
        (_INFINITE, "is not finite"),
    ):
        k = next((k for k in other if kind.fullmatch(cells[k])), None)
        if k is not None:
            raise DataError(f"{_at(lines[k], name)}: {_quoted(cells[k])} {what}")
    if len(other) < len(cells):
        number = next(k for k, cell in enumerate(cells) if _is_number(cell))
        raise DataError(
            f"column {_quoted(name)} holds numbers and text: {_quoted(cells[number])} in line "
            f"{lines[number]}, {_quoted(cells[other[0]])} in line {lines[other[0]]}"
        )
    values = tuple(sorted(set(cells)))
    if len(values) > min(_MOST, max(100, len(cells) // 2)):
        raise DataError(
            f"column {_quoted(name)} has {len(values)} different texts in {len(cells)} lines, "
            f"{_quoted(cells[0])} first: these are no categories; leave the column out (--drop)"
        )
    return values


def _refuse_missing(name: str, cells: Sequence[str], lines: Sequence[int]) -> None:
    k = next((k for k, cell in enumerate(cells) if _is_missing(cell)), None)
    if k is not None:
        raise DataError(
            f"{_at(lines[k], name)}: no value ({_quoted(cells[k])}); leave the line out, or fill it in"
        )


# --- arrays
def _filled(cells: _Cells, columns: tuple[_Column, ...], asked: _Asked) -> dict[str, Array]:
    """The arrays of all tensors that columns go to."""
    arrays = {}
    tensors = dict.fromkeys(c.tensor for c in columns)
    for tensor in sorted(tensors, key=lambda name: name not in asked.targets):  # the plainer errors first
        if tensor not in asked.shapes:
            raise DataError(f"the columns were read for another network: this one has no input {tensor!r}")
        own = [c for c in columns if c.tensor == tensor]
        read = [_read_column(c, _column(cells, cells.names.index(c.name)), cells.lines) for c in own]
        if len(asked.shapes[tensor]) == 1:
            arrays[tensor] = _along_one_axis(own[0], read[0], asked)
        else:
            arrays[tensor] = _side_by_side(tensor, own, read, asked)
        if tensor in asked.classes:
            arrays[tensor] = _whole(own, arrays[tensor], cells.lines)
    return arrays


def _read_column(column: _Column, cells: Sequence[str], lines: Sequence[int]) -> Array:
    """The numbers of a column, or the places of its values among its categories."""
    if column.values is not None:
        _refuse_missing(column.name, cells, lines)
        places = {value: k for k, value in enumerate(column.values)}
        k = next((k for k, cell in enumerate(cells) if cell not in places), None)
        if k is not None:
            raise DataError(
                f"{_at(lines[k], column.name)}: {_quoted(cells[k])} is none of the categories "
                f"{_listed(column.values)}"
            )
        return np.array([places[cell] for cell in cells], np.int64)
    if _categories(column.name, cells, lines) is not None:
        raise DataError(
            f"column {_quoted(column.name)} holds text ({_quoted(cells[0])}), and held numbers in training"
        )
    numbers = np.array([float(cell) for cell in cells], np.float64)
    if not np.isfinite(numbers).all():
        k = int(np.argmin(np.isfinite(numbers)))
        raise DataError(f"{_at(lines[k], column.name)}: {_quoted(cells[k])} is too large for a number")
    return numbers


def _along_one_axis(column: _Column, read: Array, asked: _Asked) -> Array:
    """A column that a tensor of one axis takes: numbers, labels, or 0 and 1."""
    values, tensor = column.values, column.tensor
    if values is None:
        return read
    if tensor in asked.classes:
        most = asked.classes[tensor]
        if most is not None and len(values) > most:
            raise DataError(
                f"column {_quoted(column.name)} has {len(values)} categories, and {tensor} has {most} "
                f"classes: {_listed(values)}"
            )
        return read
    if tensor in asked.binary and len(values) == 2:
        return read.astype(np.float64)
    raise DataError(
        f"column {_quoted(column.name)} holds text ({_listed(values)}), and {tensor} takes numbers: choose "
        "another target (--target-column), or a network with labels"
    )


def _side_by_side(tensor: str, columns: list[_Column], read: list[Array], asked: _Asked) -> Array:
    """Columns beside each other, a category's indicators for each of its values."""
    named = next((c for c in columns if c.values is not None), None)
    if named is not None and tensor in asked.classes:
        raise DataError(f"column {_quoted(named.name)} holds text, and {tensor} takes integers")
    names = [name for c in columns for name in _features(c)]
    size = asked.shapes[tensor][1]
    if size is not None and size != len(names):
        raise DataError(
            f"the columns make {len(names)} features, and {tensor} takes {size}: {', '.join(names[:100])}"
            + (", …" if len(names) > 100 else "")
        )
    wide = np.empty((len(read[0]), len(names)))
    at = 0
    for column, values in zip(columns, read, strict=True):
        width = len(_features(column))
        wide[:, at : at + width] = (
            values[:, None] if column.values is None else values[:, None] == np.arange(width)
        )
        at += width
    return wide


def _features(column: _Column) -> list[str]:
    """The names of what a column becomes where columns stand side by side."""
    if column.values is None:
        return [_plain(column.name)]
    return [_plain(f"{column.name}={value}") for value in column.values]


def _whole(columns: list[_Column], array: Array, lines: Sequence[int]) -> Array:
    """The array as integers, which it must hold."""
    wrong = np.argwhere((array != np.round(array)) | (np.abs(array) > 2**53))
    if len(wrong):
        row, *column = (int(k) for k in wrong[0])
        name = columns[column[0] if column else 0].name
        raise DataError(
            f"line {lines[row]}, column {_quoted(name)}: {array[tuple(wrong[0])]:g} is not an integer, "
            f"and {columns[0].tensor} counts with it"
        )
    return array.astype(np.int64)


# --- outputs as columns
def _outputs_by_column(
    outputs: Mapping[str, Array], known: _Columns, targets: Sequence[str]
) -> dict[str, Array]:
    """Outputs by names of columns: a number for each example under the output's name; several, side by side,
    under `p[left]` where the training's table names as many classes, else under `p[0]`, `p[1]`, …"""
    classes = [c.values for c in known.columns if c.tensor in targets and c.values is not None]
    found: dict[str, Array] = {}
    for name, array in outputs.items():
        if array.ndim not in (1, 2) or len(array) != len(next(iter(outputs.values()))):
            raise DataError(
                f"the output {name} has the shape {array.shape}, and a table takes one or some numbers for "
                "each example: write an .npz file"
            )
        if array.ndim == 1:
            found[name] = array
            continue
        fitting = [values for values in classes if len(values) == array.shape[1]]
        labels = fitting[0] if len(fitting) == 1 else range(array.shape[1])
        found |= {f"{name}[{label}]": array[:, k] for k, label in enumerate(labels)}
    return found


# --- words
def _at(line: int, column: str) -> str:
    return f"line {line}, column {_quoted(column)}"


def _said(found: _Columns, asked: _Asked, examples: int, unread: Sequence[str] = ()) -> str:
    """How a table was read, in a line."""
    parts = [f"{examples} examples, {'names in the first line' if found.headed else 'no line of names'}"]
    for tensor in dict.fromkeys(c.tensor for c in found.columns):
        words = []
        for column in (c for c in found.columns if c.tensor == tensor):
            values = column.values
            if values is None:
                words.append(_plain(column.name))
            elif len(asked.shapes[tensor]) == 1:
                words.append(f"{_plain(column.name)} as labels {_numbered(values)}")
            else:
                words.append(f"{_plain(column.name)} one-hot in {len(values)} ({_listed(values)})")
        kind = "target " if tensor in asked.targets else ""
        parts.append(f"{kind}{tensor}: {_first(words)}")
    if unread:
        parts.append(f"not read: {_listed(unread)}")
    return "; ".join(parts)


def _numbered(values: Sequence[str]) -> str:
    return _first([f"{k} {_plain(value)}" for k, value in enumerate(values)])
