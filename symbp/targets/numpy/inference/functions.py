"""Subscripts and functions that write where the result belongs: gathers, reductions, choices, padding.

Enters: an expression and a target. Leaves: the lines that compute it there; `allocating` counts those that
make arrays. Must not know: statements, equations.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import sympy

from symbp.codegen import infer, tree
from symbp.codegen.printer import one_line, text
from symbp.codegen.spelling.elements import size
from symbp.ir.expr import Expr
from symbp.targets.compiled.form import Form, Shape, Unknown, broadcast, same
from symbp.targets.numpy.inference.operators import Operators
from symbp.targets.numpy.inference.shape_inference import REDUCTIONS, UFUNCS
from symbp.targets.numpy.inference.trees import count_of, flat, grouped, number, reshaped
from symbp.targets.numpy.inference.values import Target


class Functions(Operators):
    """Computes subscripts and calls into a target."""

    def subscripted(self, node: tree.Subscript, form: Form, out: Target) -> None:
        inner = self.forms.of(node.value)
        parts = self.forms.parts(node, inner)
        if not self.forms.gathers(parts):
            if node.items == (tree.Rest(), infer.number(0)) and inner.shape[-1] == 1 and out.form.whole:
                lifted = replace(out.form, shape=inner.shape)
                place = infer.subscript(out.node, tree.Rest(), tree.NewAxis())
                self.into(node.value, Target(place, lifted, out.aliases))
                return
            held: list[str] = []
            self.copy(out.node, self.value(node, held))
            self.scratch.release(held)
            return
        if not out.form.whole or not same(form.shape, out.form.shape) or form.kind != out.form.kind:
            self.through(node, form, out)
            return
        arrays = [k for k, p in enumerate(parts) if not isinstance(p, tree.Slice)]
        plain = all(p == tree.Slice() for p in parts if isinstance(p, tree.Slice))
        positions = [p for p in parts if isinstance(p, tree.Expression)]
        if plain and len(arrays) == 1:
            axis = arrays[0]
            held = []
            base, at = self.value(node.value, held), self.value(positions[0], held)
            self.take(base, at, infer.number(axis), out=out)
            self.scratch.release(held)
        elif len(positions) == len(parts) and inner.whole:
            self.taken(node.value, inner, positions, form, out)
        else:
            raise Unknown(text(node))

    def take(self, *given: tree.Expression, out: Target) -> None:
        """Positions are known to be in range; any other mode makes a copy first."""
        self.effect("np.take", *given, out=out.node, mode=infer.quoted("clip"))

    def taken(
        self, base: tree.Expression, inner: Form, parts: Sequence[tree.Expression], form: Form, out: Target
    ) -> None:
        """Elements at positions along every axis: `np.take` at their positions in one piece of memory."""
        held: list[str] = []
        source = self.value(base, held)
        position = self.counted(inner, parts, form.shape, held)
        self.take(flat(source), position, out=out)
        self.scratch.release(held)

    def counted(
        self, inner: Form, parts: Sequence[tree.Expression], shape: Shape, held: list[str]
    ) -> tree.Expression:
        """Where elements at positions along every axis of an array lie in its memory."""
        if len(parts) == 1 and same(self.forms.of(parts[0]).shape, shape):
            return self.value(parts[0], held)
        name = self.scratch.acquire(shape, "integer", self.moment)
        held.append(name)
        at = self.array(name)
        position = self.value(parts[0], held)
        for part, extent in zip(parts[1:], inner.shape[1:], strict=True):
            self.effect("np.multiply", position, size(extent), out=at)
            self.effect("np.add", at, self.value(part, held), out=at)
            position = at
        return at

    def scattered(self, target: tree.Expression, at: tree.Expression, value: tree.Expression) -> bool:
        """Values added at positions along every axis, in one piece of memory: several times faster so."""
        inner, given = self.forms.of(target), self.forms.of(value)
        parts = list(at.items) if isinstance(at, tree.Sequence) else [at]
        if not inner.whole or len(parts) != len(inner.shape) or len(parts) < 2:
            return False
        shape = broadcast([given.shape, *(self.forms.of(part).shape for part in parts)])
        if not shape or given.kind != inner.kind:
            return False
        held: list[str] = []
        position = self.counted(inner, parts, shape, held)
        if given.whole and same(given.shape, shape):
            values = self.value(value, held)
        else:
            name = self.scratch.acquire(shape, given.kind, self.moment)
            held.append(name)
            self.into(value, self.place(name))
            values = self.array(name)
        arrays = [self.named(target), position, values]
        in_one = [
            flat(array) if len(extents) > 1 else array
            for array, extents in zip(arrays, (inner.shape, shape, shape), strict=True)
        ]
        self.effect("np.add.at", *in_one)
        self.scratch.release(held)
        return True

    def allocates(self) -> None:
        """The last statement makes an array."""
        self.allocating.append(one_line(self.lines[-1]))

    def call(self, node: tree.Call, form: Form, out: Target) -> None:
        held: list[str] = []
        if node.name == "DTYPE":
            self.copy(out.node, self.value(node, held))
        elif node.name.startswith("np."):
            self.numpy(node.name.removeprefix("np."), node, out)
        elif node.name.startswith("."):
            self.method(node, form, out)
        else:
            self.helper(node.name, node, form, out)

    def arguments(
        self, node: tree.Call, held: list[str]
    ) -> tuple[list[tree.Expression], dict[str, tree.Expression]]:
        """The arguments of a call, each computed before where it must be, and those by name."""

        def written(argument: tree.Expression) -> tree.Expression:
            if isinstance(argument, tree.Sequence):
                return infer.tuple_of(*map(written, argument.items))
            return argument if isinstance(argument, tree.Constant) else self.value(argument, held)

        return list(map(written, node.arguments)), {k.name: self.named(k.value) for k in node.keywords}

    def helper(self, name: str, node: tree.Call, form: Form, out: Target) -> None:
        """A function of the module, which takes `out` or makes an array."""
        if name == "_where":
            self.chosen(*node.arguments, out=out)
        elif not self.forms.fills(name):
            held: list[str] = []
            arguments = [self.value(a, held) for a in node.arguments]
            self.copy(out.node, infer.call(name, *arguments, shape=node.shape, dtype=node.dtype))
            self.allocates()
            self.scratch.release(held)
        elif out.form.whole and same(form.shape, out.form.shape):
            self.applied(name, node.arguments, out)
        else:
            self.through(node, form, out)

    def numpy(self, name: str, node: tree.Call, out: Target) -> None:
        if name in UFUNCS or name == "clip":
            self.applied(name, node.arguments, out)
        elif name == "where":
            self.chosen(*node.arguments, out=out)
        elif name == "pad":
            self.padded(node, out)
        elif name in ("einsum", "concatenate"):
            form = self.forms.of(node)
            if not same(form.shape, out.form.shape):  # these don't broadcast into what is given
                self.through(node, form, out)
                return
            held: list[str] = []
            arguments, more = self.arguments(node, held)
            self.effect(node.name, *arguments, **more, out=out.node)
            if name == "einsum":
                self.allocates()
            self.scratch.release(held)
        else:
            raise Unknown(name)

    def padded(self, node: tree.Call, out: Target) -> None:
        """`np.pad` with a constant: the target filled, then its inner part."""
        array, given = node.arguments
        value = self.named(node.keywords[0].value) if node.keywords else infer.number(0)
        held: list[str] = []
        widths, extents = self.forms.widths(given), self.forms.of(array).shape
        inner = [
            tree.Slice() if (a, b) == (0, 0) else tree.Slice(size(a), size(sympy.expand(a + extent)))
            for (a, b), extent in zip(widths, extents, strict=True)
        ]
        axes = [k for k, width in enumerate(widths) if width != (0, 0)]
        if len(axes) == 1:  # only what is around
            (axis,) = axes
            (before, after), extent = widths[axis], extents[axis]
            spans = [tree.Slice(stop=size(before))] if before != 0 else []
            spans += [tree.Slice(size(sympy.expand(before + extent)))] if after != 0 else []
            full: list[tree.Node] = [tree.Slice()] * axis
            self.lines += [tree.Assign(infer.subscript(out.node, *full, span), value) for span in spans]
        else:
            self.effect(".fill", out.node, value)
        self.copy(infer.sliced(out.node, inner, extents), self.value(array, held))
        self.scratch.release(held)

    def chosen(
        self, test: tree.Expression, yes: tree.Expression, no: tree.Expression, *, out: Target
    ) -> None:
        """`np.where` in place: one branch in the target, the other put where the test says."""
        swapped = not self.forms.of(yes).shape or self.stays_in(no, out)
        base, other = (no, yes) if swapped else (yes, no)
        if self.stays_in(other, out):
            raise Unknown("both branches stand in memory that the target overwrites")
        held: list[str] = []
        name = self.scratch.acquire(self.forms.of(test).shape, "bool", self.moment)
        self.into(test, self.place(name))
        flags = self.array(name)
        if swapped:
            self.effect("np.logical_not", flags, out=flags)
        put = number(self.value(other, held))
        if text(put) == "0" and self.forms.of(base).view and self.forms.of(base).kind == out.form.kind:
            self.effect("_masked", self.named(base), flags, out=out.node)
        else:
            self.into(base, out)
            self.effect("_choose", out.node, flags, put)
        self.scratch.release([*held, name])

    def method(self, node: tree.Call, form: Form, out: Target) -> None:
        name, (receiver, *given) = node.name.removeprefix("."), node.arguments
        held: list[str] = []
        if name in REDUCTIONS:
            if form.kind != out.form.kind or not same(form.shape, out.form.shape):
                self.through(node, form, out)
                return
            if name == "sum" and self.summed(receiver, self.forms.axes(node), out):
                return
            self.effect(node.name, self.value(receiver, held), *map(self.named, given), out=out.node)
        elif name in ("copy", "astype"):
            if self.forms.of(receiver).view or name == "astype":
                self.copy(out.node, self.value(receiver, held))
            else:
                self.into(receiver, out)
        elif name == "reshape":
            shape = self.forms.of(receiver).shape
            if out.form.whole and same(form.shape, out.form.shape):
                place = replace(out.form, shape=shape)
                self.into(receiver, Target(reshaped(out.node, shape), place, out.aliases))
            else:
                self.through(node, form, out)
        else:
            self.copy(out.node, self.value(node, held))
        self.scratch.release(held)

    def summed(self, node: tree.Expression, axes: frozenset[int], out: Target) -> bool:
        """A sum over leading axes, or last ones, as a product with ones: several times faster than `.sum`."""
        form = self.forms.of(node)
        kept = [k for k in range(len(form.shape)) if k not in axes]
        if not kept or form.kind != "real" or not form.whole or not out.form.whole:
            return False
        if kept != list(range(kept[0], kept[-1] + 1)):
            return self.summed_inside(node, form, sorted(axes), out)
        before, after = form.shape[: kept[0]], form.shape[kept[-1] + 1 :]
        middle = form.shape[kept[0] : kept[-1] + 1]
        held: list[str] = []
        value = self.value(node, held)
        target = grouped(out.node, middle)
        if after:
            rows = (*before, *middle)
            place = target
            inner = value
            if before:
                name = self.scratch.acquire(rows, "real", self.moment)
                held.append(name)
                inner = self.array(name)
                place = grouped(inner, rows)
            self.effect("np.dot", grouped(value, rows, after), self.ones(after), out=place)
            value = inner
        if before:
            self.effect("np.dot", self.ones(before), grouped(value, before, middle), out=target)
        self.scratch.release(held)
        return True

    def summed_inside(self, node: tree.Expression, form: Form, axes: list[int], out: Target) -> bool:
        """A sum over neighbouring axes between others: a product with ones for each of the leading ones."""
        rank, first, last = len(form.shape), axes[0], axes[-1]
        if axes != list(range(first, last + 1)) or first != 1 or rank - last != 2:
            return False
        held: list[str] = []
        value = self.value(node, held)
        if len(axes) > 1:
            value = grouped(value, form.shape[:1], form.shape[1:-1], form.shape[-1:])
        self.effect("np.matmul", self.ones(form.shape[1:-1]), value, out=out.node)
        self.scratch.release(held)
        return True

    def ones(self, shape: Sequence[Expr]) -> tree.Expression:
        """The name of as many ones as elements of a shape."""
        count = count_of(shape)
        form = Form((count,), "real", view=True, whole=True)
        word = "".join(c for c in text(size(count)) if c.isalnum() or c == "_")
        return self.constant(form, infer.call("np.ones", size(count), shape=(count,)), f"ones_{word}")
