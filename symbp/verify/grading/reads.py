"""Elements and slices of tensors in an answer: `h[n,j]`, `h_{t-1}`, `h[:, t]`, `E[centre]`, `y[n,k]`.

Enters: a read, the meaning of an answer. Leaves: a `Value`. Must not know: other parts of answers.

Beyond the range of a subscript is what stands behind `|`, else 0. Where a tensor has fewer subscripts than
axes, they stand at the axes that are as long as their indices run.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from fractions import Fraction
from typing import TYPE_CHECKING

import numpy as np

from symbp.read.grammar.answers import WHOLE
from symbp.read.grammar.axes import Subscript, standing
from symbp.read.grammar.syntax import Name, Read, Subscripted, Tree
from symbp.verify.grading.values import Array, Misfit, Value, bounded
from symbp.verify.proofs.evaluation import Refused

if TYPE_CHECKING:
    from symbp.verify.grading.evaluation import Meaning

Scope = Mapping[str, int]


def read(meaning: Meaning, node: Read | Subscripted, scope: Scope) -> Value:
    """The elements of a tensor at subscripts. Raises Misfit: an index that runs farther than the axis at
    which it stands."""
    if isinstance(node, Read) and any(map(_is_new, node.subscripts)):
        return _with_new_axes(meaning, node, scope)
    tensor = meaning.value(node.tensor, scope)
    subscripts = [None if _is_whole(s) else s for s in node.subscripts]
    if tensor.labels is not None and len(subscripts) == tensor.rank + 1:
        tensor = meaning.one_hot(tensor, node)
    if tensor.index:
        raise meaning.error(node, "an element has no elements")
    placed = _placed(meaning, node, tensor, subscripts, scope)
    gathered = [None if s is None else _subscript(meaning, s, scope) for s in placed]
    lists = [k for k, value in enumerate(gathered) if value is not None and value.rank]
    if lists:
        return _rows(meaning, node, tensor, gathered, lists)
    for subscript, value, length in zip(placed, gathered, tensor.shape, strict=True):
        if isinstance(subscript, Name) and value is not None and value.index and value.array.size != length:
            what = f"the index {subscript.name} runs along two axes of other lengths"
            raise Misfit(what, node.span, ((value.array.size,), (length,)))
    return _gathered(meaning, node, tensor, gathered, scope)


def _is_whole(node: Tree | None) -> bool:
    return node is None or (isinstance(node, Name) and node.name == WHOLE)


def _is_new(node: Tree) -> bool:
    return isinstance(node, Name) and node.name in ("None", "newaxis")


def _with_new_axes(meaning: Meaning, node: Read, scope: Scope) -> Value:
    """`v[:, None]`, with an axis of one element."""
    if not all(_is_whole(s) or _is_new(s) for s in node.subscripts):
        raise meaning.error(node, "beside None only : is a subscript")
    value = meaning.value(node.tensor, scope)
    value = value if value.integer else meaning.real(node.tensor, scope)
    if sum(map(_is_whole, node.subscripts)) > value.rank:
        raise Misfit("too many subscripts", node.span, (value.shape,))
    array, fits = value.array, list(value.fits)
    for place, subscript in enumerate(node.subscripts):
        if _is_new(subscript):
            array = np.expand_dims(array, len(value.index) + place)
            fits.insert(place, False)
    return Value(array, value.index, tuple(fits), integer=value.integer, labels=value.labels)


def _subscript(meaning: Meaning, node: Tree, scope: Scope) -> Value:
    value = meaning.value(node, scope)
    if not value.integer:
        raise meaning.error(node, "a subscript is a whole number")
    return value


def _placed(
    meaning: Meaning, node: Read | Subscripted, tensor: Value, subscripts: Sequence[Tree | None], scope: Scope
) -> list[Tree | None]:
    """A subscript, or None, for each axis."""
    if len(subscripts) > tensor.rank:
        raise meaning.error(node, f"{len(subscripts)} subscripts of a tensor with {tensor.rank} axes")
    if len(subscripts) == tensor.rank or None in subscripts:
        return [*subscripts, *[None] * (tensor.rank - len(subscripts))]
    words, described = _axes(meaning, node, tensor), []
    for subscript in subscripts:
        assert subscript is not None
        value = _subscript(meaning, subscript, scope)
        longs = {name: meaning.names.ranges.get(name, frozenset()) for name in value.index}
        lengths = {str(length) for found in longs.values() for length in found}
        if not lengths & set(words):  # an index of the student's own: as long as an axis is here
            some = {scope[name] for name in value.index}
            below = meaning.place.bound(value.labels) if value.rank and value.labels is not None else None
            some |= {below} if below is not None else set()
            lengths = {word for word, n in zip(words, tensor.shape, strict=True) if n in some}
        running = bool(value.index or value.rank)
        sizes = {meaning.names.sizes.get(n.name) for n in subscript.walk() if isinstance(n, Name)}
        named = frozenset(size for size in sizes if isinstance(size, str))
        described.append(Subscript(frozenset(lengths)) if running else Subscript(sizes=named))
    axes = standing(described, words)
    if axes is None:
        raise Misfit("these subscripts fit none of the axes", node.span, (tensor.shape,))
    found: list[Tree | None] = [None] * tensor.rank
    for axis, subscript in zip(axes, subscripts, strict=True):
        found[axis] = subscript
    return found


def _axes(meaning: Meaning, node: Read | Subscripted, tensor: Value) -> list[str]:
    """The length of each axis in sizes, or as a number where nothing says more."""
    name = meaning.names.tensors.get(node.tensor.name) if isinstance(node.tensor, Name) else None
    if name is None or name.startswith("∂") or len(meaning.names.sheet.shape(name)) != tensor.rank:
        return [str(length) for length in tensor.shape]
    return [str(extent) for extent in meaning.names.sheet.shape(name)]


def _gathered(
    meaning: Meaning, node: Read | Subscripted, tensor: Value, gathered: Sequence[Value | None], scope: Scope
) -> Value:
    """Named axes for the indices of the subscripts, then the axes that are left."""
    fixed = [k for k, value in enumerate(gathered) if value is not None]
    left = [k for k, value in enumerate(gathered) if value is None]
    index = tuple(dict.fromkeys(name for value in gathered if value is not None for name in value.index))
    array = np.transpose(tensor.array, [*fixed, *left])
    rest = (1,) * len(left)
    places, inside = [], np.array(True)
    for axis in fixed:
        value = gathered[axis]
        assert value is not None
        place = value.named(index).astype(np.int64)
        inside = inside & (place >= 0) & (place < tensor.shape[axis])
        places.append(np.clip(place, 0, tensor.shape[axis] - 1))
    shape = np.broadcast_shapes(*(place.shape for place in places))
    bounded((*shape, *(tensor.shape[k] for k in left)))
    found = array[tuple(np.broadcast_to(place, shape) for place in places)]
    found = _object(found) if tensor.integer else meaning.numbers.array(found)
    fits = tuple(tensor.fits[k] for k in left)
    inside = np.broadcast_to(inside, shape).reshape((*shape, *rest))
    if not np.any(inside):
        raise Refused("a subscript lies beyond all sizes that are tried")
    if not np.all(inside):
        if tensor.integer:
            found = np.where(inside, found, -1)
        else:
            found = meaning.numbers.array(np.where(inside, found, _beyond(meaning, node, index, scope, rest)))
    return Value(found, index, fits, integer=tensor.integer, labels=tensor.labels)


def _beyond(
    meaning: Meaning, node: Read | Subscripted, index: tuple[str, ...], scope: Scope, rest: tuple[int, ...]
) -> Array:
    if node.outside is None:
        return meaning.numbers.rational(Fraction(0))
    value = meaning.real(node.outside, scope)
    array = value.named(index)
    return array if value.rank else array.reshape((*array.shape, *rest))


def _rows(
    meaning: Meaning,
    node: Read | Subscripted,
    tensor: Value,
    gathered: Sequence[Value | None],
    lists: list[int],
) -> Value:
    """`E[centre]`: the rows that labels select, a plain axis for each of theirs; `p[arange(N), y]`: an
    element for each pair."""
    pairs = [value for value in gathered if value is not None]
    if len(lists) == len(gathered) > 1 and len({value.array.shape for value in pairs}) == 1:
        at = [value.array.astype(np.int64) for value in pairs]
        if any(((k < 0) | (k >= n)).any() for k, n in zip(at, tensor.shape, strict=True)):
            raise Misfit("a place lies beyond the tensor", node.span, (tensor.shape,))
        found = tensor.array[tuple(at)]
        found = _object(found) if tensor.integer else meaning.numbers.array(found)
        return Value(found, pairs[0].index, pairs[0].fits, integer=tensor.integer)
    if len(lists) != 1 or any(value is not None for k, value in enumerate(gathered) if k not in lists):
        raise meaning.error(node, "only one subscript may be a list of labels")
    (axis,) = lists
    labels = gathered[axis]
    assert labels is not None
    places = labels.array.astype(np.int64)
    if np.any(places < 0) or np.any(places >= tensor.shape[axis]):
        raise Misfit("a label selects no row", node.span, (tensor.shape,))
    array = np.moveaxis(tensor.array, axis, 0)[places]
    rest = tuple(f for k, f in enumerate(tensor.fits) if k != axis)
    found = _object(array) if tensor.integer else meaning.numbers.array(array)
    return Value(found, labels.index, (*labels.fits, *rest), integer=tensor.integer)


def _object(array: Array) -> Array:
    found = np.empty(np.shape(array), dtype=object)
    found[...] = array
    return found
