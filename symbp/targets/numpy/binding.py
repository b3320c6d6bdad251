"""What the lines of a stage need at every call but only once: views of arrays that stay in their places, and
numbers made of sizes.

Enters: the code of a stage, what stays as it is. Leaves: code to run once, and the stage's code with names
for what that makes. Must not know: equations, what the code computes.

A loop that reads a few views by its step gets them all from a list that is made once:
`for h_before, r_t, h_t in steps:`.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from symbp.codegen import infer, tree
from symbp.codegen.function import names_in
from symbp.codegen.infer import COMPARISONS
from symbp.codegen.printer import text
from symbp.targets.compiled.form import NUMBER, Form, Unknown
from symbp.targets.numpy.inference.shape_inference import Forms
from symbp.targets.numpy.kernels.arrays import DTYPE, INT64
from symbp.targets.numpy.view_names import view_name

MOST = 16  # views by the step that a loop names beside each other
ARITHMETIC = ("add", "subtract", "multiply", "divide", "maximum", "minimum", "greater", "less", "equal")
WORDS = {"0": "zero", "1": "one", "2": "two"}
GLOBALS = frozenset({"np", "math", "DTYPE", "True", "False", "None"})
NOTHING = infer.word("None")
Naming = Callable[
    [tree.Expression, tuple[int, ...]], tree.Expression
]  # of a part of a statement with such numbers
VIEWS = frozenset({"broadcast_to", "reshape", "transpose", "swapaxes", "ravel", "diagonal", "_windows"})
VIEWING = (tree.Subscript, tree.Attribute, tree.Call, tree.Choice)


@dataclass
class Binding:
    """Names for what stays: `fixed` are the arrays, sizes and constants that the code of a stage finds in
    place; `names` are those of parts, by their signatures."""

    forms: Forms
    fixed: frozenset[str]
    free: Callable[[str], str]
    taken: set[str] = field(default_factory=set)
    head: list[tree.Assign] = field(default_factory=list)
    names: dict[object, tree.Name] = field(default_factory=dict)
    speaking: bool = False  # arrays of sizes are called after these

    def bind(self, statements: Sequence[tree.Statement]) -> list[tree.Statement]:
        """The statements with names; what makes them is in `head`."""
        self.taken |= names_in(statements)
        assigned = _assigned(statements)
        self.fixed -= assigned.keys()
        found: list[tree.Statement] = []
        for s in statements:
            if isinstance(s, tree.For):
                found.append(self.loop(s))
            elif isinstance(s, tree.If):
                found.append(s)
            elif not self.named_once(s, assigned):
                found.append(self.line(s))
        return found

    def named_once(self, s: tree.Statement, assigned: Mapping[str, int]) -> bool:
        """Whether a statement names a view for good; then it is one of the head."""
        if not isinstance(s, tree.Assign) or s.op or not isinstance(s.target, tree.Name):
            return False
        name = s.target.id
        if assigned[name] > 1 or not (self.stays(s.value) and self.views(s.value)):
            return False
        self.head.append(replace(s, equations=()))
        self.fixed |= {name}
        self.forms.known[name] = self.forms.of(s.value)
        return True

    def line(self, s: tree.Statement) -> tree.Statement:
        """One statement, with names for the parts that stay, and for the numbers beside arrays."""
        return self._renamed(self.numbered(s), self.bound)

    def numbered(self, s: tree.Statement) -> tree.Statement:
        """A call on arrays with its number as an array of no axes, which NumPy takes in half the time."""
        if not isinstance(s, tree.Effect) or s.call.name.removeprefix("np.") not in ARITHMETIC:
            return s
        given = list(s.call.arguments)
        if len(given) != 2 or [k.name for k in s.call.keywords] != ["out"]:
            return s
        kinds = [self.kind(operand) for operand in given]
        at = kinds.index("number") if "number" in kinds else None
        if at is None or not ("real" in kinds or ("integer" in kinds and self.whole(given[at]))):
            return s
        given[at] = self.number(given[at], DTYPE if "real" in kinds else INT64, s.equations)
        return replace(s, call=replace(s.call, arguments=tuple(given)))

    def kind(self, node: tree.Expression) -> str:
        """The kind of an operand: `number` where it is a number that stays."""
        try:
            form = self.forms.of(node)
        except Unknown:
            return ""
        if form.shape:
            return form.kind
        return "number" if form.kind == "number" and form.view and self.stays(node) else ""

    def whole(self, node: tree.Expression) -> bool:
        """Whether a number is surely an integer: of sizes and integers, by no division."""
        nodes = list(node.walk())
        plain = all(n.text.isdigit() for n in nodes if isinstance(n, tree.Constant))
        plain = plain and {n.id for n in nodes if isinstance(n, tree.Name)} <= self.forms.sizes
        return plain and not any(
            isinstance(n, (tree.Call, tree.Attribute)) or (isinstance(n, tree.Binary) and n.op in ("/", "**"))
            for n in nodes
        )

    def number(self, node: tree.Expression, dtype: tree.Name, numbers: tuple[int, ...]) -> tree.Expression:
        """The name of a number as an array of no axes."""
        made = infer.call("np.array", node, dtype, shape=(), dtype=node.dtype)
        key = tree.signature(made)
        if key not in self.names:
            word = WORDS.get(text(node), "")
            spoken = f"{text(node)}_array" if self.speaking and isinstance(node, tree.Name) else "c1"
            name = self.names[key] = infer.name(self.new(word or spoken))
            self.head.append(tree.Assign(name, made, "", numbers if not word and spoken == "c1" else ()))
            self.fixed |= {name.id}
            self.forms.known[name.id] = Form((), "real" if dtype == DTYPE else "integer", True, True)
        return self.names[key]

    def bound(self, part: tree.Expression, numbers: tuple[int, ...]) -> tree.Expression:
        """The name of a part that stays."""
        key = tree.signature(part)
        if key not in self.names:
            form = self.forms.of(part)
            wish = view_name(part) if form.shape else "c1"
            name = self.names[key] = infer.name(self.new(wish), form.shape, part.dtype)
            self.head.append(tree.Assign(name, part, "", () if form.shape else numbers))
            self.fixed |= {name.id}
            self.forms.known[name.id] = form
        return self.names[key]

    def new(self, name: str) -> str:
        """A name like this one that nothing has."""
        stem = name.rstrip("0123456789")
        number = int(name.removeprefix(stem) or 1)
        name = self.free(name)
        while name in self.taken:
            number += 1
            name = self.free(f"{stem}{number}")
        self.taken.add(name)
        return name

    # --- loops
    def loop(self, loop: tree.For, outside: tuple[tree.For, ...] = ()) -> tree.For:
        """A loop, over what it views at each step where that is known before and not much; `outside` are the
        loops around it."""
        plain = replace(loop, body=tuple(self.line(s) if _is_plain(s) else s for s in loop.body))
        if not self.stays(loop.over):
            return plain
        around = _variables(loop)
        self.forms.known.update(dict.fromkeys(around, NUMBER))
        if any(isinstance(node, tree.For) for s in plain.body for node in s.walk()):
            return self.loops_within(plain, (*outside, loop))
        known = {*around, *(name for one in outside for name in _variables(one))}
        inside = replace(self, fixed=self.fixed | known, names={}, head=[], taken=set(self.taken))
        views: dict[tree.Name, tree.Expression] = {}

        def named(part: tree.Expression, numbers: tuple[int, ...]) -> tree.Expression:  # noqa: ARG001
            key = tree.signature(part)
            if key not in inside.names:
                inside.names[key] = infer.name(inside.new(view_name(part, around[0])), part.shape, part.dtype)
                views[inside.names[key]] = part
            return inside.names[key]

        body = [inside._renamed(s, named, numbers=False) if _is_plain(s) else s for s in plain.body]
        body = [inside.chosen(s, named, known) if isinstance(s, tree.If) else s for s in body]
        if not any(names_in([view]) & set(around) for view in views.values()) or len(views) > MOST:
            return plain
        self.taken |= inside.taken
        read = [infer.name(n, (), "number") for n in around if n in names_in(body)]
        steps: tree.Expression = infer.word(self.new("steps"))
        self.head.append(tree.Assign(steps, _comprehension([*read, *views.values()], (*outside, loop))))
        for one in outside:
            for name in _variables(one):
                steps = tree.Subscript((), "object", steps, (infer.name(name, (), "number"),))
        return tree.For(_together([*read, *views]), steps, tuple(body))

    def chosen(self, choice: tree.If, named: Naming, steps: Collection[str]) -> tree.If:
        """A choice in a loop with names for the views: those that all `steps` have, and those that a step has
        only where it is chosen."""
        test = choice.condition if self.counted(choice.condition) else None

        def where_chosen(part: tree.Expression, numbers: tuple[int, ...]) -> tree.Expression:
            moves = any(isinstance(n, tree.Name) and n.id in steps for n in part.walk())
            if tree.signature(part) in self.names or test is None or not moves:
                return self.names.get(tree.signature(part), part)
            return named(tree.Choice(part.shape, part.dtype, part, test, NOTHING), numbers)

        def known(part: tree.Expression, numbers: tuple[int, ...]) -> tree.Expression:  # noqa: ARG001
            return self.names.get(tree.signature(part), part)

        body, otherwise = (
            tuple(self._renamed(s, way, numbers=False) if _is_plain(s) else s for s in part)
            for part, way in ((choice.body, where_chosen), (choice.otherwise, known))
        )
        return replace(choice, body=body, otherwise=otherwise)

    def loops_within(self, loop: tree.For, outside: tuple[tree.For, ...]) -> tree.For:
        """A loop with the loops in it over what these view."""
        if any(not isinstance(one.variable, tree.Name) for one in outside):
            return loop
        return replace(
            loop, body=tuple(self.loop(s, outside) if isinstance(s, tree.For) else s for s in loop.body)
        )

    # --- parts
    def _renamed(self, s: tree.Statement, name: Naming, *, numbers: bool = True) -> tree.Statement:
        """A statement with names for its largest parts that stay as they are and are more than a name."""
        equations = s.equations if isinstance(s, (tree.Assign, tree.Effect)) else ()

        def within(node: Any, *, operand: bool = False) -> Any:
            if isinstance(node, VIEWING) and self.stays(node) and self.views(node):
                return name(node, equations)
            if isinstance(node, tree.Choice):  # not both of its branches can be had
                return node
            if numbers and operand and self.counts(node):
                return name(node, equations)
            operands = _is_arithmetic(node) or (isinstance(node, tree.Call) and _of_numpy(node))
            return node.rebuilt(
                lambda child: within(child, operand=operands and not isinstance(child, tree.Keyword))
            )

        if isinstance(s, tree.Assign) and (numbers or not s.op):  # what `+=` names is local
            return replace(s, value=within(s.value))
        return s.rebuilt(within)

    def stays(self, node: tree.Expression) -> bool:
        """Whether an expression reads nothing but what stays in its place, and takes no choice or place from
        values, which change."""
        nodes = list(node.walk())
        names = {n.id.partition(".")[0] for n in nodes if isinstance(n, tree.Name)}
        deciding: list[tree.Node] = [n.condition for n in nodes if isinstance(n, tree.Choice)]
        deciding += [item for n in nodes if isinstance(n, tree.Subscript) for item in n.items]
        return names <= self.fixed | GLOBALS and all(map(self.counted, deciding))

    def counted(self, node: tree.Node) -> bool:
        """Whether an expression is made of sizes and steps only, not of values in arrays."""
        names = names_in([node]) - GLOBALS - self.forms.sizes - {""}
        return all(self.forms.known.get(name) == NUMBER for name in names)

    def views(self, node: tree.Expression) -> bool:
        """Whether an expression is a view of an array, which is as good at the next call."""
        try:
            form = self.forms.of(node)
        except Unknown:
            return False
        return form.view and bool(form.shape) and not any(map(self.computed, node.walk()))

    def computed(self, node: tree.Node) -> bool:
        """Whether a part of an expression is a new value, which doesn't follow the arrays that it is made of:
        arithmetic with values, a function of them, an element by its position."""
        if isinstance(node, (tree.Binary, tree.Unary, tree.Between)):
            return not self.counted(node)
        if isinstance(node, tree.Call):
            return node.name.rpartition(".")[2] not in VIEWS and not self.counted(node)
        return isinstance(node, tree.Subscript) and not self.forms.of(node).shape

    def counts(self, node: tree.Node) -> bool:
        """Whether an expression computes a number out of sizes."""
        if not isinstance(node, (tree.Binary, tree.Call)) or not (
            isinstance(node, tree.Call) or _is_arithmetic(node)
        ):
            return False
        if not self.stays(node):
            return False
        try:
            form = self.forms.of(node)
        except Unknown:
            return False
        named = names_in([node]) - GLOBALS
        return form.view and not form.shape and form.kind == "number" and bool(named)


def _is_plain(s: tree.Statement) -> bool:
    """Whether a statement has no others within it."""
    return isinstance(s, (tree.Assign, tree.Effect))


def _is_arithmetic(node: tree.Node) -> bool:
    return isinstance(node, tree.Binary) and node.op not in COMPARISONS and node.op not in ("and", "or")


def _assigned(statements: Iterable[tree.Statement]) -> dict[str, int]:
    """The names that statements give to something, and how often."""
    found: dict[str, int] = {}
    for node in (node for s in statements for node in s.walk()):
        target = (
            node.variable
            if isinstance(node, tree.For)
            else node.target
            if isinstance(node, tree.Assign)
            else None
        )
        given = target.items if isinstance(target, tree.Sequence) else (target,)
        for name in (item.id for item in given if isinstance(item, tree.Name)):
            found[name] = found.get(name, 0) + 1
    return found


def _of_numpy(node: tree.Call) -> bool:
    return node.name.rpartition(".")[0] == "np"


def _variables(loop: tree.For) -> list[str]:
    return [n.id for n in loop.variable.walk() if isinstance(n, tree.Name)]


def _together(values: Sequence[tree.Expression]) -> tree.Expression:
    return infer.tuple_of(*values) if len(values) > 1 else values[0]


def _comprehension(values: Sequence[tree.Expression], loops: Sequence[tree.For]) -> tree.Expression:
    """`[(…) for t in range(T)]`; a list of such lists for loops outside, whose steps go forwards."""
    *outside, loop = loops
    found: tree.Expression = tree.Comprehension((), "object", _together(values), loop.variable, loop.over)
    for one in reversed(outside):
        over = one.over
        backwards = isinstance(over, tree.Call) and over.name == "reversed"
        forwards = over.arguments[0] if isinstance(over, tree.Call) and backwards else over
        found = tree.Comprehension((), "object", found, one.variable, forwards)
    return found
