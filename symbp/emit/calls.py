"""Statements of NumPy as calls that write where the result belongs, so that a step makes no arrays.

Enters: lines such as `h = np.tanh(z1 + b1)`. Leaves: `np.add(z1, b1, out=h)`, `np.tanh(h, out=h)`, and the
scratch that they need. Must not know: equations, where memory lies.

A target is written early only where nothing that is still to be read shares its memory. What isn't foreseen
keeps its line and makes an array; `allocating` counts such lines.
"""

from __future__ import annotations

import ast
import copy
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import sympy

from symbp.emit.forms import NUMBER, OPERATORS, REDUCTIONS, UFUNCS, VIEWS, Form, Forms, Unknown, same
from symbp.emit.scratch import Moment, Scratch
from symbp.emit.trees import (
    Replaced,
    Taken,
    bits,
    bracketed,
    count_of,
    filled_with,
    grouped,
    normal,
    number,
    size_text,
    without_which_zeros,
)
from symbp.ir.expr import Expr

SIGNS: dict[type[ast.operator], str] = {
    ast.Add: "+=", ast.Sub: "-=", ast.Mult: "*=", ast.Div: "/=", ast.BitAnd: "&=", ast.BitOr: "|=",
}  # fmt: skip


@dataclass(frozen=True)
class _Target:
    """Where a value goes: text, form, and the names that share its memory."""

    text: str
    form: Form
    aliases: frozenset[str]


class Calls:
    """Rewrites the lines of one stage, statement by statement."""

    def __init__(self, forms: Forms, scratch: Scratch, stage: str) -> None:
        self.forms, self.scratch = forms, scratch
        self.moment: Moment = (stage, 0)
        self.shared: dict[str, str] = {}  # what takes another's place, and whose
        self.apart: list[str] = []  # what could not
        self.allocating: list[str] = []  # lines that make arrays
        self.renamed: dict[str, str] = {}  # local names of what is in scratch
        self.local: list[str] = []  # scratch held under local names
        self.lines: list[str] = []
        self.source = ""

    # --- lines
    def statement(self, lines: Sequence[str]) -> list[str]:
        """The lines of one statement rewritten; indentation and comments are kept."""
        found: list[str] = []
        self.unshare(lines)
        for line in lines:
            code, mark, comment = line.partition("  # ")
            indent = code[: len(code) - len(code.lstrip())]
            self.lines = []
            self.line(code.strip())
            found += [f"{indent}{text}{mark}{comment}" for text in self.lines]
        return found

    def unshare(self, lines: Sequence[str]) -> None:
        """What a statement fills line by line, or in a loop, doesn't take the place of what it reads."""
        written = [m.group(1) for line in lines if (m := re.match(r" *(\w+)(\[.*\])? =", line))]
        looped = any(line.lstrip().startswith("for ") for line in lines)
        for name in dict.fromkeys(written):
            if name in self.shared and (looped or written.count(name) > 1):
                del self.shared[name]
                self.apart.append(name)

    def end(self, *, keep: bool = False) -> None:
        """A moment has ended; local names live on if a later statement is to read them."""
        stage, number = self.moment
        self.moment = (stage, number + 1)
        if keep:
            for name in self.local:
                self.scratch.used(name, self.moment)
            return
        self.scratch.release(self.local)
        self.local, self.renamed = [], {}
        self.scratch.reserved.clear()

    def line(self, code: str) -> None:
        """One line of code; the head of a loop or a choice stays as it is."""
        if code.endswith(":"):
            head = ast.parse(f"{code} pass").body[0]
            if isinstance(head, ast.For):
                names = [n.id for n in ast.walk(head.target) if isinstance(n, ast.Name)]
                self.forms.known.update(dict.fromkeys(names, NUMBER))
            self.lines.append(code)
            return
        (node,) = ast.parse(code).body
        self.source = code
        busy = set(self.scratch.busy)
        self.forms.met.clear()
        try:
            self.parsed(node)
        except Unknown:
            self.lines, self.scratch.busy = [], busy
            self.allocating.append(code)
            self.lines.append(self.text(node))

    def parsed(self, node: ast.stmt) -> None:
        if isinstance(node, ast.Assign):
            self.assigned(node.targets[0], node.value)
        elif isinstance(node, ast.AugAssign):
            held: list[str] = []
            value = self.value(node.value, held)
            self.lines.append(f"{self.text(node.target)} {SIGNS[type(node.op)]} {value}")
            self.scratch.release(held)
        elif isinstance(node, ast.Expr) and isinstance(node.value, ast.Call):
            self.called(node.value)
        else:
            raise Unknown(ast.unparse(node))

    def assigned(self, target: ast.expr, value: ast.expr) -> None:
        """`target = value`: into an array that is there, or under a local name."""
        if isinstance(target, ast.Name):
            self.named(target.id, value)
            return
        if not isinstance(target, ast.Subscript) or not isinstance(target.value, ast.Name):
            raise Unknown(ast.unparse(target))
        form, text, base = self.forms.of(target), self.text(target), target.value.id
        if not form.shape:
            held: list[str] = []
            self.lines.append(f"{text} = {self.value(value, held)}")
            self.scratch.release(held)
            return
        text = text.removesuffix("[...]")
        aliases = {base, self.shared.get(base, base)}
        self.into(value, _Target(text, form, frozenset(aliases)))

    def named(self, name: str, value: ast.expr) -> None:
        """A local name: of a view or a number as it stands, else of scratch until the statement ends."""
        form = self.forms.of(value)
        if not form.shape or (form.view and filled_with(value) is None):
            plain = self.scratch.plain(name)
            self.lines.append(f"{plain} = {self.value(value, self.local)}")
            self.rename(name, plain)
            self.forms.known[name] = replace(form, view=True)
            return
        scratch = self.scratch.acquire(form.shape, form.kind, self.moment, name)
        self.into(value, self.place(scratch))
        self.local.append(scratch)
        self.rename(name, scratch)
        self.forms.known[name] = self.scratch.form(scratch)

    def rename(self, name: str, other: str) -> None:
        """A local name stands for another until the statement ends; meanwhile no scratch may be called so."""
        self.renamed[name] = other
        if name != other:
            self.scratch.reserved.add(name)

    def called(self, node: ast.Call) -> None:
        """A call for its effect, its arguments computed before."""
        if ast.unparse(node.func) == "np.matmul" and [k.arg for k in node.keywords] == ["out"]:
            place, target = self.text(node.keywords[0].value), node.keywords

            def product(operands: Sequence[ast.expr]) -> None:
                self.called(ast.Call(node.func, list(operands), target))

            if self.without_zeros(node.args, place, product):
                return
        held: list[str] = []
        self.lines.append(f"{self.text(node.func)}({', '.join(self.arguments(node, held))})")
        if not any(k.arg == "out" for k in node.keywords):
            self.allocating.append(self.lines[-1])
        self.scratch.release(held)

    def without_zeros(
        self, operands: Sequence[ast.expr], place: str, product: Callable[[Sequence[ast.expr]], None]
    ) -> bool:
        """The lines of a product whose operands are zeros unless a test holds: it isn't worth its time."""
        test = without_which_zeros(operands)
        if test is None:
            return False
        self.lines.append(f"if {self.text(test)}:")
        before = len(self.lines)
        product([Taken(test).visit(copy.deepcopy(o)) for o in operands])
        self.lines[before:] = [f"    {line}" for line in self.lines[before:]]
        self.lines += ["else:", f"    {place}.fill(0)"]
        return True

    def arguments(self, node: ast.Call, held: list[str]) -> list[str]:
        """The arguments of a call, each computed before where it must be."""

        def written(argument: ast.expr) -> str:
            if isinstance(argument, ast.Tuple):
                return f"({', '.join(map(written, argument.elts))})"
            if isinstance(argument, ast.Constant):
                return self.text(argument)
            return self.value(argument, held)

        return [*map(written, node.args), *(f"{k.arg}={self.text(k.value)}" for k in node.keywords)]

    # --- values
    def place(self, name: str) -> _Target:
        """Scratch as a target."""
        return _Target(name, self.scratch.form(name), frozenset({name}))

    def value(self, node: ast.expr, held: list[str]) -> str:
        """The text of a value: a view or a number as it stands, else scratch that is `held`."""
        form = self.forms.of(node)
        if form.view:
            return self.text(node)
        if not form.shape:
            return self.text(_Computed(self, held).visit(copy.deepcopy(node)))
        inner = self.viewed(node)
        of = self.forms.of(node if inner is None else inner)
        name = self.scratch.acquire(of.shape, of.kind, self.moment)
        held.append(name)
        self.into(node if inner is None else inner, self.place(name))
        if inner is None:
            return name
        self.forms.known[name] = self.scratch.form(name)
        return self.text(Replaced(inner, name).visit(copy.deepcopy(node)))

    def viewed(self, node: ast.expr) -> ast.expr | None:
        """What an expression is a view of, if it is one but for what needs computing."""
        if isinstance(node, ast.Attribute):
            return node.value
        if isinstance(node, ast.Subscript):
            parts = self.forms.parts(node, self.forms.of(node.value))
            return None if self.forms.gathers(parts) else node.value
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute):
            if node.func.attr in VIEWS:
                return node.func.value
            return node.args[0] if node.func.attr == "broadcast_to" else None
        if isinstance(node, ast.Call) and ast.unparse(node.func) == "_windows":
            return node.args[0]
        return None

    def constant(self, form: Form, text: str, stem: str) -> str:
        """The name of an array that never changes."""
        name = self.scratch.constant(form.shape, form.kind, text, stem)
        self.forms.known[name] = self.scratch.form(name)
        return name

    def text(self, node: ast.AST) -> str:
        """The source of an expression; what never changes, and what is in scratch, by its name."""
        text = ast.unparse(_Named(self).visit(copy.deepcopy(node)))
        segment = ast.get_source_segment(self.source, node) if text == ast.unparse(node) else None
        if segment and isinstance(node, ast.expr) and normal(segment) == text:
            return segment
        return text.replace("'", '"')

    # --- computing into a target
    def into(self, node: ast.expr, out: _Target) -> None:
        """The lines that compute a value into a target. Raises Unknown."""
        form = self.forms.of(node)
        if form.view:
            self.copied(node, form, out)
        elif not form.shape:
            held: list[str] = []
            self.lines.append(f"np.copyto({out.text}, {self.value(node, held)})")
            self.scratch.release(held)
        elif form.kind not in (out.form.kind, "number"):
            self.through(node, form, out)
        elif isinstance(node, ast.IfExp):
            self.either(node, out)
        elif isinstance(node, ast.Compare):
            self.compared(node, out)
        elif isinstance(node, ast.UnaryOp):
            self.applied(OPERATORS[type(node.op)], [node.operand], out)
        elif isinstance(node, ast.BinOp):
            self.operated(node, form, out)
        elif isinstance(node, ast.Subscript):
            self.subscripted(node, form, out)
        elif isinstance(node, ast.Call):
            self.call(node, form, out)
        else:
            raise Unknown(ast.unparse(node))

    def copied(self, node: ast.expr, form: Form, out: _Target) -> None:
        """A view or a number, as it stands."""
        filled = filled_with(node)
        if filled is not None and out.form.whole:
            self.lines.append(f"{out.text}.fill({self.text(filled)})")
        elif form.kind == "number" and not form.shape and out.form.whole:
            self.lines.append(f"{out.text}.fill({self.text(node)})")
        elif "[" in out.text and self.forms.reads(node) & out.aliases:
            # From one part of an array to another: NumPy would not see that they don't overlap.
            name = self.scratch.acquire(form.shape, form.kind, self.moment)
            self.lines += [f"np.copyto({name}, {self.text(node)})", f"np.copyto({out.text}, {name})"]
            self.scratch.release([name])
        else:
            self.lines.append(f"np.copyto({out.text}, {self.text(node)})")

    def either(self, node: ast.IfExp, out: _Target) -> None:
        """A choice that Python makes: one branch is computed."""
        self.lines.append(f"if {self.text(node.test)}:")
        self.nested(node.body, out)
        self.lines.append("else:")
        self.nested(node.orelse, out)

    def nested(self, node: ast.expr, out: _Target) -> None:
        before = len(self.lines)
        self.into(node, out)
        self.lines[before:] = [f"    {line}" for line in self.lines[before:]]

    def compared(self, node: ast.Compare, out: _Target) -> None:
        if len(node.ops) > 1:
            raise Unknown(ast.unparse(node))
        self.applied(OPERATORS[type(node.ops[0])], [node.left, node.comparators[0]], out)

    def operated(self, node: ast.BinOp, form: Form, out: _Target) -> None:
        if isinstance(node.op, ast.MatMult) and not (out.form.whole and same(form.shape, out.form.shape)):
            self.through(node, form, out)
        elif form.kind == "integer" and (shift := bits(node)) is not None:
            self.applied(shift[0], [node.left, ast.Constant(shift[1])], out)
        elif self.cubed(node, out):
            base = _Target(out.text, out.form, out.aliases)
            self.raised(node.left, base)
        else:
            self.applied(OPERATORS[type(node.op)], [node.left, node.right], out)

    def cubed(self, node: ast.BinOp, out: _Target) -> bool:
        """Whether this is the third power of an array: `np.power` takes logarithms of it."""
        exponent = (
            isinstance(node.op, ast.Pow) and isinstance(node.right, ast.Constant) and node.right.value == 3
        )
        form = self.forms.of(node.left)
        return bool(exponent and form.kind == "real" and same(form.shape, out.form.shape))

    def raised(self, node: ast.expr, out: _Target) -> None:
        """The cube of an array, as two products."""
        held: list[str] = []
        base = self.value(node, held)
        if self.stays_in(node, out):
            raise Unknown("the target is read twice")
        self.lines.append(f"np.multiply({base}, {base}, out={out.text})")
        self.lines.append(f"np.multiply({out.text}, {base}, out={out.text})")
        self.scratch.release(held)

    def through(self, node: ast.expr, form: Form, out: _Target) -> None:
        """Computed into scratch, then copied: the target has another form."""
        name = self.scratch.acquire(form.shape, form.kind, self.moment)
        self.into(node, self.place(name))
        self.lines.append(f"np.copyto({out.text}, {name})")
        self.scratch.release([name])

    def applied(self, function: str, operands: Sequence[ast.expr], out: _Target) -> None:
        """`np.function(operands, out=target)`, one operand computed in the target where that is safe."""
        whole = function in ("matmul", "_symmetric_product")  # not element by element
        if function == "matmul" and self.without_zeros(
            operands, out.text, lambda taken: self.applied(function, taken, out)
        ):
            return
        texts, held = self.operands(operands, out, apart=whole)
        name = function if function.startswith("_") else f"np.{function}"
        self.lines.append(f"{name}({', '.join(texts)}, out={out.text})")
        self.scratch.release(held)

    def operands(
        self, operands: Sequence[ast.expr], out: _Target, *, apart: bool = False
    ) -> tuple[list[str], list[str]]:
        """The texts of operands, and the scratch that they hold."""
        held: list[str] = []
        texts: dict[int, str] = {}
        chosen = None if apart else self.in_target(operands, out)
        others = [k for k in range(len(operands)) if k != chosen]
        late = chosen is not None and any(self.forms.reads(operands[k]) & out.aliases for k in others)
        if chosen is not None and not late:
            self.into(operands[chosen], out)
        for k in others:
            texts[k] = self.value(operands[k], held)
        if chosen is not None:
            if late:
                self.into(operands[chosen], out)
            texts[chosen] = out.text
        return [texts[k] for k in range(len(operands))], held

    def in_target(self, operands: Sequence[ast.expr], out: _Target) -> int | None:
        """The operand that may be computed in the target: its form fits, and no other one that stands as it
        is reads what shares the target's memory."""
        fitting = []
        for k, operand in enumerate(operands):
            form = self.forms.of(operand)
            others = [o for j, o in enumerate(operands) if j != k]
            read_late = any(self.stays_in(o, out) for o in others)
            fits = not form.view and same(form.shape, out.form.shape)
            fits = fits and form.kind in (out.form.kind, "number")
            if fits and not read_late and self.viewed(operand) is None:
                fitting.append(k)
        preferred = [k for k in fitting if self.forms.reads(operands[k]) & out.aliases]
        chosen = preferred or fitting
        return chosen[0] if chosen else None

    # --- subscripts and calls
    def subscripted(self, node: ast.Subscript, form: Form, out: _Target) -> None:
        inner = self.forms.of(node.value)
        parts = self.forms.parts(node, inner)
        if not self.forms.gathers(parts):
            if ast.unparse(node.slice) == "(..., 0)" and inner.shape[-1] == 1 and out.form.whole:
                lifted = replace(out.form, shape=inner.shape)
                self.into(node.value, _Target(f"{out.text}[..., None]", lifted, out.aliases))
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

    def taken(self, base: ast.expr, inner: Form, parts: Sequence[ast.expr], form: Form, out: _Target) -> None:
        """Elements at positions along every axis: `np.take` at their positions in one piece of memory."""
        held: list[str] = []
        source = self.value(base, held)
        at = self.scratch.acquire(form.shape, "integer", self.moment)
        held.append(at)
        position = self.value(parts[0], held)
        for part, extent in zip(parts[1:], inner.shape[1:], strict=True):
            self.lines.append(f"np.multiply({position}, {size_text(extent)}, out={at})")
            self.lines.append(f"np.add({at}, {self.value(part, held)}, out={at})")
            position = at
        self.lines.append(f'np.take({source}.reshape(-1), {position}, out={out.text}, mode="clip")')
        self.scratch.release(held)

    def call(self, node: ast.Call, form: Form, out: _Target) -> None:
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

    def helper(self, name: str, node: ast.Call, form: Form, out: _Target) -> None:
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

    def numpy(self, name: str, node: ast.Call, out: _Target) -> None:
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

    def padded(self, node: ast.Call, out: _Target) -> None:
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

    def chosen(self, test: ast.expr, yes: ast.expr, no: ast.expr, *, out: _Target) -> None:
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
        self.into(base, out)
        self.lines.append(f"_choose({out.text}, {flags}, {put})")
        self.scratch.release([*held, flags])

    def stays_in(self, node: ast.expr, out: _Target) -> bool:
        """Whether a value is read where the target will be written."""
        return self.forms.of(node).view and bool(self.forms.reads(node) & out.aliases)

    def method(self, function: ast.Attribute, node: ast.Call, form: Form, out: _Target) -> None:
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
                self.into(function.value, _Target(f"{out.text}.reshape({shape})", place, out.aliases))
            else:
                self.through(node, form, out)
        else:
            self.lines.append(f"np.copyto({out.text}, {self.value(node, held)})")
        self.scratch.release(held)

    def summed(self, node: ast.expr, axes: frozenset[int], out: _Target) -> bool:
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

    def summed_inside(self, node: ast.expr, form: Form, axes: list[int], out: _Target) -> bool:
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


class _Named(ast.NodeTransformer):
    """Positions by the name of their array, zeros as a view of a number, scratch by its name."""

    def __init__(self, calls: Calls) -> None:
        self.calls = calls

    def visit_Name(self, node: ast.Name) -> ast.expr:
        return ast.Name(self.calls.renamed.get(node.id, node.id))

    def visit_Call(self, node: ast.Call) -> ast.AST:
        function = ast.unparse(node.func)
        if function == "np.arange":
            try:
                form = self.calls.forms.of(node)
            except Unknown:
                return node
            stem = ("range" if form.kind == "integer" else "reals") + f"_{ast.unparse(node.args[0])}"
            stem = stem if stem.isidentifier() else stem.split("_")[0]
            return ast.Name(self.calls.constant(form, ast.unparse(node), stem))
        filled = filled_with(node)
        if function == "np.zeros":
            form = self.calls.forms.of(node)
            return ast.Name(
                self.calls.constant(form, ast.unparse(node), self.calls.scratch.called(form.shape, "zeros"))
            )
        if filled is not None:
            kind = node.args[-1] if len(node.args) > 1 else ast.Name("DTYPE")
            single = ast.Call(kind, [filled], [])
            return ast.Call(ast.parse("np.broadcast_to", mode="eval").body, [single, node.args[0]], [])
        return self.generic_visit(node)


class _Computed(ast.NodeTransformer):
    """The arrays in an expression of numbers, computed before it."""

    def __init__(self, calls: Calls, held: list[str]) -> None:
        self.calls, self.held = calls, held

    def visit(self, node: ast.AST) -> ast.AST:
        if not isinstance(node, ast.expr) or isinstance(node, (ast.Name, ast.Constant)):
            return node if isinstance(node, ast.expr) else self.generic_visit(node)
        if isinstance(node, ast.Attribute) and node.attr != "T":
            return node if ast.unparse(node.value) == "np" else self.generic_visit(node)
        form = self.calls.forms.of(node)
        if form.view:
            return node
        if not form.shape:
            return self.generic_visit(node)
        return ast.parse(self.calls.value(node, self.held), mode="eval").body
