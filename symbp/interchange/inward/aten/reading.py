"""A PyTorch module as a foreign graph, through `torch.export`.

Enters: a module, example inputs, names of open axes. Leaves: `Graph`. Must not know: what operations mean.

`torch.export` follows the module once with the example and notes each operation; what depends on data in
Python (`if x.sum() > 0`) it refuses, where tracing by symbols would bake one way in.
"""

from __future__ import annotations

import operator
import warnings
from collections.abc import Mapping, Sequence
from typing import Any

from symbp.errors import DataError, UsageError
from symbp.interchange.files import library
from symbp.interchange.inward.graph import Graph, Held, Incoming, Kind, Ref, Step
from symbp.interchange.inward.naming import cleaned

Axes = Mapping[int, str] | None
KINDS: Mapping[str, Kind] = {"PARAMETER": "parameter", "BUFFER": "buffer", "CONSTANT_TENSOR": "constant"}


def graph_of(module: Any, inputs: Any, dims: Sequence[Axes] | Axes) -> Graph:
    """The graph of a module at example inputs. `dims` says for each input which axes are open and what
    their sizes are called; the first of each, N, if nothing is said.

    Raises UsageError: PyTorch isn't installed, no module, no tensors; DataError: what `torch.export` refuses.
    """
    torch = library("torch", "torch")
    if not isinstance(module, torch.nn.Module):
        raise UsageError(f"a torch.nn.Module is taken in, not {type(module).__name__}")
    given = tuple(inputs) if isinstance(inputs, (tuple, list)) else (inputs,)
    if not given or not all(isinstance(x, torch.Tensor) for x in given):
        raise UsageError(
            "the example inputs are tensors", help="from_torch(module, (x,)), as module(x) takes them"
        )
    opened = _opened(given, dims)
    wide = [_wide(torch, x, axes) for x, axes in zip(given, opened, strict=True)]
    program = _exported(torch, module, wide, opened)
    kind = type(module).__name__
    return _Reader(torch, program, opened).graph(cleaned(kind.lower(), "model"), f"the PyTorch module {kind}")


def _opened(given: Sequence[Any], dims: Sequence[Axes] | Axes) -> list[dict[int, str]]:
    every = [dims] * len(given) if dims is None or isinstance(dims, Mapping) else list(dims)
    if len(every) != len(given):
        raise UsageError(f"open axes are named for {len(every)} inputs, and there are {len(given)}")
    found = []
    for x, axes in zip(given, every, strict=True):
        own = ({0: "N"} if x.dim() else {}) if axes is None else dict(axes)
        if any(not 0 <= axis < x.dim() for axis in own):
            raise UsageError(f"an input of {x.dim()} axes has no open axis {max(own)}")
        found.append(own)
    return found


def _wide(torch: Any, x: Any, axes: Mapping[int, str]) -> Any:
    """The example with at least 2 elements along open axes: PyTorch takes 1 for a size of its own kind."""
    for axis in axes:
        if x.shape[axis] < 2:
            x = torch.cat([x, x], axis)
    return x


def _exported(torch: Any, module: Any, given: Sequence[Any], opened: Sequence[Mapping[int, str]]) -> Any:
    names = {name for axes in opened for name in axes.values()}
    known = {name: torch.export.Dim(cleaned(name, "N")) for name in sorted(names)}
    shapes = tuple({axis: known[name] for axis, name in axes.items()} or None for axes in opened)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of what PyTorch notes about its own state
            return torch.export.export(module, tuple(given), dynamic_shapes=_tree(module, shapes))
    except Exception as failure:  # of many kinds of its own
        told = [line.strip() for line in str(failure).splitlines() if line.strip()]
        raise DataError(
            "torch.export can't follow this module",
            details=tuple(line[:200] for line in told[:6]),
            help="a size that must be known stays closed: dims={}; what depends on data can't be followed",
        ) from None


def _tree(module: Any, shapes: tuple[Any, ...]) -> Any:
    """The open axes as `torch.export` wants them; a module that takes *inputs has them in one argument."""
    import inspect

    kinds = [p.kind for p in inspect.signature(module.forward).parameters.values()]
    return (shapes,) if kinds[:1] == [inspect.Parameter.VAR_POSITIONAL] else shapes


class _Reader:
    """An exported program: what its placeholders are, and its calls as steps."""

    def __init__(self, torch: Any, program: Any, opened: Sequence[Mapping[int, str]]) -> None:
        self.torch, self.program, self.opened = torch, program, opened
        tensors = program.state_dict.values()
        self.frozen = any(
            t.requires_grad for t in tensors
        )  # so that those without a gradient are meant to be
        self.held: dict[str, Held] = {}
        self.inputs: list[Incoming] = []

    def graph(self, name: str, origin: str) -> Graph:
        nodes = list(self.program.graph.nodes)
        kinds = {spec.arg.name: spec for spec in self.program.graph_signature.input_specs}
        for node in nodes:
            if node.op == "placeholder":
                self._placeholder(node, kinds[node.name])
        steps = [self._step(node) for node in nodes if node.op == "call_function"]
        _check_in_place(steps)
        (last,) = (node for node in nodes if node.op == "output")
        results = [n for n in last.args[0] if n is not None]
        specs = [s for s in self.program.graph_signature.output_specs if s.kind.name == "USER_OUTPUT"]
        own = results[len(results) - len(specs) :]
        labels = ["output"] if len(own) == 1 else [f"output{k + 1}" for k in range(len(own))]
        outputs = dict(zip(labels, (n.name for n in own), strict=True))
        return Graph(name, tuple(self.inputs), self.held, tuple(steps), outputs, origin)

    def _placeholder(self, node: Any, spec: Any) -> None:
        kind = spec.kind.name
        if kind in KINDS:
            tensor = self._tensor(spec)
            array = tensor.detach().cpu()
            if array.dtype in (self.torch.float16, self.torch.bfloat16) or array.is_complex():
                raise DataError(f"{spec.target} has elements of type {array.dtype}, which aren't taken in")
            self.held[node.name] = Held(str(spec.target), array.numpy().copy(), self._kind(kind, tensor))
        elif kind == "USER_INPUT" and hasattr(node.meta.get("val"), "shape"):
            value = node.meta["val"]
            axes = self.opened[len(self.inputs)]
            shape = tuple(axes[k] if k in axes else int(n) for k, n in enumerate(value.shape))
            floating = value.dtype.is_floating_point
            numbers: Any = "real" if floating else "boolean" if value.dtype == self.torch.bool else "integer"
            self.inputs.append(Incoming(node.name, shape, numbers))
        else:
            raise DataError(f"the module takes {node.name}, which is no tensor")

    def _kind(self, kind: str, tensor: Any) -> Kind:
        """A parameter that gets no gradient where others do isn't learned."""
        if not tensor.is_floating_point():
            return "constant"
        held_back = kind == "PARAMETER" and self.frozen and not tensor.requires_grad
        return "buffer" if held_back else KINDS[kind]

    def _tensor(self, spec: Any) -> Any:
        for home in (self.program.state_dict, self.program.constants):
            if spec.target in home:
                return home[spec.target]
        raise DataError(f"the exported program has no array {spec.target}")

    def _step(self, node: Any) -> Step:
        target = node.target
        where = f"{_called(target)} ({node.name})"
        if isinstance(target, self.torch._ops.OpOverload):
            names = [a.name for a in target._schema.arguments]
            defaults = {
                a.name: _plain(a.default_value) for a in target._schema.arguments if a.has_default_value()
            }
            arguments = dict(zip(names, node.args, strict=False)) | dict(node.kwargs)
            op = f"{target.namespace}.{target._schema.name.partition('::')[2]}"
        else:
            arguments, defaults, op = dict(enumerate(node.args)), {}, _called(target)
        found = {key: self._argument(value) for key, value in arguments.items()}
        results = (node.name,)
        return Step(op, found, results, where, defaults=defaults)

    def _argument(self, value: Any) -> Any:
        if isinstance(value, self.torch.fx.Node):
            return Ref(value.name)
        if isinstance(value, (list, tuple)):
            return [self._argument(one) for one in value]
        return _plain(value)


def _called(target: Any) -> str:
    """What an operation is called: the operators of Python by their own names."""
    if target is operator.getitem:
        return "python.getitem"
    module = getattr(target, "__module__", "")
    name = getattr(target, "__name__", str(target))
    return f"python.{name}" if module in ("_operator", "math", "builtins") else str(target)


def _plain(value: Any) -> Any:
    """Numbers and text as they are, PyTorch's own kinds by their names."""
    plain = value is None or isinstance(value, (bool, int, float, str, list, tuple))
    return value if plain else str(value)


def _check_in_place(steps: Sequence[Step]) -> None:
    """What a step overwrites must be its own: the one result of a step that nothing else reads."""
    reads: dict[str, int] = {}
    for step in steps:
        for name in step.reads:
            reads[name] = reads.get(name, 0) + 1
    made = {step.results[0]: step for step in steps}
    for step in steps:
        if step.op.endswith("_") and not step.op.endswith("__"):
            first = step.arguments.get("self", step.arguments.get("input"))
            source = made.get(first.name) if isinstance(first, Ref) else None
            alone = isinstance(first, Ref) and reads[first.name] == 1 and not reads.get(step.results[0])
            counter = alone and source is None  # how many batches there were: nothing reads it
            if counter:
                continue
            if source is None or reads[first.name] > 1 or source.op in VIEWS:
                raise DataError(
                    "a tensor that something else reads is overwritten", where=step.where,
                    help="write it without inplace=True, or x = x + y for x += y",
                )  # fmt: skip


VIEWS = {"python.getitem"} | {
    f"aten.{name}"
    for name in (
        "view", "reshape", "flatten", "unflatten", "permute", "transpose", "t", "squeeze", "unsqueeze",
        "expand", "to", "slice", "select", "split", "chunk", "unbind", "narrow", "detach", "alias", "dropout",
        "contiguous", "view_as", "diagonal", "split_with_sizes", "numpy_T", "expand_as",
    )
}  # fmt: skip
