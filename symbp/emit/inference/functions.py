"""Subscripts and functions that write where the result belongs: gathers, reductions, choices, padding.

Enters: an expression and a target. Leaves: the lines that compute it there; `allocating` counts those that
make arrays. Must not know: statements, equations.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Sequence
from dataclasses import replace

import sympy

from symbp.emit.inference.form import Form, Shape, Unknown, broadcast, same
from symbp.emit.inference.operators import Operators
from symbp.emit.inference.shape_inference import REDUCTIONS, UFUNCS
from symbp.emit.inference.trees import bracketed, count_of, grouped, number, size_text
from symbp.emit.inference.values import Target
from symbp.ir.expr import Expr


class Functions(Operators):
    """Computes subscripts and calls into a target."""

    def subscripted(self, node: ast.Subscript, form: Form, out: Target) -> None:
        inner = self.forms.of(node.value)
        parts = self.forms.parts(node, inner)
        if not self.forms.gathers(parts):
            if ast.unparse(node.slice) == "(..., 0)" and inner.shape[-1] == 1 and out.form.whole:
                lifted = replace(out.form, shape=inner.shape)
                self.into(node.value, Target(f"{out.text}[..., None]", lifted, out.aliases))
                return
            held: list[str] = []
            self.lines.append(f"np.copyto({out.text}, {self.value(node, held)})")
            self.scratch.release(held)
            return
        if not out.form.whole or not same(form.shape, out.form.shape) or form.kind != out.form.kind:
            self.through(node, form, out)
            return
        arrays = [k for k, p in enumerate(parts) if not isinstance(p, ast.Slice)]
        plain = all(
            p.lower is None and p.upper is None and p.step is None for p in parts if isinstance(p, ast.Slice)
        )
        if plain and len(arrays) == 1:
            axis = arrays[0]
            held = []
            base, at = self.value(node.value, held), self.value(parts[axis], held)
            # Positions are known to be in range; any other mode makes a copy first.
            self.lines.append(f'np.take({base}, {at}, {axis}, out={out.text}, mode="clip")')
            self.scratch.release(held)
        elif len(arrays) == len(parts) and inner.whole:
            self.taken(node.value, inner, parts, form, out)
        else:
            raise Unknown(ast.unparse(node))

    def taken(self, base: ast.expr, inner: Form, parts: Sequence[ast.expr], form: Form, out: Target) -> None:
        """Elements at positions along every axis: `np.take` at their positions in one piece of memory."""
        held: list[str] = []
        source = self.value(base, held)
        position = self.counted(inner, parts, form.shape, held)
        self.lines.append(f'np.take({source}.reshape(-1), {position}, out={out.text}, mode="clip")')
        self.scratch.release(held)

    def counted(self, inner: Form, parts: Sequence[ast.expr], shape: Shape, held: list[str]) -> str:
        """Where elements at positions along every axis of an array lie in its memory."""
        if len(parts) == 1 and same(self.forms.of(parts[0]).shape, shape):
            return self.value(parts[0], held)
        at = self.scratch.acquire(shape, "integer", self.moment)
        held.append(at)
        position = self.value(parts[0], held)
        for part, extent in zip(parts[1:], inner.shape[1:], strict=True):
            self.lines.append(f"np.multiply({position}, {size_text(extent)}, out={at})")
            self.lines.append(f"np.add({at}, {self.value(part, held)}, out={at})")
            position = at
        return at

    def scattered(self, target: ast.expr, at: ast.expr, value: ast.expr) -> bool:
        """Values added at positions along every axis, in one piece of memory: several times faster so."""
        inner, given = self.forms.of(target), self.forms.of(value)
        parts = list(at.elts) if isinstance(at, ast.Tuple) else [at]
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
            values = self.scratch.acquire(shape, given.kind, self.moment)
            held.append(values)
            self.into(value, self.place(values))
        arrays = [self.text(target), position, values]
        flat = [
            f"{text}.reshape(-1)" if len(e) > 1 else text
            for text, e in zip(arrays, (inner.shape, shape, shape), strict=True)
        ]
        self.lines.append(f"np.add.at({', '.join(flat)})")
        self.scratch.release(held)
        return True

    def call(self, node: ast.Call, form: Form, out: Target) -> None:
        function = node.func
        held: list[str] = []
        if isinstance(function, ast.Name) and function.id == "DTYPE":
            self.lines.append(f"np.copyto({out.text}, {self.value(node, held)})")
        elif isinstance(function, ast.Name):
            self.helper(function.id, node, form, out)
        elif not isinstance(function, ast.Attribute):
            raise Unknown(ast.unparse(function))
        elif isinstance(function.value, ast.Name) and function.value.id == "np":
            self.numpy(function.attr, node, out)
        else:
            self.method(function, node, form, out)

    def arguments(self, node: ast.Call, held: list[str]) -> list[str]:
        """The arguments of a call, each computed before where it must be."""

        def written(argument: ast.expr) -> str:
            if isinstance(argument, ast.Tuple):
                return f"({', '.join(map(written, argument.elts))})"
            if isinstance(argument, ast.Constant):
                return self.text(argument)
            return self.value(argument, held)

        return [*map(written, node.args), *(f"{k.arg}={self.text(k.value)}" for k in node.keywords)]

    def helper(self, name: str, node: ast.Call, form: Form, out: Target) -> None:
        """A function of the module, which takes `out` or makes an array."""
        if name == "_where":
            self.chosen(*node.args, out=out)
        elif not self.forms.fills(name):
            held: list[str] = []
            arguments = ", ".join(self.value(a, held) for a in node.args)
            self.lines.append(f"np.copyto({out.text}, {name}({arguments}))")
            self.allocating.append(self.lines[-1])
            self.scratch.release(held)
        elif out.form.whole and same(form.shape, out.form.shape):
            self.applied(name, node.args, out)
        else:
            self.through(node, form, out)

    def numpy(self, name: str, node: ast.Call, out: Target) -> None:
        if name in UFUNCS or name == "clip":
            self.applied(name, node.args, out)
        elif name == "where":
            self.chosen(*node.args, out=out)
        elif name == "pad":
            self.padded(node, out)
        elif name in ("einsum", "concatenate"):
            form = self.forms.of(node)
            if not same(form.shape, out.form.shape):  # these don't broadcast into what is given
                self.through(node, form, out)
                return
            held: list[str] = []
            arguments = self.arguments(node, held)
            self.lines.append(f"np.{name}({', '.join(arguments)}, out={out.text})")
            self.allocating += [self.lines[-1]] if name == "einsum" else []
            self.scratch.release(held)
        else:
            raise Unknown(name)

    def padded(self, node: ast.Call, out: Target) -> None:
        """`np.pad` with a constant: the target filled, then its inner part."""
        value = self.text(node.keywords[0].value) if node.keywords else "0"
        inner = ", ".join(
            ":" if (a, b) == (0, 0) else f"{size_text(a)} : {size_text(sympy.expand(a + extent))}"
            for (a, b), extent in zip(
                self.forms.widths(node.args[1]), self.forms.of(node.args[0]).shape, strict=True
            )
        )
        held: list[str] = []
        widths, extents = self.forms.widths(node.args[1]), self.forms.of(node.args[0]).shape
        axes = [k for k, width in enumerate(widths) if width != (0, 0)]
        if len(axes) == 1:  # only what is around
            (axis,) = axes
            (before, after), extent = widths[axis], extents[axis]
            spans = [f":{size_text(before)}"] if before != 0 else []
            spans += [f"{size_text(sympy.expand(before + extent))}:"] if after != 0 else []
            self.lines += [f"{out.text}[{':, ' * axis}{span}] = {value}" for span in spans]
        else:
            self.lines.append(f"{out.text}.fill({value})")
        self.lines.append(f"np.copyto({out.text}[{inner}], {self.value(node.args[0], held)})")
        self.scratch.release(held)

    def chosen(self, test: ast.expr, yes: ast.expr, no: ast.expr, *, out: Target) -> None:
        """`np.where` in place: one branch in the target, the other put where the test says."""
        swapped = not self.forms.of(yes).shape or self.stays_in(no, out)
        base, other = (no, yes) if swapped else (yes, no)
        if self.stays_in(other, out):
            raise Unknown("both branches stand in memory that the target overwrites")
        held: list[str] = []
        flags = self.scratch.acquire(self.forms.of(test).shape, "bool", self.moment)
        self.into(test, self.place(flags))
        if swapped:
            self.lines.append(f"np.logical_not({flags}, out={flags})")
        put = number(self.value(other, held))
        if put == "0" and self.forms.of(base).view and self.forms.of(base).kind == out.form.kind:
            self.lines.append(f"_masked({self.text(base)}, {flags}, out={out.text})")
        else:
            self.into(base, out)
            self.lines.append(f"_choose({out.text}, {flags}, {put})")
        self.scratch.release([*held, flags])

    def method(self, function: ast.Attribute, node: ast.Call, form: Form, out: Target) -> None:
        name = function.attr
        held: list[str] = []
        if name in REDUCTIONS:
            if form.kind != out.form.kind or not same(form.shape, out.form.shape):
                self.through(node, form, out)
                return
            if name == "sum" and self.summed(function.value, self.forms.axes(node), out):
                return
            inner = self.value(function.value, held)
            if isinstance(ast.parse(inner, mode="eval").body, ast.IfExp):
                inner = f"({inner})"
            axes = ", ".join(self.text(a) for a in node.args)
            self.lines.append(f"{inner}.{name}({axes}, out={out.text})")
        elif name in ("copy", "astype"):
            if self.forms.of(function.value).view or name == "astype":
                self.lines.append(f"np.copyto({out.text}, {self.value(function.value, held)})")
            else:
                self.into(function.value, out)
        elif name == "reshape":
            given = self.forms.of(function.value)
            if out.form.whole and same(form.shape, out.form.shape):
                shape = ", ".join(size_text(e) for e in given.shape)
                place = replace(out.form, shape=given.shape)
                self.into(function.value, Target(f"{out.text}.reshape({shape})", place, out.aliases))
            else:
                self.through(node, form, out)
        else:
            self.lines.append(f"np.copyto({out.text}, {self.value(node, held)})")
        self.scratch.release(held)

    def summed(self, node: ast.expr, axes: frozenset[int], out: Target) -> bool:
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
        target = out.text if len(middle) == 1 else f"{out.text}.reshape({size_text(count_of(middle))})"
        if after:
            rows = (*before, *middle)
            place = target
            if before:
                part = self.scratch.acquire(rows, "real", self.moment)
                held.append(part)
                place = part if len(rows) == 1 else f"{part}.reshape({size_text(count_of(rows))})"
                inner = part
            self.lines.append(f"np.dot({grouped(value, rows, after)}, {self.ones(after)}, out={place})")
            value = inner if before else value
        if before:
            self.lines.append(f"np.dot({self.ones(before)}, {grouped(value, before, middle)}, out={target})")
        self.scratch.release(held)
        return True

    def summed_inside(self, node: ast.expr, form: Form, axes: list[int], out: Target) -> bool:
        """A sum over neighbouring axes between others: a product with ones for each of the leading ones."""
        rank, first, last = len(form.shape), axes[0], axes[-1]
        if axes != list(range(first, last + 1)) or first != 1 or rank - last != 2:
            return False
        held: list[str] = []
        value = self.value(node, held)
        if len(axes) > 1:
            shapes = (form.shape[:1], form.shape[1:-1], form.shape[-1:])
            value = f"{bracketed(value)}.reshape({', '.join(size_text(count_of(s)) for s in shapes)})"
        self.lines.append(f"np.matmul({self.ones(form.shape[1:-1])}, {value}, out={out.text})")
        self.scratch.release(held)
        return True

    def ones(self, shape: Sequence[Expr]) -> str:
        """The name of as many ones as elements of a shape."""
        count = count_of(shape)
        text = size_text(count)
        form = Form((count,), "real", view=True, whole=True)
        return self.constant(form, f"np.ones({text})", "ones_" + re.sub(r"\W+", "", text))
