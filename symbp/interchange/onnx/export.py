"""A derivation as an ONNX model: what it predicts, or its loss and gradients.

Enters: a derivation, arrays of parameters and buffers. Leaves: an ONNX model, checked by ONNX's own checker.
Must not know: operators; these are in the table of `calls`.

What is computed are the derivation's equations, in the forms in which nothing overflows. A size that nothing
tells stays open, and is a dimension with a name; along an axis of a recurrence it must be known.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from symbp.codegen.arguments import used_names
from symbp.derive.derivation import Derivation
from symbp.errors import DataError, GenerationError, UsageError, choose
from symbp.interchange.files import library
from symbp.interchange.onnx.graph import IR_VERSION, OPSET, Graph, Made
from symbp.interchange.onnx.walk import Walk
from symbp.interchange.sizes import fitting, known_sizes, values_of
from symbp.ir.expr import Size, free_sizes
from symbp.ir.system import Role, System, Tensor
from symbp.targets.frameworks.forward import Page, page, statements

DTYPES = ("float32", "float64")
KEPT = (Role.PARAMETER, Role.BUFFER)


def onnx_model(
    derivation: Derivation,
    arrays: Mapping[str, Any],
    *,
    sizes: Mapping[str, int] | None = None,
    dtype: str = "float32",
    gradients: bool = False,
) -> Any:
    """The model (`onnx.ModelProto`). Its inputs are the network's data, its outputs what the network
    predicts, or its loss where it declares no outputs; parameters are constants. With `gradients`, the
    training step: also targets, random draws and parameters are inputs, these with the arrays as their
    defaults, and the outputs are the loss, each gradient and what buffers become.

    Raises UsageError: onnx isn't installed, an unknown dtype or size; DataError: arrays that don't fit;
    GenerationError: what ONNX has no operator for, a recurrence over a size that nothing tells.
    """
    library("onnx", "onnx")
    if dtype not in DTYPES:
        raise UsageError(f"there is no dtype {dtype!r} here", help=choose(dtype, DTYPES))
    _refuse_strange(derivation, arrays)
    known = known_sizes(derivation.system, arrays, sizes or {})
    system = replace(derivation.system, bound=known)
    outputs = _training(derivation) if gradients else _inference(system)
    made = page(system, (), dict.fromkeys(outputs.values()))
    body = statements(made)
    used = used_names(body) | {made.tensors[name] for name in outputs.values()}
    read = [t for t in system.leaves if made.tensors[t.name] in used]
    kept = [t for t in read if t.role in KEPT]
    held = fitting(kept, arrays, known)
    inputs = [t for t in read if t.role not in (*KEPT, Role.HYPER)]
    graph = Graph(np.dtype(dtype).type)
    graph.names |= {t.name for t in (*inputs, *kept)} | set(outputs)
    variables = _leaves(made, [*inputs, *kept], derivation.constants)
    variables |= _sizes(graph, made, used, inputs)
    walk = Walk(graph, variables)
    walk.run(body)
    results = {
        name: (graph.made(variables[made.tensors[t]], _dtype(system.tensor(t))), system.tensor(t))
        for name, t in outputs.items()
    }
    return _model(graph, derivation.name, inputs, kept if gradients else [], results, held, known)


def _refuse_strange(derivation: Derivation, arrays: Mapping[str, Any]) -> None:
    """Raises DataError: an array that the network hasn't. A model without it would compute something else."""
    kept = {t.name for t in derivation.declared.with_role(*KEPT)}
    strange = [name for name in arrays if name not in kept]
    if strange:
        raise DataError(
            f"the network has no parameter or buffer {strange[0]!r}, so it isn't the one that was trained",
            details=(f"it has: {', '.join(sorted(kept)) or 'none'}",),
            help="where inputs were standardised in training: bp.standardised(net)",
        )


def _inference(system: System) -> dict[str, str]:
    """The names of outputs, and the tensors that stand for them at inference."""
    wanted = system.outputs or ((system.loss,) if system.loss else ())
    if not wanted:
        raise UsageError("the network has neither outputs nor a loss to export")
    return {name: system.inference.get(name, name) for name in wanted}


def _training(derivation: Derivation) -> dict[str, str]:
    """The loss, the gradients by their names, the buffers' next values."""
    loss = derivation.system.loss
    if loss is None:
        raise UsageError("the network has no loss to differentiate")
    names = [loss, *derivation.gradients.values(), *derivation.system.updates.values()]
    return {name: name for name in names}


def _dtype(tensor: Tensor) -> Any:
    return "integer" if tensor.integer else "real"


def _leaves(made: Page, tensors: Sequence[Tensor], constants: Mapping[str, float]) -> dict[str, Any]:
    """The values of leaves by their identifiers."""
    found: dict[str, Any] = {made.tensors[t.name]: Made(t.name, len(t.shape), _dtype(t)) for t in tensors}
    for tensor in made.system.with_role(Role.HYPER):
        if tensor.name in constants:
            found[made.tensors[tensor.name]] = float(constants[tensor.name])
    return found


def _sizes(graph: Graph, made: Page, used: set[str], inputs: Sequence[Tensor]) -> dict[str, Any]:
    """The sizes that are used, known or read off an input's shape."""
    found: dict[str, Any] = {}
    for name, identifier in made.sizes.items():
        if name in made.system.bound:
            found[identifier] = int(made.system.bound[name])
        elif identifier in used:
            tensor = next((t for t in inputs if Size(name) in t.shape), None)
            if tensor is None:
                raise GenerationError(
                    f"the size {name} is the length of no axis of an input",
                    help=f"give it a value: --size {name}=… (sizes={{{name!r}: …}})",
                )
            whole = Made(tensor.name, len(tensor.shape), _dtype(tensor))
            found[identifier] = graph.length(whole, tensor.shape.index(Size(name)))
    return found


def _model(
    graph: Graph,
    name: str,
    inputs: Sequence[Tensor],
    trained: Sequence[Tensor],
    results: Mapping[str, tuple[Made, Tensor]],
    held: Mapping[str, Any],
    sizes: Mapping[str, int],
) -> Any:
    onnx = library("onnx", "onnx")
    helper, of_array = onnx.helper, library("onnx.numpy_helper", "onnx").from_array

    def code(dtype: Any) -> int:
        return int(helper.np_dtype_to_tensor_dtype(np.dtype(dtype)))

    known = values_of(sizes)

    def told(label: str, tensor: Tensor) -> Any:
        shape = [_extent(extent.xreplace(known)) for extent in tensor.shape]
        return helper.make_tensor_value_info(label, code(graph.array(_dtype(tensor))), shape)

    computed, constants = graph.needed([value for value, _ in results.values()])
    nodes = [
        helper.make_node(operator, read, to, **{k: code(v) if k == "to" else v for k, v in more.items()})
        for operator, read, to, more in computed
    ]
    nodes += [helper.make_node("Identity", [value.name], [label]) for label, (value, _) in results.items()]
    arrays = {n: np.asarray(a, graph.real if a.dtype.kind == "f" else np.int64) for n, a in held.items()}
    arrays |= {t.name: arrays[t.name].astype(graph.array(_dtype(t))) for t in trained}
    made = helper.make_graph(
        nodes,
        name,
        [told(t.name, t) for t in (*inputs, *trained)],
        [told(label, tensor) for label, (_, tensor) in results.items()],
        [of_array(array, n) for n, array in {**arrays, **constants}.items()],
    )
    opset = helper.make_opsetid("", OPSET)
    model = helper.make_model(made, producer_name="symbp", opset_imports=[opset], ir_version=IR_VERSION)
    try:
        onnx.checker.check_model(model, full_check=True)
    except Exception as failure:
        told_by = str(failure).splitlines()[0]
        raise GenerationError(f"ONNX's checker refuses the model: {told_by}") from failure
    return model


def _extent(extent: Any) -> int | str:
    """A length that is known, or the name of an open one; a formula of open sizes as its text."""
    if not free_sizes(extent):
        return int(extent)
    return str(extent)
