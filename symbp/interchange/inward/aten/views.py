"""PyTorch's operations that look at tensors in other ways, and those that make constants: what each one is.

Enters: a step, its arguments under PyTorch's names. Leaves: values. Must not know: other operations, modules.
"""

from __future__ import annotations

import operator
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
import sympy

from symbp.interchange.inward.aten.elements import dims
from symbp.interchange.inward.building import arithmetic as el
from symbp.interchange.inward.building import margins, shapes
from symbp.interchange.inward.graph import Held
from symbp.interchange.inward.translate import Call, Entry
from symbp.interchange.inward.values import (
    MOST_KNOWN,
    Filled,
    Spaced,
    binary,
    entries,
    entry,
    filled,
    known,
    number,
    refuse,
    shape_of,
    tensor,
    tidy,
    whole,
)
from symbp.interchange.inward.writing import Term

PLACED = ("layout", "device", "pin_memory", "memory_format", "non_blocking", "copy", "implicit")


def python(function: Callable[..., Any]) -> Entry:
    """An operator of Python on sizes."""

    def take(c: Call) -> Any:
        pair = [entry(v) for v in c.every()]
        return tidy(np.array(function(*pair), dtype=object))

    return take


def cast(c: Call) -> Any:
    """Real numbers stay as they are; what would round or cut them is refused."""
    c.skip(*PLACED, "other", 1, 2, 3)
    kind, value = c.get("dtype"), c["self"]
    array = known(value)
    if kind is None:
        return value
    floating = kind in ("torch.float32", "torch.float64")
    if kind == "torch.bool" and isinstance(value, Held) and value.kind == "constant":
        return Held(f"{value.name}_true", value.array.astype(bool))
    if kind == "torch.bool" and isinstance(value, Filled):
        return Filled(float(value.number != 0), value.shape)
    if array is not None and array.dtype.kind != "O":
        kinds = {"torch.int64": np.int64, "torch.int32": np.int64, "torch.bool": np.bool_}
        if not floating and kind not in kinds:
            refuse(f"numbers of {kind} aren't taken in")
        return array.astype(np.float64 if floating else kinds[kind])
    if floating:
        if isinstance(value, Term) and value.is_condition:
            return c.w.call("where", value, 1, 0)
        if isinstance(value, Term) and value.value.integer:
            refuse("integers of an input are calculated with")
        return binary(c.w, value) if isinstance(value, Held) and value.array.dtype.kind == "b" else value
    whole_already = isinstance(value, Term) and not value.is_condition and value.value.integer
    if kind in ("torch.int64", "torch.int32") and whole_already:
        return value
    if kind == "torch.bool" and isinstance(value, Term) and value.is_condition:
        return value
    return refuse(f"data are cast to {kind}, which rounds them")


def reshape(c: Call) -> Any:
    key = "shape" if "shape" in c else "size"
    return shapes.reshaped(c.w, c["self"], entries(c[key]))


def unflatten(c: Call) -> Any:
    old = shape_of(c["self"])
    k = shapes.axis_of(len(old), c.whole("dim"))
    return shapes.reshaped(c.w, c["self"], (*old[:k], *entries(c["sizes"]), *old[k + 1 :]))


def squeeze(c: Call) -> Any:
    axes = dims(c)
    if axes is not None:  # PyTorch leaves axes of more elements
        extents = shape_of(c["self"])
        axes = [a for a in axes if extents[shapes.axis_of(len(extents), a)] == 1]
    return shapes.without_axes(c.w, c["self"], axes)


def cut(c: Call) -> Any:
    start, end = (None if c.get(k) is None else entry(c[k]) for k in ("start", "end"))
    bounds = (0 if start is None else start, shapes.END if end is None else end, c.whole("step", 1))
    return shapes.sliced(c.w, c["self"], {c.whole("dim", 0): bounds})


def select(c: Call) -> Any:
    return shapes.at(c.w, c["self"], c.whole("dim"), entry(c["index"]))


def split(c: Call) -> Any:
    """Parts of one length, the last one of what is left, or of the lengths given."""
    axis = c.whole("dim", 0)
    total = shape_of(c["self"])[shapes.axis_of(len(shape_of(c["self"])), axis)]
    given = c["split_sizes"] if "split_sizes" in c else c.get("split_size")
    if isinstance(given, list):
        lengths = [whole(e) for e in given]
    else:
        each = whole(given) if given is not None else -(-whole(total) // c.whole("chunks"))
        lengths = [min(each, whole(total) - k) for k in range(0, whole(total), each)]
    return [*shapes.parted(c.w, c["self"], lengths, axis)]


def unbind(c: Call) -> Any:
    axis = c.whole("dim", 0)
    count = whole(shape_of(c["self"])[axis])
    if count > 1000:
        refuse(f"an axis of {count} elements is taken apart")
    return [shapes.at(c.w, c["self"], axis, k) for k in range(count)]


def getitem(c: Call) -> Any:
    """A part of a step's results."""
    values, place = c[0], c.whole(1)
    if not isinstance(values, (list, tuple)) or not -len(values) <= place < len(values):
        refuse("a part is taken of what has none such")
    found = values[place]
    if found is None:
        refuse("the places of maxima are read", "argmax is taken in")
    return found


def embedding(c: Call) -> Any:
    c.skip("scale_grad_by_freq", "sparse")  # how gradients are gathered
    padding, table = c.whole("padding_idx", -1), c["weight"]
    if padding < 0:
        return shapes.gathered(c.w, table, c["indices"], 0)
    if not isinstance(table, Held) or table.array[padding].any():
        refuse("the row of padding_idx isn't zero, and has no gradient", "set it to zero, or leave it out")
    return c.w.call("embedding", c.term("indices"), tensor(c.w, table), padding_idx=padding)


def index(c: Call) -> Any:
    """Places along one axis: x[:, [2, 0]], or rows that tokens choose."""
    given = [(axis, places) for axis, places in enumerate(c["indices"]) if places is not None]
    if len(given) != 1:
        refuse("several axes are indexed at once")
    axis, places = given[0]
    array = known(places)
    if array is not None and array.dtype.kind == "b":
        refuse("elements are chosen by a mask, so that their number isn't known")
    return shapes.gathered(c.w, c["self"], places, axis)


def roll(c: Call) -> Any:
    shifts, axes = c.wholes("shifts") or (), dims(c, "dims") or ()
    if len(shifts) != len(axes):
        refuse("a tensor is rolled as if it had one axis", "name the axes")
    found = c["self"]
    for shift, axis in zip(shifts, axes, strict=True):
        found = c.w.call("roll", tensor(c.w, found), shift, axis, light=True)
    return found


def pad(c: Call) -> Any:
    """PyTorch counts from the last axis."""
    way = c.get("mode", "constant")
    c.only("mode", "constant", *margins.WAYS)
    widths, rank = [whole(e) for e in entries(c["pad"])], len(shape_of(c["self"]))
    found = [(0, 0)] * rank
    for k in range(len(widths) // 2):
        found[rank - 1 - k] = (widths[2 * k], widths[2 * k + 1])
    if way != "constant":
        return margins.continued(c.w, c["self"], found, way)
    return margins.padded(c.w, c["self"], found, c.get("value") or 0)


def bag(c: Call) -> Any:
    """Rows of a table for bags of one length, summed, averaged, or their largest elements."""
    c.skip("scale_grad_by_freq", "sparse")  # how gradients are gathered
    c.only("padding_idx", -1)
    c.only("include_last_offset", False)
    if "per_sample_weights" in c:
        refuse("a bag's rows are weighted")
    indices, offsets = c["indices"], c["offsets"]
    even = isinstance(offsets, Spaced) and offsets.end == shape_of(indices)[0]
    if not even:
        refuse("bags of several lengths", "give them as rows of one length: (N, T)")
    reduced = {0: "sum", 1: "mean", 2: "max"}[c.whole("mode", 0)]
    rows = shapes.reshaped(c.w, indices, (-1, offsets.step))
    found = el.reduced(c.w, reduced, shapes.gathered(c.w, c["weight"], rows, 0), [1], False)
    return [found, None, None, None]


def full(number_of: Callable[[Call], Any]) -> Entry:
    """One number everywhere, of a size or like another tensor."""

    def take(c: Call) -> Any:
        c.skip(*PLACED)
        shape = entries(c["size"]) if "size" in c else shape_of(c["self"])
        c.skip("self")
        number = number_of(c)
        kind = c.get("dtype")
        if kind in ("torch.int64", "torch.bool") and all(isinstance(n, int) for n in shape):
            kinds = {"torch.int64": np.int64, "torch.bool": np.bool_}
            return tidy(np.broadcast_to(np.asarray(number, dtype=kinds[kind]), shape))
        return filled(float(number), shape)

    return take


def arange(c: Call) -> Any:
    c.skip(*PLACED, "dtype")
    bounds = [number(c[k]) if k in c else d for k, d in (("start", 0), ("end", 0), ("step", 1))]
    if bounds[0] == 0 and isinstance(bounds[2], int) and not isinstance(bounds[1], int):
        return Spaced(bounds[1], bounds[2])
    if not all(isinstance(b, int) for b in bounds):
        refuse("a range up to an open size", "leave that axis closed: dims={0: 'N'}")
    if bounds[2] == 0 or abs(bounds[1] - bounds[0]) > MOST_KNOWN:
        refuse("a range of numbers that is too long")
    return np.arange(*bounds)


def triangle(upper: bool) -> Entry:
    def take(c: Call) -> Any:
        k, value = c.whole("diagonal", 0), c["self"]
        cut_off = np.triu if upper else np.tril
        array = value.array if isinstance(value, Held) and value.kind != "parameter" else known(value)
        if isinstance(value, Filled):
            if not all(isinstance(n, int) for n in value.shape):
                refuse("a triangle of an open size")
            array = np.full(value.shape, value.number)
        if array is not None:
            return Held(f"triangle_{c.step.results[0]}", cut_off(array, k))
        return c.w.call("triu" if upper else "tril", tensor(c.w, value), k)

    return take


def same(c: Call) -> Any:
    c.skip(*PLACED)
    return c["self"]


def detach(c: Call) -> Any:
    """A value as a constant."""
    value = c["self"]
    return value if known(value) is not None else c.w.call("stop_gradient", tensor(c.w, value))


def given_number(c: Call) -> Any:
    return number(c["fill_value"])


def expand(c: Call) -> Any:
    c.skip("implicit")
    return shapes.widened(c.w, c["self"], entries(c["size"]))


def flip(c: Call) -> Any:
    found = c["self"]
    for axis in dims(c, "dims") or ():
        found = c.w.call("flip", tensor(c.w, found), axis, light=True)
    return found


def joined(c: Call) -> Any:
    values: Sequence[Any] = c["tensors"]
    return shapes.joined(c.w, values, c.whole("dim", 0))


VIEWS: Mapping[str, Entry] = {
    "aten.view": reshape, "aten.reshape": reshape, "aten._unsafe_view": reshape,
    "aten.flatten": lambda c: shapes.flattened(c.w, c["self"], c.whole("start_dim"), c.whole("end_dim")),
    "aten.unflatten": unflatten,
    "aten.permute": lambda c: shapes.permuted(c.w, c["self"], c.wholes("dims") or ()),
    "aten.transpose": lambda c: shapes.exchanged(c.w, c["self"], c.whole("dim0"), c.whole("dim1")),
    "aten.t": lambda c: shapes.exchanged(c.w, c["self"], -2, -1),
    "aten.mT": lambda c: shapes.exchanged(c.w, c["self"], -2, -1), "aten.index": index, "aten.roll": roll,
    "aten.numpy_T": lambda c: shapes.exchanged(c.w, c["self"], -2, -1),
    "aten.squeeze": squeeze, "aten.unsqueeze": lambda c: shapes.with_axes(c.w, c["self"], [c.whole("dim")]),
    "aten.expand": expand,
    "aten.expand_as": lambda c: shapes.widened(c.w, c["self"], shape_of(c["other"])),
    "aten.repeat": lambda c: shapes.tiled(c.w, c["self"], [whole(e) for e in entries(c["repeats"])]),
    "aten.cat": joined, "aten.concat": joined,
    "aten.stack": lambda c: shapes.stacked(c.w, c["tensors"], c.whole("dim", 0)),
    "aten.split": split, "aten.split_with_sizes": split, "aten.chunk": split, "aten.unbind": unbind,
    "aten.slice": cut, "aten.select": select, "aten.flip": flip,
    "aten.contiguous": same, "aten.clone": same, "aten.detach": detach,
    "aten.alias": same, "aten.lift_fresh_copy": same, "aten.to": cast, "aten._to_copy": cast,
    "aten.type_as": cast, "aten.embedding": embedding, "aten.embedding_bag": bag,
    "aten.sym_numel": lambda c: tidy(np.array(sympy.Mul(*shape_of(c["self"])), dtype=object)),
    "aten.pad": pad, "aten.constant_pad_nd": pad,
    "aten.index_select": lambda c: shapes.gathered(c.w, c["self"], c["index"], c.whole("dim")),
    "aten.zeros": full(lambda _: 0), "aten.ones": full(lambda _: 1), "aten.zeros_like": full(lambda _: 0),
    "aten.ones_like": full(lambda _: 1), "aten.new_zeros": full(lambda _: 0),
    "aten.new_ones": full(lambda _: 1),
    "aten.full": full(given_number), "aten.full_like": full(given_number),
    "aten.arange": arange, "aten.triu": triangle(True), "aten.tril": triangle(False),
    "aten.sym_size": lambda c: tidy(np.array(shape_of(c["self"])[c.whole("dim")], dtype=object)),
    "python.getitem": getitem, "python.add": python(operator.add), "python.mul": python(operator.mul),
    "python.sub": python(operator.sub), "python.floordiv": python(operator.floordiv),
    "python.mod": python(operator.mod),
}  # fmt: skip
