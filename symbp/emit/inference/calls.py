"""Statements of NumPy as calls that write where the result belongs, so that a step makes no arrays.

Enters: lines such as `h = np.tanh(z1 + b1)`. Leaves: `np.add(z1, b1, out=h)`, `np.tanh(h, out=h)`, and the
scratch that they need. Must not know: equations, where memory lies.

A target is written early only where nothing that is still to be read shares its memory. What isn't foreseen
keeps its line and makes an array; `allocating` counts such lines.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Sequence
from dataclasses import replace

from symbp.emit.inference.form import NUMBER, Unknown
from symbp.emit.inference.functions import Functions
from symbp.emit.inference.shape_inference import OPERATORS
from symbp.emit.inference.trees import Settled, filled_with
from symbp.emit.inference.values import Target

SIGNS: dict[type[ast.operator], str] = {
    ast.Add: "+=", ast.Sub: "-=", ast.Mult: "*=", ast.Div: "/=", ast.BitAnd: "&=", ast.BitOr: "|=",
}  # fmt: skip


class Calls(Functions):
    """Rewrites the lines of one stage, statement by statement."""

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
        node = Settled().visit(ast.parse(code).body[0])
        self.source = code
        busy = set(self.scratch.busy)
        self.forms.met.clear()
        try:
            self.parsed(node)
        except Unknown:
            self.lines, self.scratch.busy = [], busy
            self.allocating.append(code)
            if isinstance(node, ast.AugAssign):
                self.lines.append(self.augmented(node, self.text(node.value)))
            else:
                self.lines.append(self.text(node))

    def parsed(self, node: ast.stmt) -> None:
        if isinstance(node, ast.Assign):
            self.assigned(node.targets[0], node.value)
        elif isinstance(node, ast.AugAssign):
            held: list[str] = []
            self.lines.append(self.augmented(node, self.value(node.value, held)))
            self.scratch.release(held)
        elif isinstance(node, ast.Expr) and isinstance(node.value, ast.Call):
            self.called(node.value)
        else:
            raise Unknown(ast.unparse(node))

    def augmented(self, node: ast.AugAssign, value: str) -> str:
        """`target += value`; as a call where the target is a name from outside the stage. A name
        without a form was allocated by a line of the stage itself."""
        target = self.text(node.target)
        is_allocated = isinstance(node.target, ast.Name) and node.target.id not in self.forms.known
        if isinstance(node.target, ast.Name) and not is_allocated and self.forms.of(node.target).shape:
            return f"np.{OPERATORS[type(node.op)]}({target}, {value}, out={target})"
        return f"{target} {SIGNS[type(node.op)]} {value}"

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
        self.into(value, Target(text, form, frozenset(aliases)))

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
        if not ast.unparse(value).startswith("np.empty("):
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
        if ast.unparse(node.func) == "np.add.at" and self.scattered(*node.args):
            return
        held: list[str] = []
        own = isinstance(node.func, ast.Name)  # a function of the module: it takes arrays in one piece
        arguments = [self.piece(a, held) for a in node.args] if own else self.arguments(node, held)
        function = self.text(node.func)
        if function == "np.matmul" and [k.arg for k in node.keywords] == ["out"]:
            function = f"np.{self.product_of(node.args, self.forms.of(node.keywords[0].value))}"
        self.lines.append(f"{function}({', '.join(arguments)})")
        if not own and not any(k.arg == "out" for k in node.keywords):
            self.allocating.append(self.lines[-1])
        self.scratch.release(held)

    def piece(self, node: ast.expr, held: list[str]) -> str:
        """The text of an array that lies in one piece of memory, copied if it doesn't."""
        form = self.forms.of(node)
        if form.whole or not form.view:
            return self.value(node, held)
        name = self.scratch.acquire(form.shape, form.kind, self.moment)
        held.append(name)
        self.lines.append(f"np.copyto({name}, {self.text(node)})")
        return name
