"""A foreign graph to a declaration: its steps in order, each by the one table of its tool's operations.

Enters: a graph, a table from operations to functions, vocabularies. Leaves: `Declared`.
Must not know: any operation by name. What a step says and its function doesn't read is refused.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from symbp.errors import DataError, SymbpError
from symbp.interchange.inward.graph import Graph, Held, Incoming, Ref, Step
from symbp.interchange.inward.naming import cleaned, is_plain
from symbp.interchange.inward.values import Filled, entries, known, operand, shape_of, tensor, whole
from symbp.interchange.inward.writing import Term, Writer

MOST_STEPS = 20_000
SHORT = 60  # what looks at a tensor in another way is written out again, if it is no longer than this


class Call:
    """One step while it is taken over: its arguments, and which of them have been read."""

    def __init__(
        self,
        step: Step,
        writer: Writer,
        values: Mapping[str, Any],
        wanted: frozenset[str] = frozenset(),
        parts: frozenset[tuple[str, int]] = frozenset(),
    ) -> None:
        self.step, self.w, self._values = step, writer, values
        self._wanted, self._parts = wanted, parts
        self._read: set[str | int] = set()

    def __contains__(self, key: str | int) -> bool:
        """Whether an argument is given, and not empty."""
        return self.get(key) is not None

    def get(self, key: str | int, otherwise: Any = None) -> Any:
        """The value of an argument, as it is."""
        self._read.add(key)
        given = self.step.arguments.get(key, self.step.defaults.get(key))
        return otherwise if given is None else self._value(given)

    def __getitem__(self, key: str | int) -> Any:
        found = self.get(key)
        if found is None:
            raise DataError(f"its argument {key} is missing")
        return found

    def _value(self, given: Any) -> Any:
        if isinstance(given, Ref):
            if given.name not in self._values:
                raise DataError(f"{given.name!r} is read before anything defines it")
            return self._values[given.name]
        return [self._value(one) for one in given] if isinstance(given, (list, tuple)) else given

    def every(self) -> list[Any]:
        """All operands by their places."""
        return [self[k] for k in sorted(k for k in self.step.arguments if isinstance(k, int))]

    def term(self, key: str | int) -> Term:
        """An argument as a tensor."""
        return tensor(self.w, self[key])

    def maybe(self, key: str | int) -> Term | None:
        """The same, if it is given."""
        return self.term(key) if key in self else None

    def operand(self, key: str | int) -> Any:
        """An argument as a tensor or a number."""
        return operand(self.w, self[key])

    def whole(self, key: str | int, otherwise: int | None = None) -> int:
        return whole(self.get(key, otherwise))

    def flag(self, key: str | int) -> bool:
        return bool(self.get(key, False))

    def wholes(self, key: str | int, count: int | None = None) -> tuple[int, ...] | None:
        """Integers, one for all axes `count` times; None if they aren't given."""
        if key not in self:
            return None
        found = tuple(whole(e) for e in entries(self[key]))
        return found * count if count and len(found) == 1 else found

    def only(self, key: str | int, *allowed: Any) -> None:
        """Raises DataError unless an argument is absent or one of those."""
        given = self.get(key)
        array = known(given)
        given = array.item() if array is not None and array.size == 1 else given
        if given is not None and given not in allowed:
            raise DataError(f"{key}={given!r} isn't taken over", details=(f"known: {_listed(allowed)}",))

    def wants(self, place: int) -> bool:
        """Whether anything reads the result at that place."""
        return place < len(self.step.results) and self.step.results[place] in self._wanted

    def part_wanted(self, place: int) -> bool:
        """Whether anything takes that part of the one result."""
        return (self.step.results[0], place) in self._parts

    def skip(self, *keys: str | int) -> None:
        """Arguments that change no value."""
        self._read.update(keys)

    def unread(self) -> list[str | int]:
        """What is given and was not read; what is as it is by default says nothing."""
        given, usual = self.step.arguments, self.step.defaults
        return [k for k, v in given.items()
                if k not in self._read and v is not None and not _alike(v, usual.get(k))]  # fmt: skip


Entry = Callable[[Call], Any]


@dataclass(frozen=True)
class Declared:
    """What is declared: outputs by name, and the writer that holds lines, tensors and arrays."""

    writer: Writer
    inputs: Mapping[str, Term]
    outputs: Mapping[str, Term]


def declared(
    graph: Graph, table: Mapping[str, Entry], rows: Callable[[Graph], Mapping[str, int]]
) -> Declared:
    """The declaration of a graph. `rows` finds the vocabulary of each input of integers.

    Raises DataError: operations that the table doesn't have, all of them at once; a step that means something
    else than symbp's function; values that nothing defines.
    """
    _check_all_there(graph.live(), table)
    vocabulary = rows(graph)
    walk = _walked(graph, table, vocabulary, {value: name for name, value in graph.outputs.items()})
    through = walk.passed_through()
    return (_walked(graph, table, vocabulary, through) if through else walk).finished()


def _walked(
    graph: Graph, table: Mapping[str, Entry], rows: Mapping[str, int], goes_out: Mapping[str, str]
) -> _Walk:
    walk = _Walk(graph, Writer(), goes_out)
    for one in graph.inputs:
        walk.incoming(one, rows.get(one.name))
    for step in graph.live():
        walk.take(step, table[step.op])
    return walk


def _check_all_there(steps: tuple[Step, ...], table: Mapping[str, Entry]) -> None:
    if len(steps) > MOST_STEPS:
        raise DataError(f"the model has {len(steps):,} steps, more than {MOST_STEPS:,}")
    missing: dict[str, list[str]] = {}
    for step in steps:
        if step.op not in table:
            missing.setdefault(step.op, []).append(step.where)
    if missing:
        many = "an operation" if len(missing) == 1 else f"{len(missing)} operations"
        raise DataError(
            f"the model has {many} that symbp doesn't take in",
            details=tuple(_places(op, where) for op, where in sorted(missing.items())),
            help="write these parts with others, or leave them out of the model",
        )


def _places(op: str, where: list[str]) -> str:
    more = f" and {len(where) - 3} more" if len(where) > 3 else ""
    return f"{op}, {len(where)} time{'s' if len(where) > 1 else ''}: {'; '.join(where[:3])}{more}"


class _Walk:
    """Values by their foreign names, and how often each is read."""

    def __init__(self, graph: Graph, writer: Writer, goes_out: Mapping[str, str]) -> None:
        self.graph, self.w, self.goes_out = graph, writer, goes_out
        self.values: dict[str, Any] = dict(graph.held)
        self.inputs: dict[str, Term] = {}
        self.reads: dict[str, int] = {}
        for step in graph.live():
            for name in step.reads:
                self.reads[name] = self.reads.get(name, 0) + 1
        self.parts = frozenset(
            (of.name, place)
            for step in graph.live()
            for of, place in [(step.arguments.get(0), step.arguments.get(1))]
            if isinstance(of, Ref) and isinstance(place, int)
        )

    def incoming(self, one: Incoming, vocabulary: int | None) -> None:
        if not self.reads.get(one.name) and one.name not in self.goes_out:
            return
        label = cleaned(one.name, "x")
        name = self.w.names.take("x" if label == "input" else label)
        shape = tuple(self.w.size(n) if isinstance(n, str) else n for n in one.shape)
        if one.numbers == "integer":
            if vocabulary is None:
                raise DataError(
                    f"the input {one.name} holds integers, and nothing in the model says how many there are",
                    help="integers are taken in where they choose rows of a table (Gather, an embedding)",
                )
            found = self.w.leaf("tokens", name, shape, vocabulary=vocabulary)
        else:
            more = {"facts": "binary"} if one.numbers == "boolean" else {}
            found = self.w.leaf("input", name, shape, **more)
        self.values[one.name] = self.inputs[one.name] = found

    def take(self, step: Step, entry: Entry) -> None:
        call = Call(step, self.w, self.values, frozenset({*self.reads, *self.goes_out}), self.parts)
        try:
            found = entry(call)
            left = call.unread()
            if left:
                given = {k: step.arguments[k] for k in left}
                raise DataError(f"{_listed(f'{k}={v}' for k, v in given.items())}: not understood here")
        except SymbpError as failure:
            told = (*((f"at {failure.where}",) if isinstance(failure.where, str) else ()), *failure.details)
            raise DataError(failure.what, where=step.where, details=told, help=failure.help) from None
        except (ArithmeticError, AttributeError, LookupError, TypeError, ValueError) as failure:
            raise DataError(
                "its operands and attributes don't fit each other",
                where=step.where,
                details=(str(failure)[:200],),
            ) from failure
        results = found if isinstance(found, tuple) else (found,)  # a list is one result with parts
        for name in step.results[len(results) :]:
            if self.reads.get(name) or name in self.goes_out:
                raise DataError(f"its result {name} is one that symbp's form doesn't have", where=step.where)
        for name, value in zip(step.results, results, strict=False):
            self.values[name] = self._kept(step, name, value)

    def _kept(self, step: Step, name: str, value: Any) -> Any:
        """The value, under a name of its own if it is worth one."""
        if not isinstance(value, Term):
            return value
        if name in self.goes_out:
            return value if value.named else self._out(name, value)
        worth = not value.light or (self.reads.get(name, 0) > 1 and len(value.text) > SHORT)
        if value.named or not self.reads.get(name) or not worth:
            return value
        if is_plain(name) and self.w.names.free(name) and not step.op.startswith("aten"):
            return self.w.bound(value, self.w.names.take(name), hidden=value.light)
        own = step.op.startswith("python.") and value.made.isidentifier()
        base = value.made if own else step.op.rpartition(".")[2].lower()
        return self.w.bound(value, self.w.names.numbered(base), hidden=value.light)

    def passed_through(self) -> dict[str, str]:
        """Where an output is the value of an earlier step, that step's result under the output's name, beside
        the other outputs; nothing if there is none such."""
        first = {id(v): name for name, v in reversed(self.values.items()) if isinstance(v, Term)}
        found = {first.get(id(self.values.get(v)), v): label for v, label in self.goes_out.items()}
        held = {*self.graph.held, *(one.name for one in self.graph.inputs)}
        return {} if found == self.goes_out or held & set(found) else found

    def _out(self, name: str, value: Term) -> Term:
        return self.w.bound(tensor(self.w, value), self.w.names.take(cleaned(self.goes_out[name], "y")))

    def finished(self) -> Declared:
        outputs: dict[str, Term] = {}
        for label, name in self.graph.outputs.items():
            value = self.values.get(name)
            if isinstance(value, (Filled, Held)) or known(value) is not None:
                raise DataError(f"the output {label} doesn't depend on data")
            if not isinstance(value, Term):
                raise DataError(f"nothing defines the output {label}")
            if any(value.value is one.value for one in self.inputs.values()):
                raise DataError(f"the output {label} is an input as it is")
            tensor_already = value.named and not value.is_condition and value.text.isidentifier()
            own = value if tensor_already and not value.text.startswith("_") else self._out(name, value)
            outputs[own.text] = own
        if not outputs:
            raise DataError("the model has no outputs")
        return Declared(self.w, self.inputs, outputs)


def rows_of(graph: Graph, lookups: Mapping[str, tuple[Any, Any]], passing: frozenset[str]) -> dict[str, int]:
    """The vocabularies of inputs of integers. `lookups` says for each operation that reads rows of a table
    which arguments are table and places; `passing` names operations that leave integers as they are."""
    source = {one.name: one.name for one in graph.inputs if one.numbers == "integer"}
    found: dict[str, int] = {}
    for step in graph.live():
        if step.op in passing:
            root = next((source[name] for name in step.reads if name in source), None)
            source |= dict.fromkeys(step.results, root) if root else {}
        if step.op not in lookups:
            continue
        table, places = (step.arguments.get(key) for key in lookups[step.op])
        if isinstance(table, Ref) and table.name in source:  # some places of the integers themselves
            source |= dict.fromkeys(step.results, source[table.name])
        if isinstance(table, Ref) and isinstance(places, Ref) and places.name in source:
            axis = step.arguments.get("axis", step.arguments.get("dim", 0)) or 0
            held = graph.held.get(table.name)
            if held is not None and isinstance(axis, int):
                count = int(shape_of(held)[axis])
                root = source[places.name]
                found[root] = min(found.get(root, count), count)
    return found


def _alike(a: Any, b: Any) -> bool:
    same = type(a) is type(b) or (isinstance(a, (list, tuple)) and isinstance(b, (list, tuple)))
    return same and bool(np.array_equal(np.asarray(a, dtype=object), np.asarray(b, dtype=object)))


def _listed(values: Any) -> str:
    return ", ".join(map(str, values))
