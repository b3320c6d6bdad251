"""Which module of a PyTorch state_dict each layer of a network is.

Enters: a network, keys and shapes of a state_dict, names that the user gives. Leaves: a prefix for each
layer. Must not know: values, how arrays are laid out.

Layers are taken in the order of their calls, modules in that of the state_dict. Where the orders differ and
several modules would do for a layer, nothing tells which it is: the user must.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import sympy

from symbp.errors import DataError
from symbp.interchange.sizes import values_of
from symbp.interchange.stacked import STAR, is_stacked
from symbp.language import Network
from symbp.language.layouts import Layout, Module

Shape = tuple[int, ...]


@dataclass(frozen=True)
class Owned:
    """A module with the layouts of its tensors by their names."""

    module: Module
    tensors: Mapping[str, Layout]

    @property
    def keys(self) -> tuple[str, ...]:
        """The keys of its arrays, without a prefix."""
        every = [key for layout in self.tensors.values() for key in (layout.key, layout.also) if key]
        return tuple(dict.fromkeys(every))

    @property
    def repeated(self) -> object:
        """Of which repeated block it is a layer, if any."""
        return next(iter(self.tensors.values())).repeated

    @property
    def axis(self) -> int:
        """Along which axis parts of one array lie one behind the other."""
        return 0 if self.repeated is None else 1

    def __str__(self) -> str:
        return f"{self.module.kind} with {', '.join(self.tensors)}"


def owned(net: Network) -> list[Owned]:
    """The modules that a network's layers are, in the order of their calls."""
    found: dict[int, tuple[Module, dict[str, Layout]]] = {}
    for name, layout in net.layouts.items():
        found.setdefault(id(layout.module), (layout.module, {}))[1][name] = layout
    ordered = sorted(found.values(), key=lambda pair: pair[0].number)
    return [Owned(module, tensors) for module, tensors in ordered]


def free_tensors(net: Network) -> list[str]:
    """Parameters and buffers that belong to no layer, or to one that PyTorch hasn't."""
    kept = [t.name for t in net.system.parameters] + list(net.system.updates)
    return [name for name in dict.fromkeys((*kept, *net.initial)) if name not in net.layouts]


def expected(net: Network, name: str, layout: Layout) -> tuple[int | None, ...]:
    """The shape that a tensor has there, None for a length that nothing tells."""
    known = values_of(net.system.bound)
    shape = [sympy.sympify(extent).xreplace(known) for extent in net.system.tensor(name).shape]
    lengths = [sympy.Mul(*(shape[axis] for axis in group)) for group in layout.axes]
    return tuple(int(length) if length.is_number else None for length in lengths)


def prefixes(
    net: Network, shapes: Mapping[str, Shape], names: Mapping[str, str], *, part: bool = False
) -> tuple[dict[Module, str], list[Owned]]:
    """The prefix of each layer's keys, and the layers; with `part` those that have a module. Raises
    DataError: a layer without a module, or with several where the order doesn't tell."""
    modules = owned(net)
    fixed = {m.module: prefix for m in modules if (prefix := _given(m, shapes, names)) is not None}
    _check_layers(modules, fixed)
    found, taken = dict(fixed), set(fixed.values())
    inside = {p for m in modules if m.module in fixed for p in _layers_of(fixed[m.module], m, shapes)}
    doubtful: list[tuple[Owned, list[str]]] = []
    left = sorted((m for m in modules if m.module not in fixed), key=lambda m: m.repeated is None)
    for one in left:  # repeated ones first: what they take is no layer of its own
        away = {*fixed.values(), *inside}
        fitting = [p for p in _candidates(net, one, shapes) if p not in away]
        candidates = [p for p in fitting if p not in taken]
        if not candidates and part and not fitting:
            continue
        if not candidates:
            raise _too_few(one, fitting) if part else _nothing_fits(net, one, shapes)
        found[one.module] = candidates[0]
        taken.add(candidates[0])
        inside |= _layers_of(candidates[0], one, shapes)
        if len(candidates) > 1:
            doubtful.append((one, candidates))
    modules = [m for m in modules if m.module in found]
    _check_layers(modules, found)
    order = [_place(found[m.module], m, shapes) for m in modules]
    if doubtful and order != sorted(order):
        one, candidates = doubtful[0]
        first, key = next((n, layout.key) for n, layout in one.tensors.items())
        raise DataError(
            f"several modules of the state_dict would do for {one}",
            details=(f"candidates: {', '.join(repr(p) for p in candidates)}",
                     "its layers stand in another order than the network calls them"),
            help=f"name it: names={{{first!r}: {candidates[0] + key!r}}}",
        )  # fmt: skip
    return found, modules


def _layers_of(prefix: str, one: Owned, shapes: Mapping[str, Shape]) -> set[str]:
    """The prefixes of the layers that a prefix with a star stands for."""
    if not is_stacked(prefix):
        return set()
    (count, *_) = shapes[prefix + one.keys[0]]
    return {prefix.replace(STAR, str(layer)) for layer in range(count)}


def _check_layers(modules: Sequence[Owned], found: Mapping[Module, str]) -> None:
    """Raises DataError: the layers of one repeated block out of two rows of blocks."""
    roots: dict[int, str] = {}
    for one in modules:
        prefix = found.get(one.module)
        if one.repeated is not None and prefix is not None:
            root = prefix.partition(STAR)[0]
            if roots.setdefault(id(one.repeated), root) != root:
                raise DataError(
                    f"the layers of one repeated block would come from {roots[id(one.repeated)]}{STAR} "
                    f"and {root}{STAR}",
                    help="name one array of each: names={'gamma1': 'h.*.ln_1.weight'}",
                )


def _place(prefix: str, one: Owned, shapes: Mapping[str, Shape]) -> int:
    return list(shapes).index(prefix + one.keys[0])


def _given(one: Owned, shapes: Mapping[str, Shape], names: Mapping[str, str]) -> str | None:
    """The prefix that the user's names say. Raises DataError: a key that isn't there or has another end."""
    for name, layout in one.tensors.items():
        if name in names:
            key = names[name]
            if key not in shapes:
                raise DataError(f"the state_dict has no {key!r}", help=f"it has: {', '.join(shapes)}")
            prefix = key.removesuffix(layout.key)
            if prefix == key or not _is_prefix(prefix):
                raise DataError(f"{name} is the {layout.key} of a {one.module.kind}, and {key!r} isn't one")
            return prefix
    return None


def _is_prefix(prefix: str) -> bool:
    return not prefix or prefix.endswith(".")


def _candidates(net: Network, one: Owned, shapes: Mapping[str, Shape]) -> list[str]:
    """The prefixes under which all arrays of a module stand, of the right shapes, and no others."""
    first = one.keys[0]
    found = [key.removesuffix(first) for key in shapes if key.endswith(first)]
    fitting = [p for p in found if _is_prefix(p) and is_stacked(p) == (one.repeated is not None)]
    return [p for p in fitting if _fits(net, one, p, shapes)]


def _fits(net: Network, one: Owned, prefix: str, shapes: Mapping[str, Shape]) -> bool:
    there = {k.removeprefix(prefix) for k in shapes if k.startswith(prefix)}
    direct = {key for key in there if "." not in key}
    if not set(one.keys) <= there or not direct <= {*one.keys, *one.module.counters}:
        return False
    parts: dict[str, list[str]] = {}
    for name, layout in one.tensors.items():
        parts.setdefault(layout.key, []).append(name)
    return all(_has_shape(net, one, tensors, shapes[prefix + key]) for key, tensors in parts.items())


def _has_shape(net: Network, one: Owned, tensors: Sequence[str], shape: Shape) -> bool:
    """Whether arrays one behind the other along the first axis have a shape, as far as it is known."""
    each = [expected(net, name, one.tensors[name]) for name in tensors]
    if len(each[0]) != len(shape):
        return False
    behind = one.axis
    if len(shape) <= behind:
        return len(tensors) == 1
    heads = [s[behind] for s in each]
    first = None if None in heads else sum(h for h in heads if h is not None)
    whole = (*each[0][:behind], first, *each[0][behind + 1 :])
    return all(e in (None, n) for e, n in zip(whole, shape, strict=True))


def _nothing_fits(net: Network, one: Owned, shapes: Mapping[str, Shape]) -> DataError:
    wanted = ", ".join(
        f"{layout.key} {_shown(expected(net, name, layout))}" for name, layout in one.tensors.items()
    )
    first = one.keys[0]
    there = [f"{key} {_shown(shape)}" for key, shape in shapes.items() if key.endswith(first)]
    name = next(iter(one.tensors))
    return DataError(
        f"no module of the state_dict is {one}",
        details=(f"its arrays would be: {wanted}", f"there are: {', '.join(there) or 'none'}"),
        help=f"if it has a name of its own there: names={{{name!r}: '….{first}'}} (--name {name}=….{first}); "
        "to let it start anew: part=True (--part)",
    )


def _too_few(one: Owned, fitting: Sequence[str]) -> DataError:
    """With fewer modules than layers that they would do for, nothing tells which layers are to start anew."""
    name, layout = next(iter(one.tensors.items()))
    return DataError(
        f"more layers than {one} could be the modules {', '.join(map(repr, fitting))} of the state_dict",
        help=f"say which is which: names={{{name!r}: {fitting[0] + layout.key!r}}} "
        f"(--name {name}={fitting[0] + layout.key})",
    )


def _shown(shape: Sequence[int | None]) -> str:
    return "×".join("?" if n is None else str(n) for n in shape) or "scalar"
