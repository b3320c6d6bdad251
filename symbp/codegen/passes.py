"""Passes from tree to tree that any target may choose: arrays made together, names for what repeats.

Enters: a tree. Leaves: a tree of the same values. Must not know: targets, what the code computes.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace

import sympy

from symbp.codegen import infer, tree

Body = tuple[tree.Statement, ...]


def in_bodies(statement: tree.Statement, change: Callable[[Body], Body]) -> tree.Statement:
    """A statement with each body within it changed, inner ones first."""
    if isinstance(statement, (tree.For, tree.Define)):
        return replace(statement, body=change(tuple(in_bodies(s, change) for s in statement.body)))
    if isinstance(statement, tree.If):
        body = change(tuple(in_bodies(s, change) for s in statement.body))
        return replace(
            statement, body=body, otherwise=change(tuple(in_bodies(s, change) for s in statement.otherwise))
        )
    return statement


# --- arrays made together
def made_together(body: Body) -> Body:
    """`a, b = np.zeros((2, N, H))` in the place of arrays of zeros of one shape, made one after the other."""
    found: list[tree.Statement] = []
    run: list[tree.Assign] = []
    for statement in body:
        if isinstance(statement, tree.Assign) and _is_made(statement):
            run.append(statement)
            continue
        found += [*_joined(run), statement]
        run = []
    return (*found, *_joined(run))


def _is_made(statement: tree.Assign) -> bool:
    value = statement.value
    plain = isinstance(value, tree.Call) and value.name == "np.zeros" and not statement.equations
    return plain and isinstance(statement.target, tree.Name)


def _joined(run: Sequence[tree.Assign]) -> list[tree.Statement]:
    groups: dict[tree.Expression, list[tree.Assign]] = {}
    for statement in run:
        groups.setdefault(statement.value, []).append(statement)
    found: list[tree.Statement] = []
    for value, group in groups.items():
        if len(group) == 1:
            found += group
            continue
        assert isinstance(value, tree.Call)
        shape = value.arguments[0]
        sizes = shape.items if isinstance(shape, tree.Sequence) else (shape,)
        count = infer.number(len(group))
        made = replace(
            value, arguments=(infer.tuple_of(count, *sizes),), shape=(sympy.Integer(len(group)), *value.shape)
        )  # fmt: skip
        found.append(tree.Assign(infer.tuple_of(*(s.target for s in group)), made))
    return found


# --- what stands repeatedly
def named_repeats(body: Body, fresh: Callable[[str], str], *, masks: bool = False) -> Body:
    """A name for each choice, window or computed read that statements of a body hold more than once, where
    asked for for `masks`, too; `fresh` gives an identifier like the one wished for. Nothing that it reads is
    assigned in between; an array that a loop fills in may be read at another step, as a choice does."""
    tried: set[tree.Expression] = set()
    while True:
        places = _places(body, masks)
        factors = _window_factors(body)
        repeated = [n for n, here in places.items() if (len(here) > 1 or n in factors) and n not in tried]
        node = max(repeated, key=_weight, default=None)
        if node is None:
            return body
        tried.add(node)
        first, last = min(places[node]), max(places[node])
        read = {n.id for n in node.walk() if isinstance(n, tree.Name)}
        if not isinstance(node, tree.Choice) and read & assigned(body[first:last]):
            continue
        name = infer.name(fresh(_wish(node)), node.shape, node.dtype)
        changed = [_replaced(s, node, name) for s in body]
        body = (*changed[:first], tree.Assign(name, node), *changed[first:])


def _window_factors(body: Body) -> set[tree.Node]:
    """The windows that are factors of a contraction: too long to stand in one."""
    calls = [n for s in body for n in s.walk() if isinstance(n, tree.Call) and n.name == "np.einsum"]
    return {argument for call in calls for argument in call.arguments}


def _places(body: Body, masks: bool) -> dict[tree.Expression, list[int]]:
    """Where nodes that are worth a name stand; those that an inner loop's variable is in belong to it."""
    found: dict[tree.Expression, list[int]] = {}
    for k, statement in enumerate(body):
        loops = {n.variable for n in statement.walk() if isinstance(n, tree.For)}
        for node in statement.walk():
            if not isinstance(node, tree.Expression) or not (
                _is_worth_a_name(node) or (masks and _is_mask(node))
            ):
                continue
            if not loops & set(node.walk()):
                found.setdefault(node, []).append(k)
    return found


def assigned(body: Sequence[tree.Statement]) -> set[str]:
    """The names of variables that statements define or change."""
    found: set[str] = set()
    for statement in body:
        for node in statement.walk():
            target = node.target if isinstance(node, tree.Assign) else None
            if isinstance(node, tree.Effect):
                target = node.call.arguments[0]
            if target is not None:
                found |= {n.id for n in _stored(target)}
    return found


def _stored(target: tree.Expression) -> list[tree.Name]:
    if isinstance(target, tree.Sequence):
        return [name for item in target.items for name in _stored(item)]
    while isinstance(target, tree.Subscript):
        target = target.value
    return [target] if isinstance(target, tree.Name) else []


def _is_worth_a_name(node: tree.Expression) -> bool:
    if isinstance(node, tree.Choice):
        return _base(node.then) is not None
    if isinstance(node, tree.Subscript):
        return isinstance(node.value, tree.Call) and node.value.name == "sliding_window_view"
    return isinstance(node, tree.Call) and node.name in ("sliding_window_view", "taken", "softmax")


def _is_mask(node: tree.Expression) -> bool:
    return node.dtype == "boolean" and bool(node.shape) and not isinstance(node, tree.Name)


def _weight(node: tree.Expression) -> int:
    return sum(1 for _ in node.walk())


def _base(node: tree.Expression) -> tree.Name | None:
    """The array that a view is one of."""
    if isinstance(node, tree.Subscript) and isinstance(node.value, tree.Name):
        return node.value
    return None


def _wish(node: tree.Expression) -> str:
    """What a repeated value may be called: by the array that it is read from, and how."""
    if _is_mask(node):
        return "mask"
    if isinstance(node, tree.Choice):
        base = _base(node.then)
        assert base is not None
        ops = [n.op for n in node.then.walk() if isinstance(n, tree.Binary)]
        return f"{base.id}_{'next' if '+' in ops else 'previous'}"
    inner = next((n for n in node.walk() if isinstance(n, tree.Name)), None)
    word = "windows" if any(isinstance(n, tree.Call) and "window" in n.name for n in node.walk()) else "there"
    if isinstance(node, tree.Call) and node.name == "softmax":
        word = node.name
    return f"{inner.id}_{word}" if inner else word


def _replaced(statement: tree.Statement, node: tree.Expression, name: tree.Name) -> tree.Statement:
    def change(here: tree.Node) -> tree.Node:
        return name if here == node else here.rebuilt(change)

    found = change(statement)
    assert isinstance(found, tree.Statement)
    return found
