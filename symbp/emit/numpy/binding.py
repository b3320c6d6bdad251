"""What the lines of a stage need at every call but only once: views of arrays that stay in their places, and
numbers made of sizes.

Enters: the lines of a stage, what stays as it is. Leaves: lines to run once, and the stage's lines with names
for what those make. Must not know: equations, what the lines compute.

A loop whose lines read a few views by its step gets them all from a list that is made once:
`for h_before, r_t, h_t in steps:`.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace

from symbp.emit.blocks import WIDTH, wrapped
from symbp.emit.inference.form import NUMBER, Form, Unknown
from symbp.emit.inference.shape_inference import Forms
from symbp.emit.numpy.view_names import view_name

MOST = 16  # views by the step that a loop names beside each other
ARITHMETIC = ("add", "subtract", "multiply", "divide", "maximum", "minimum", "greater", "less", "equal")
WORDS = {"0": "zero", "1": "one", "2": "two"}
GLOBALS = frozenset({"np", "math", "DTYPE"})
Naming = Callable[[ast.expr, str, str], str]  # of a part, its text and the comment of its line
VIEWS = frozenset({"broadcast_to", "reshape", "transpose", "swapaxes", "ravel", "diagonal", "_windows"})
VIEWING = (ast.Subscript, ast.Attribute, ast.Call, ast.IfExp)


@dataclass
class Binding:
    """Names for what stays: `fixed` are the arrays, sizes and constants that stage lines find in place."""

    forms: Forms
    fixed: frozenset[str]
    free: Callable[[str], str]
    taken: set[str] = field(default_factory=set)
    head: list[str] = field(default_factory=list)
    names: dict[str, str] = field(default_factory=dict)
    speaking: bool = False  # arrays of sizes are called after these

    def lines(self, lines: Sequence[str]) -> list[str]:
        """The lines with names; what makes them is in `head`."""
        self.taken |= {word for line in lines for word in re.findall(r"\w+", line)}
        assigned = _assigned(lines)
        self.fixed -= assigned.keys()
        found: list[str] = []
        for block in _blocks(lines):
            if block[0].startswith("for "):
                found += self.loop(block)
            elif len(block) > 1:
                found += block
            elif not self.named_once(block[0], assigned):
                found.append(self.line(block[0]))
        return found

    def named_once(self, line: str, assigned: Mapping[str, int]) -> bool:
        """Whether a line names a view for good; then it is a line of the head."""
        code = line.partition("  # ")[0]
        (node,) = ast.parse(code).body
        if not isinstance(node, ast.Assign) or not isinstance(node.targets[0], ast.Name):
            return False
        name = node.targets[0].id
        if assigned[name] > 1 or not (self.stays(node.value) and self.views(node.value)):
            return False
        self.head.append(code)
        self.fixed |= {name}
        self.forms.known[name] = self.forms.of(node.value)
        return True

    def line(self, line: str) -> str:
        """One line, with names for the parts that stay, and for the numbers beside arrays."""
        return self._renamed(self.numbered(line), self.bound)

    def numbered(self, line: str) -> str:
        """A call on arrays with its number as an array of no axes, which NumPy takes in half the time."""
        code, mark, comment = line.partition("  # ")
        found = re.match(rf"( *np\.(?:{'|'.join(ARITHMETIC)})\()(.*)(, out=.*)$", code)
        if found is None:
            return line
        operands = ast.parse(f"({found[2]})", mode="eval").body
        if not isinstance(operands, ast.Tuple) or len(operands.elts) != 2:
            return line
        kinds = [self.kind(operand) for operand in operands.elts]
        at = kinds.index("number") if "number" in kinds else None
        if at is None or not ("real" in kinds or ("integer" in kinds and self.whole(operands.elts[at]))):
            return line
        dtype = "DTYPE" if "real" in kinds else "np.int64"
        texts = [ast.get_source_segment(f"({found[2]})", operand) or "" for operand in operands.elts]
        texts[at] = self.number(texts[at], dtype, mark + comment)
        return f"{found[1]}{', '.join(texts)}{found[3]}{mark}{comment}"

    def kind(self, node: ast.expr) -> str:
        """The kind of an operand: `number` where it is a number that stays."""
        try:
            form = self.forms.of(node)
        except Unknown:
            return ""
        if form.shape:
            return form.kind
        return "number" if form.kind == "number" and form.view and self.stays(node) else ""

    def whole(self, node: ast.expr) -> bool:
        """Whether a number is surely an integer: of sizes and integers, by no division."""
        nodes = list(ast.walk(node))
        constants = [n.value for n in nodes if isinstance(n, ast.Constant)]
        names = {n.id for n in nodes if isinstance(n, ast.Name)}
        plain = all(type(value) is int for value in constants) and names <= self.forms.sizes
        return plain and not any(isinstance(n, (ast.Div, ast.Call, ast.Pow)) for n in nodes)

    def number(self, text: str, dtype: str, comment: str) -> str:
        """The name of a number as an array of no axes."""
        key = f"np.array({text}, {dtype})"
        if key not in self.names:
            spoken = f"{text}_array" if self.speaking and text.isidentifier() else "c1"
            name = self.names[key] = self.new(WORDS.get(text, spoken))
            self.head.append(f"{name} = {key}{comment if text not in WORDS and spoken == 'c1' else ''}")
            self.fixed |= {name}
            self.forms.known[name] = Form((), "real" if dtype == "DTYPE" else "integer", True, True)
        return self.names[key]

    def bound(self, part: ast.expr, source: str, comment: str) -> str:
        """The name of a part that stays."""
        text = ast.unparse(part)
        if text not in self.names:
            form = self.forms.of(part)
            name = self.names[text] = self.new(view_name(part) if form.shape else "c1")
            self.head.append(f"{name} = {source}{'' if form.shape else comment}")
            self.fixed |= {name}
            self.forms.known[name] = form
        return self.names[text]

    def new(self, name: str) -> str:
        """A name like this one that nothing has."""
        stem, count = re.fullmatch(r"(.*?)(\d*)", name).groups()  # type: ignore[union-attr]
        number = int(count or 1)
        name = self.free(name)
        while name in self.taken:
            number += 1
            name = self.free(f"{stem}{number}")
        self.taken.add(name)
        return name

    # --- loops
    def loop(self, block: Sequence[str], outside: tuple[ast.For, ...] = ()) -> list[str]:
        """A loop, over what it views at each step where that is known before and not much; `outside` are the
        loops around it."""
        body = [self.line(line) if _plain(line, block) else line for line in block[1:]]
        (head,) = ast.parse(f"{block[0].partition('  # ')[0]} pass").body
        assert isinstance(head, ast.For)
        if not self.stays(head.iter):
            return [block[0], *body]
        around, views = _targets(head), dict[str, str]()
        self.forms.known.update(dict.fromkeys(around, NUMBER))
        if any(line.lstrip().startswith("for ") for line in body):
            return [block[0], *self.loops_within(body, (*outside, head))]
        known = {*around, *(name for loop in outside for name in _targets(loop))}
        inside = replace(self, fixed=self.fixed | known, names=views, head=[], taken=set(self.taken))

        def named(part: ast.expr, source: str, comment: str) -> str:  # noqa: ARG001
            if source not in views:
                views[source] = inside.new(view_name(part, around[0]))
            return views[source]

        plain = [
            inside._renamed(line, named, numbers=False) if _plain(line, block) else line for line in body
        ]
        renamed = inside.chosen(plain, named, known)
        moving = [v for v in views if any(re.search(rf"\b{name}\b", v) for name in around)]
        if not moving or len(views) > MOST:
            return [block[0], *body]
        self.taken |= inside.taken
        read = [
            n for n in around if any(re.search(rf"\b{n}\b", line.partition("  # ")[0]) for line in renamed)
        ]
        steps = self.new("steps")
        clause = block[0].partition("  # ")[0].rstrip(":")
        self.head += _comprehension(steps, [*read, *views], clause, [_forwards(loop) for loop in outside])
        at = "".join(f"[{name}]" for loop in outside for name in _targets(loop))
        return [*_header([*read, *views.values()], steps + at), *renamed]

    def chosen(self, body: Sequence[str], named: Naming, steps: Collection[str]) -> list[str]:
        """The lines of a loop with names for the views under a choice: those that all `steps` have, and
        those that a step has only where it is chosen."""
        found: list[str] = []
        margin, condition = _margin(body[0]), ""

        def where_chosen(part: ast.expr, source: str, comment: str) -> str:
            moves = any(isinstance(n, ast.Name) and n.id in steps for n in ast.walk(part))
            if source in self.names or not condition or not moves:
                return self.names.get(source, source)
            return named(part, f"{source} if {condition} else None", comment)

        for line in body:
            code = line.partition("  # ")[0].strip()
            if _margin(line) == margin:
                condition = code[3:-1] if code.startswith("if ") and code.endswith(":") else ""
                if condition and not self.counted(ast.parse(condition, mode="eval").body):
                    condition = ""
            elif len(_margin(line)) == len(margin) + 4 and not code.endswith(":"):
                line = self._renamed(line, where_chosen, numbers=False)
            found.append(line)
        return found

    def loops_within(self, body: Sequence[str], outside: tuple[ast.For, ...]) -> list[str]:
        """The lines of a loop with those of the loops in it."""
        margin = _margin(body[0])
        if any(not isinstance(loop.target, ast.Name) for loop in outside):
            return list(body)
        found: list[str] = []
        for block in _blocks([line.removeprefix(margin) for line in body]):
            lines = self.loop(block, outside) if block[0].startswith("for ") else block
            found += [f"{margin}{line}" for line in lines]
        return found

    # --- parts
    def _renamed(self, line: str, name: Naming, *, numbers: bool = True) -> str:
        code, mark, comment = line.partition("  # ")
        margin = code[: len(code) - len(code.lstrip())]
        raw = code.strip().encode()
        parts = sorted(self.parts(ast.parse(raw), numbers=numbers), key=lambda p: p.col_offset)
        spans = [(part.col_offset, part.end_col_offset or 0) for part in parts]
        texts = [raw[start:end].decode() for start, end in spans]
        names = [name(part, text, mark + comment) for part, text in zip(parts, texts, strict=True)]
        for part, (start, end), found in reversed(list(zip(parts, spans, names, strict=True))):
            if isinstance(part, ast.BinOp) and raw[start - 1 : start] + raw[end : end + 1] == b"()":
                start, end = (start - 1, end + 1) if raw[start - 2 : start - 1] == b" " else (start, end)
            raw = raw[:start] + found.encode() + raw[end:]
        return f"{margin}{raw.decode()}{mark}{comment}"

    def parts(self, node: ast.AST, *, numbers: bool, within: bool = False) -> Iterator[ast.expr]:
        """The largest parts of a line that stay as they are and are more than a name; numbers only `within`
        what computes with arrays."""
        if isinstance(node, VIEWING) and self.stays(node) and self.views(node):
            yield node
            return
        if isinstance(node, ast.IfExp):  # not both of its branches can be had
            return
        if numbers and self.counts(node, within):
            yield node  # type: ignore[misc]
            return
        children: Iterable[ast.AST] = ast.iter_child_nodes(node)
        if isinstance(node, ast.Assign) or (isinstance(node, ast.AugAssign) and numbers):
            children = [node.value]  # what `+=` names is local
        operands = isinstance(node, ast.BinOp) or (isinstance(node, ast.Call) and _of_numpy(node))
        for child in children:
            yield from self.parts(child, numbers=numbers, within=operands)

    def stays(self, node: ast.expr) -> bool:
        """Whether an expression reads nothing but what stays in its place, and takes no choice or place from
        values, which change."""
        functions = {n.func for n in ast.walk(node) if isinstance(n, ast.Call)}
        names = {n.id for n in ast.walk(node) if isinstance(n, ast.Name) and n not in functions}
        deciding = [n.test for n in ast.walk(node) if isinstance(n, ast.IfExp)]
        deciding += [n.slice for n in ast.walk(node) if isinstance(n, ast.Subscript)]
        return names <= self.fixed | GLOBALS and all(map(self.counted, deciding))

    def counted(self, node: ast.expr) -> bool:
        """Whether an expression is made of sizes and steps only, not of values in arrays."""
        names = {n.id for n in ast.walk(node) if isinstance(n, ast.Name)} - GLOBALS - self.forms.sizes
        return all(self.forms.known.get(name) == NUMBER for name in names)

    def views(self, node: ast.expr) -> bool:
        """Whether an expression is a view of an array, which is as good at the next call."""
        try:
            form = self.forms.of(node)
        except Unknown:
            return False
        return form.view and bool(form.shape) and not any(map(self.computed, ast.walk(node)))

    def computed(self, node: ast.AST) -> bool:
        """Whether a part of an expression is a new value, which doesn't follow the arrays that it is made of:
        arithmetic with values, a function of them, an element by its position."""
        if isinstance(node, (ast.BinOp, ast.UnaryOp, ast.BoolOp, ast.Compare)):
            return not self.counted(node)
        if isinstance(node, ast.Call):
            name = node.func.attr if isinstance(node.func, ast.Attribute) else ast.unparse(node.func)
            return name not in VIEWS and not self.counted(node)
        if isinstance(node, ast.Subscript):
            return not self.forms.of(node).shape
        return False

    def counts(self, node: ast.AST, within: bool) -> bool:
        """Whether an expression computes a number out of sizes, as an operand of what works on arrays."""
        if not within or not isinstance(node, (ast.BinOp, ast.Call)) or not self.stays(node):
            return False
        try:
            form = self.forms.of(node)
        except Unknown:
            return False
        named = {n.id for n in ast.walk(node) if isinstance(n, ast.Name)} - GLOBALS
        return form.view and not form.shape and form.kind == "number" and bool(named)


def _blocks(lines: Sequence[str]) -> Iterator[list[str]]:
    """Lines with those that are indented under them."""
    block: list[str] = []
    for line in lines:
        if block and not line.startswith((" ", "else", "elif")):
            yield block
            block = []
        block.append(line)
    if block:
        yield block


def _margin(line: str) -> str:
    return line[: len(line) - len(line.lstrip())]


def _plain(line: str, block: Sequence[str]) -> bool:
    """Whether a line of a loop runs at each of its steps."""
    indent = len(block[1]) - len(block[1].lstrip())
    return len(line) - len(line.lstrip()) == indent and not line.partition("  # ")[0].endswith(":")


def _assigned(lines: Sequence[str]) -> dict[str, int]:
    """The names that lines give to something, and how often."""
    found: dict[str, int] = {}
    for line in lines:
        code = line.partition("  # ")[0].strip()
        given = re.match(r"for (\w+(?:, \w+)*) in |(\w+(?:, \w+)*) (?:[-+*/|&]?=) ", code)
        for name in (given.group(1) or given.group(2)).split(", ") if given else ():
            found[name] = found.get(name, 0) + 1
    return found


def _of_numpy(node: ast.Call) -> bool:
    return isinstance(node.func, ast.Attribute) and ast.unparse(node.func.value) == "np"


def _header(names: Sequence[str], steps: str) -> list[str]:
    """`for h_before, h_t in steps:`, over several lines where it is long."""
    one = f"for {', '.join(names)} in {steps}:"
    return [one] if len(one) + 8 <= WIDTH else wrapped("for (", names, f") in {steps}:", 8)


def _targets(loop: ast.For) -> list[str]:
    return [n.id for n in ast.walk(loop.target) if isinstance(n, ast.Name)]


def _forwards(loop: ast.For) -> str:
    """The head of a loop whose steps stand in a list, by their numbers."""
    over = ast.unparse(loop.iter)
    over = over.removeprefix("reversed(")[:-1] if over.startswith("reversed(") else over
    return f"for {ast.unparse(loop.target)} in {over}"


def _comprehension(name: str, values: Sequence[str], around: str, outside: Sequence[str] = ()) -> list[str]:
    """`steps = [(…) for t in range(T)]`, over several lines where it is long; a list of such lists for loops
    `outside`."""
    entry = f"({', '.join(values)})" if len(values) > 1 else values[0]
    opening = "[" * len(outside)
    closing = "".join(f" {clause}]" for clause in reversed(outside))
    one = f"{name} = {opening}[{entry} {around}]{closing}"
    if len(one) + 4 <= WIDTH:
        return [one]
    inner = [f"    {line}" for line in wrapped("(", values, ")", 8)]
    return [f"{name} = {opening}[", *inner, f"    {around}", f"]{closing}"]
