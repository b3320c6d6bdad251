"""The text of trees: precedence as Python has it, lines that fit, numbers at their ends."""

import itertools

import pytest

from symbp.codegen import infer
from symbp.codegen.execute import execute
from symbp.codegen.printer import WIDTH, text
from symbp.codegen.tree import Assign, Comprehension, Define, Module, Return

OPERATORS = ("+", "-", "*", "/", "//", "%", "**", "<", "==", "&", "|")
NUMBERS = {"a": 7, "b": 3, "c": 2}


def value_of(node):
    """The value of a tree without a text: what each node means."""
    if hasattr(node, "id"):
        return NUMBERS[node.id]
    operation = {
        "+": lambda x, y: x + y, "-": lambda x, y: x - y, "*": lambda x, y: x * y, "/": lambda x, y: x / y,
        "//": lambda x, y: x // y, "%": lambda x, y: x % y, "**": lambda x, y: x**y,
        "<": lambda x, y: x < y, "==": lambda x, y: x == y, "&": lambda x, y: x & y, "|": lambda x, y: x | y,
    }  # fmt: skip
    if hasattr(node, "operand"):
        return -value_of(node.operand)
    return operation[node.op](value_of(node.left), value_of(node.right))


@pytest.mark.parametrize(("first", "second"), list(itertools.product(OPERATORS, OPERATORS)))
def test_parentheses_stand_where_they_are_needed(first, second):
    a, b, c = (infer.name(n, (), "integer") for n in "abc")
    inner_left = infer.binary(second, infer.binary(first, a, b), c)
    inner_right = infer.binary(first, a, infer.binary(second, b, c))
    negative = infer.binary(first, infer.unary("-", a), infer.unary("-", infer.binary(second, b, c)))
    for tree in (inner_left, inner_right, negative):
        try:
            expected = value_of(tree)
        except (TypeError, ZeroDivisionError):
            continue  # `1.5 & 2` has no meaning
        found = execute(Assign(infer.name("found"), tree), NUMBERS)["found"]
        assert found == expected, text(tree)


def test_long_lines_are_broken_and_mean_the_same():
    names = [infer.name(f"a_rather_long_name_{k}", (), "integer") for k in range(12)]
    tree = names[0]
    for k, name in enumerate(names[1:]):
        tree = infer.binary("*" if k % 3 == 0 else "-", tree, infer.binary("+", name, names[0]))
    many = infer.call("max", *names, tree, shape=())
    statement = Assign(infer.name("found"), infer.binary("/", many, tree), "", (3, 4))
    written = text(statement)
    assert len(written.splitlines()) > 3
    assert all(len(line) <= WIDTH for line in written.splitlines())
    assert written.rstrip().endswith("# (3), (4)")
    values = {name.id: 3 * k + 1 for k, name in enumerate(names)}
    flat = "max(" + ", ".join([*values, text(tree).replace("\n", " ")]) + ") / (" + text(tree) + ")"
    assert execute(statement, values)["found"] == eval(flat, dict(values))


def test_a_long_generator_is_the_only_argument_of_its_call():
    k, long = infer.name("k", (), "integer"), infer.name("a_name_that_is_long", (), "integer")
    item = k
    for _ in range(6):
        item = infer.binary("+", infer.binary("*", item, long), k)
    every = Comprehension(
        (), "integer", item, k, infer.call("range", infer.number(4), shape=(4,)), square=False
    )
    statement = Assign(infer.name("found"), infer.call("sum", every, shape=()))
    assert len(text(statement).splitlines()) > 3
    assert execute(statement, {"a_name_that_is_long": 1})["found"] == 7 * (0 + 1 + 2 + 3)


def test_a_function():
    a = infer.name("a", (), "integer")
    function = Define("twice", (a,), ("Two times a.",), (Return(infer.binary("*", infer.number(2), a)),))
    assert execute(Module((function,)), {})["twice"](4) == 8
    assert '    """Two times a."""\n    return 2 * a\n' in text(function)
