"""Statements of NumPy as calls that write where the result belongs, so that a step makes no arrays.

Enters: statements such as `h = np.tanh(z1 + b1)`. Leaves: `np.add(z1, b1, out=h)`, `np.tanh(h, out=h)`, and
the scratch that they need. Must not know: equations, where memory lies.

A target is written early only where nothing that is still to be read shares its memory. What isn't foreseen
keeps its line and makes an array; `allocating` counts such lines.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace

from symbp.codegen import infer, tree
from symbp.codegen.printer import one_line
from symbp.targets.compiled.form import NUMBER, Unknown
from symbp.targets.numpy.inference.functions import Functions
from symbp.targets.numpy.inference.shape_inference import OPERATORS
from symbp.targets.numpy.inference.trees import filled_with, settled
from symbp.targets.numpy.inference.values import DTYPES, Target


class Calls(Functions):
    """Rewrites the statements of one stage, equation by equation."""

    def statement(self, given: Sequence[tree.Statement]) -> list[tree.Statement]:
        """The code of one equation rewritten."""
        self.unshare(given)
        return [s for one in given for s in self.rewritten(one)]

    def rewritten(self, s: tree.Statement) -> Iterator[tree.Statement]:
        """One statement; the head of a loop or a choice stays as it is."""
        if isinstance(s, tree.For):
            names = [n.id for n in s.variable.walk() if isinstance(n, tree.Name)]
            self.forms.known.update(dict.fromkeys(names, NUMBER))
            yield replace(s, body=tuple(x for inner in s.body for x in self.rewritten(inner)))
        elif isinstance(s, tree.If):
            body, otherwise = (
                tuple(x for inner in part for x in self.rewritten(inner)) for part in (s.body, s.otherwise)
            )
            yield replace(s, body=body, otherwise=otherwise)
        else:
            assert isinstance(s, (tree.Assign, tree.Effect))
            self.lines = []
            self.line(replace(s, equations=()))
            yield from with_numbers(self.lines, s.equations)

    def unshare(self, given: Sequence[tree.Statement]) -> None:
        """What a statement fills line by line, or in a loop, doesn't take the place of what it reads."""
        every = [node for s in given for node in s.walk()]
        targets = [_array(node.target) for node in every if isinstance(node, tree.Assign) and not node.op]
        written = [target.id for target in targets if isinstance(target, tree.Name)]
        looped = any(isinstance(node, tree.For) for node in every)
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

    def line(self, statement: tree.Assign | tree.Effect) -> None:
        """One statement without a body."""
        node = settled(statement)
        busy = set(self.scratch.busy)
        self.forms.met.clear()
        try:
            if isinstance(node, tree.Effect):
                self.called(node.call)
            elif node.op:
                held: list[str] = []
                self.lines.append(self.augmented(node, self.value(node.value, held)))
                self.scratch.release(held)
            else:
                self.assigned(node.target, node.value)
        except Unknown:
            self.lines, self.scratch.busy = [], busy
            self.allocating.append(one_line(statement))
            if isinstance(node, tree.Assign) and node.op:
                self.lines.append(self.augmented(node, self.named(node.value)))
            else:
                self.lines.append(self.renaming(node))

    def augmented(self, node: tree.Assign, value: tree.Expression) -> tree.Statement:
        """`target += value`; as a call where the target is a name from outside the stage. A name
        without a form was allocated by a line of the stage itself."""
        target = self.named(node.target)
        is_allocated = isinstance(node.target, tree.Name) and node.target.id not in self.forms.known
        if isinstance(node.target, tree.Name) and not is_allocated and self.forms.of(node.target).shape:
            function = f"np.{OPERATORS[node.op]}"
            return tree.Effect(infer.call(function, target, value, shape=target.shape, more={"out": target}))
        return tree.Assign(target, value, node.op)

    def assigned(self, target: tree.Expression, value: tree.Expression) -> None:
        """`target = value`: into an array that is there, or under a local name."""
        if isinstance(target, tree.Name):
            self.local_name(target, value)
            return
        array = _array(target)
        if not isinstance(array, tree.Name):
            raise Unknown(one_line(target))
        form, place = self.forms.of(target), self.named(target)
        if not form.shape:
            held: list[str] = []
            self.lines.append(tree.Assign(place, self.value(value, held)))
            self.scratch.release(held)
            return
        aliases = {array.id, self.shared.get(array.id, array.id)}
        self.into(value, Target(infer.without_rest(place), form, frozenset(aliases)))

    def local_name(self, target: tree.Name, value: tree.Expression) -> None:
        """A local name: of a view or a number as it stands, else of scratch until the statement ends."""
        name, form = target.id, self.forms.of(value)
        if not form.shape or (form.view and filled_with(value) is None):
            plain = self.scratch.plain(name)
            local = infer.name(plain, form.shape, DTYPES[form.kind])
            self.lines.append(tree.Assign(local, self.value(value, self.local)))
            self.rename(name, plain)
            self.forms.known[name] = replace(form, view=True)
            return
        scratch = self.scratch.acquire(form.shape, form.kind, self.moment, name)
        if not (isinstance(value, tree.Call) and value.name == "np.empty"):
            self.into(value, self.place(scratch))
        self.local.append(scratch)
        self.rename(name, scratch)
        self.forms.known[name] = self.scratch.form(scratch)

    def rename(self, name: str, other: str) -> None:
        """A local name stands for another until the statement ends; meanwhile no scratch may be called so."""
        self.renamed[name] = other
        if name != other:
            self.scratch.reserved.add(name)

    def called(self, node: tree.Call) -> None:
        """A call for its effect, its arguments computed before."""
        out = next((k.value for k in node.keywords if k.name == "out"), None)
        function = node.name
        if function == "np.matmul" and out is not None:

            def product(operands: Sequence[tree.Expression]) -> None:
                self.called(replace(node, arguments=tuple(operands)))

            if self.without_zeros(node.arguments, self.named(out), product):
                return
            function = f"np.{self.product_of(node.arguments, self.forms.of(out))}"
        if function == "np.add.at" and self.scattered(*node.arguments):
            return
        held: list[str] = []
        own = "." not in function  # a function of the module: it takes arrays in one piece
        if own:
            self.effect(function, *(self.piece(a, held) for a in node.arguments))
        else:
            arguments, more = self.arguments(node, held)
            self.effect(function, *arguments, **more)
        if not own and out is None:
            self.allocates()
        self.scratch.release(held)

    def piece(self, node: tree.Expression, held: list[str]) -> tree.Expression:
        """What stands for an array that lies in one piece of memory, copied if it doesn't."""
        form = self.forms.of(node)
        if form.whole or not form.view:
            return self.value(node, held)
        name = self.scratch.acquire(form.shape, form.kind, self.moment)
        held.append(name)
        self.copy(self.array(name), self.named(node))
        return self.array(name)


def with_numbers(statements: Sequence[tree.Statement], numbers: tuple[int, ...]) -> Iterator[tree.Statement]:
    """Statements with the numbers of the equations that they compute, those within them, too."""
    for s in statements:
        if isinstance(s, tree.If):
            body, otherwise = (tuple(with_numbers(part, numbers)) for part in (s.body, s.otherwise))
            yield replace(s, body=body, otherwise=otherwise, equations=numbers)
        else:
            assert isinstance(s, (tree.Assign, tree.Effect))
            yield replace(s, equations=numbers)


def _array(target: tree.Expression) -> tree.Expression:
    """The array of which a target is a part."""
    return target.value if isinstance(target, tree.Subscript) else target
