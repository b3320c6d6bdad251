"""What a pass must not do to lines is refused before any of them runs."""

from dataclasses import replace

import pytest

import symbp as bp
from symbp.api import order
from symbp.codegen import infer, tree
from symbp.codegen.printer import one_line
from symbp.errors import InvalidTree
from symbp.targets import named


@pytest.fixture(scope="module")
def made():
    """A small classifier, of sizes that are all different."""
    net = bp.nn.Sequential(bp.nn.Dense(5, activation="tanh"), bp.nn.Dense(3)).classifier(inputs=4)
    return order(net, optimizer=bp.optim.SGD(0.1))


def changed(node, change):
    """A node with a change made wherever it applies."""
    node = node.rebuilt(lambda child: changed(child, change))
    return change(node)


def refused(target, state, words):
    with pytest.raises(InvalidTree, match=words):
        named(target).validate(state, None)


def stage_of(state, name):
    return next(f for f in state.functions if f.name == name)


def with_body(state, name, body):
    functions = tuple(replace(f, body=tuple(body)) if f.name == name else f for f in state.functions)
    return replace(state, functions=functions)


@pytest.mark.parametrize("target", ["numpy", "numba"])
def test_a_line_that_is_gone(made, target):
    state = named(target).after("lines", made)
    body = stage_of(state, "_forward").body
    refused(target, with_body(state, "_forward", body[1:]), "is used before it is defined")


def test_a_line_that_fills_another_array(made):
    state = named("numpy").after("lines", made)

    def change(node):
        out = isinstance(node, tree.Keyword) and node.name == "out" and one_line(node.value) == "z1"
        return replace(node, value=infer.word("z2")) if out else node

    code = {name: [changed(s, change) for s in lines] for name, lines in state.stages.code.items()}
    wrong = replace(state, stages=replace(state.stages, code=code))
    refused("numpy", wrong, "H1 elements meet K")


def test_a_loop_that_leaves_its_array(made):
    state = named("numba").after("lines", made)

    def change(node):
        if isinstance(node, tree.For) and one_line(node.over) == "range(H1)":
            further = infer.binary("+", infer.integer("H1"), infer.number(1))
            return replace(node, over=infer.called("range", further))
        return node

    for function in state.functions:
        body = [changed(s, change) for s in function.body]
        state = with_body(state, function.name, body)
    refused("numba", state, "runs to H1 . 1, over an axis of H1")


def test_a_product_of_another_shape(made):
    state = named("numba").after("lines", made)

    def change(node):
        product = isinstance(node, tree.Call) and one_line(node) == "_product(x, W1, z1)"
        return replace(node, arguments=(*node.arguments[:2], infer.word("z2"))) if product else node

    body = [changed(s, change) for s in stage_of(state, "_forward").body]
    refused("numba", with_body(state, "_forward", body), "a product of N x H1 elements fills rows x K")


def test_a_subscript_too_many(made):
    state = named("numba").after("lines", made)

    def change(node):
        array = isinstance(node, tree.Subscript) and node.value.id == "z1"
        return replace(node, items=(*node.items, infer.number(0))) if array else node

    for function in state.functions:
        body = [changed(s, change) for s in function.body]
        state = with_body(state, function.name, body)
    refused("numba", state, "3 subscripts for 2 axes")
