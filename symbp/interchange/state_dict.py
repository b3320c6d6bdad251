"""PyTorch's state_dict to parameters and buffers of a network, and back.

Enters: a network, a state_dict or weights. Leaves: weights, or a state_dict. Must not know: layers; how each
parameter lies there its `Layout` says.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from itertools import count
from math import prod
from typing import Any

import numpy as np

from symbp.errors import DataError
from symbp.interchange.dialects import read_as, written_as
from symbp.interchange.files import library
from symbp.interchange.modules import Owned, expected, free_tensors, owned, prefixes
from symbp.interchange.sizes import fitting, known_sizes
from symbp.interchange.stacked import STAR, apart, with_stacks
from symbp.interchange.weights import Weights
from symbp.ir.system import Role
from symbp.language import Network
from symbp.language.layouts import Layout, Module


def from_state_dict(
    net: Network,
    state: Mapping[str, Any],
    *,
    names: Mapping[str, str] | None = None,
    strict: bool = True,
    part: bool = False,
    layout: str = "torch",
) -> Weights:
    """The parameters and buffers of a network out of a state_dict. `names` maps tensors of the network to
    keys of the state_dict, as far as the order of layers doesn't tell: {"W3": "downsample.weight"}. Layers of
    `nn.Repeat` are found under numbers, and named with a star: {"gamma1": "h.*.ln_1.weight"}. `layout` is
    "torch", or "gpt2" for the names and matrices of Hugging Face's GPT-2. With `part`, layers whose arrays
    aren't there, or have other shapes, are left out, such as a new head; `left_out` are the keys not read.

    Raises DataError: a layer or tensor without its arrays, another shape, a layer for which several modules
    would do, with `strict` also arrays that nothing reads; with `part`, nothing that fits.
    """
    own = read_as(layout, {key: _array(value) for key, value in state.items()})
    arrays, layers = _stacked(net, own)
    given = _checked(net, names or {})
    found, modules = prefixes(net, {key: a.shape for key, a in arrays.items()}, given, part=part)
    values: dict[str, Any] = {}
    read: set[str] = set()
    for one in modules:
        prefix = found[one.module]
        values |= _of_module(net, one, prefix, arrays)
        read |= {prefix + key for key in (*one.keys, *one.module.counters)}
    for name in free_tensors(net):
        key = given.get(name, name)
        if key not in arrays and part:
            continue
        if key not in arrays:
            raise DataError(
                f"nothing tells which array {name} is: it belongs to no layer that PyTorch has",
                help=f"name it: names={{{name!r}: '…'}}; the state_dict has {', '.join(arrays)}",
            )
        values[name] = arrays[key]
        read.add(key)
    read |= {one for key in read for one in layers.get(key, ())}
    left = [key for key in own if key not in read]
    if part and not values:
        raise DataError(
            "nothing of the state_dict fits this network",
            details=(f"it has: {', '.join(own) or 'nothing'}",),
        )
    if left and strict and not part:
        raise _no_place(left)
    return replace(_weights(net, values), left_out=tuple(left))


def _no_place(left: Sequence[str]) -> DataError:
    return DataError(
        "the state_dict has arrays that the network has no place for",
        details=(", ".join(left),),
        help="leave them out: strict=False",
    )


def to_state_dict(
    net: Network,
    params: Mapping[str, Any],
    *,
    buffers: Mapping[str, Any] | None = None,
    names: Mapping[str, str] | None = None,
    like: Mapping[str, Any] | None = None,
    layout: str = "torch",
) -> dict[str, Any]:
    """A state_dict of PyTorch tensors. Its keys are those of `like`, a state_dict that fits the network; else
    a layer's name, or its number, and the key that its class has in torch.nn.

    Where PyTorch has two arrays that are added, the second is zeros, or both are those of `like` if their sum
    is the same. Raises DataError: an array that is missing or has another shape, a `like` that doesn't fit;
    UsageError: PyTorch isn't installed.
    """
    torch = library("torch", "torch")
    arrays = {**params, **(buffers or {})}
    strange = [name for name in arrays if name not in net.system.by_name]
    if strange:
        raise DataError(
            f"the network has no {', '.join(strange)}, so a state_dict without would predict something else",
            help="what inputs were standardised by has no place there: train without --standardise",
        )
    given = _checked(net, names or {})
    there = {key: _array(value) for key, value in (like or {}).items()}
    before, _ = _stacked(net, read_as(layout, there))
    if like is None:
        modules = owned(net)
        found = _numbered(modules)
    else:
        found, modules = prefixes(net, {key: a.shape for key, a in before.items()}, given)
    made: dict[str, Any] = {}
    for one in modules:
        made |= _to_module(net, one, found[one.module], arrays, before)
    for name in free_tensors(net):
        made[given.get(name, name)] = _own(net, name, arrays)
    made = written_as(layout, apart(made), there)
    ordered = [key for key in there if key in made] + [key for key in made if key not in there]
    return {key: torch.from_numpy(np.array(made[key])) for key in ordered}


def _stacked(
    net: Network, arrays: Mapping[str, Any]
) -> tuple[Mapping[str, Any], Mapping[str, tuple[str, ...]]]:
    """The arrays, with those of equal layers stacked beside them if the network repeats a block."""
    repeats = any(layout.repeated is not None for layout in net.layouts.values())
    return with_stacks(arrays) if repeats else (arrays, {})


def _numbered(modules: Sequence[Owned]) -> dict[Module, str]:
    """Prefixes where nothing tells: a layer's name or its number, those of a repeated block behind a star."""
    numbers = count()
    blocks: dict[int, str] = {}
    inside: dict[str, count[int]] = {}
    found: dict[Module, str] = {}
    for one in modules:
        if one.repeated is None:
            found[one.module] = f"{one.module.name or next(numbers)}."
        else:
            block = blocks.setdefault(id(one.repeated), f"blocks{len(blocks) + 1 if blocks else ''}")
            number = inside.setdefault(block, count())
            found[one.module] = f"{block}.{STAR}.{one.module.name or next(number)}."
    return found


def _checked(net: Network, names: Mapping[str, str]) -> Mapping[str, str]:
    known = {t.name for t in net.system.with_role(Role.PARAMETER, Role.BUFFER)}
    for name in names:
        if name not in known:
            raise DataError(
                f"the network has no parameter or buffer {name!r}", help=f"it has: {', '.join(sorted(known))}"
            )
    return names


def _weights(net: Network, values: Mapping[str, Any]) -> Weights:
    """Values of kept tensors, their shapes checked against each other."""
    kept = [t for t in net.system.with_role(Role.PARAMETER, Role.BUFFER) if t.name in values]
    arrays = fitting(kept, values, known_sizes(net.system, values, {}))
    buffers = {t.name: arrays[t.name] for t in kept if t.role is Role.BUFFER}
    return Weights({n: a for n, a in arrays.items() if n not in buffers}, buffers)


def _array(value: Any) -> Any:
    """A tensor as an array of NumPy."""
    if hasattr(value, "detach"):
        value = value.detach().cpu()
        if str(value.dtype) == "torch.bfloat16":
            value = value.float()
        return value.numpy()
    return np.asarray(value)


def _parts(one: Owned) -> dict[str, list[str]]:
    """The tensors that make up each array, in order."""
    found: dict[str, list[str]] = {}
    for name, layout in sorted(one.tensors.items(), key=lambda pair: pair[1].part):
        found.setdefault(layout.key, []).append(name)
    return found


def _of_module(net: Network, one: Owned, prefix: str, arrays: Mapping[str, Any]) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for key, names in _parts(one).items():
        whole, also = _there(arrays, prefix + key, one), one.tensors[names[0]].also
        if also:
            whole = whole + _there(arrays, prefix + also, one)
        if whole.ndim <= one.axis or whole.shape[one.axis] % len(names):
            raise DataError(f"{prefix + key} isn't made of {len(names)} equal parts")
        for name, part in zip(names, np.split(whole, len(names), one.axis), strict=True):
            found[name] = _ours(net, name, one.tensors[name], part, prefix + key)
    return found


def _there(arrays: Mapping[str, Any], key: str, one: Owned) -> Any:
    if key not in arrays:
        raise DataError(f"the state_dict has no {key!r}, which {one} needs")
    return arrays[key]


def _ours(net: Network, name: str, layout: Layout, array: Any, key: str) -> Any:
    """An array of PyTorch's with our axes in our order."""
    wanted = expected(net, name, layout)
    if len(wanted) != array.ndim or any(
        w not in (None, n) for w, n in zip(wanted, array.shape, strict=False)
    ):
        raise DataError(
            f"{key} has another shape than {name} would have there",
            details=(f"in the network: {wanted}", f"in the state_dict: {array.shape}"),
        )
    flat = [axis for group in layout.axes for axis in group]
    single = expected(net, name, Layout(layout.module, layout.key, tuple((a,) for a in flat)))
    lengths = dict(zip(flat, single, strict=True))
    for group, length in zip(layout.axes, array.shape, strict=True):
        open_ = [axis for axis in group if lengths[axis] is None]
        known = prod(n for axis in group if (n := lengths[axis]) is not None)
        if len(open_) > 1 or length % max(known, 1):
            raise DataError(
                f"nothing tells how {key} is parted into axes of {name}", help="give its sizes values"
            )
        for axis in open_:
            lengths[axis] = length // known
    spread = array.reshape([lengths[axis] for axis in flat])
    return np.ascontiguousarray(spread.transpose(np.argsort(flat)))


def _own(net: Network, name: str, arrays: Mapping[str, Any]) -> Any:
    if name not in arrays:
        raise DataError(f"there is no array for {name}", details=(f"given: {', '.join(arrays)}",))
    array, rank = np.asarray(arrays[name]), len(net.system.tensor(name).shape)
    if array.ndim != rank:
        raise DataError(f"{name} has {rank} axes in the network, and its array {array.ndim}")
    return array


def _to_module(
    net: Network, one: Owned, prefix: str, arrays: Mapping[str, Any], before: Mapping[str, Any]
) -> dict[str, Any]:
    made: dict[str, Any] = {}
    for key, names in _parts(one).items():
        parts = [_theirs(one.tensors[name], _own(net, name, arrays)) for name in names]
        made[prefix + key] = whole = np.concatenate(parts, one.axis) if len(parts) > 1 else parts[0]
        also = one.tensors[names[0]].also
        if also:
            pair = _as_before(before, prefix + key, prefix + also, whole)
            made[prefix + key], made[prefix + also] = pair
    for counter in one.module.counters:
        none = np.int64(0) if one.repeated is None else np.zeros(len(next(iter(made.values()))), np.int64)
        made[prefix + counter] = before.get(prefix + counter, none)
    return made


def _as_before(before: Mapping[str, Any], one: str, other: str, total: Any) -> tuple[Any, Any]:
    """Two arrays with that sum: those that were there, if they still have it, else all of it in the first."""
    if one in before and other in before and np.array_equal(before[one] + before[other], total):
        return before[one], before[other]
    return total, np.zeros_like(total)


def _theirs(layout: Layout, array: Any) -> Any:
    flat = [axis for group in layout.axes for axis in group]
    shape = [prod(array.shape[axis] for axis in group) for group in layout.axes]
    return array.transpose(flat).reshape(shape)
