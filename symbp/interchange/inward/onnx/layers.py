"""ONNX operators that are layers: the table of what each one is.

Enters: a step. Leaves: values. Must not know: other operators, files.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from symbp.interchange.inward.building import layers, recurrent, shapes
from symbp.interchange.inward.building.recurrent import Cell, piece
from symbp.interchange.inward.graph import Held
from symbp.interchange.inward.translate import Call, Entry
from symbp.interchange.inward.values import entries, known, refuse, shape_of, tensor, whole
from symbp.interchange.inward.writing import Term

AUTO = {"SAME_UPPER": "same", "SAME_LOWER": "same_lower", "VALID": "valid"}


def pads(c: Call, count: int) -> Any:
    """What stands before and after each axis: numbers, or the rule that `auto_pad` names."""
    rule = c.get("auto_pad", "NOTSET")
    given = c.wholes("pads")
    if rule != "NOTSET":
        if given is not None and any(given):
            refuse("pads are given beside auto_pad")
        return AUTO[rule] if rule in AUTO else refuse(f"auto_pad={rule!r} isn't known")
    if given is None:
        return ((0, 0),) * count
    if len(given) != 2 * count or min(given) < 0:
        refuse(f"pads are {given}, not two numbers for each of {count} axes")
    return tuple(zip(given[:count], given[count:], strict=True))


def each(c: Call, key: str, count: int, otherwise: int = 1) -> tuple[int, ...]:
    found = c.wholes(key) or (otherwise,) * count
    if len(found) != count:
        refuse(f"{key} are {found}, not one for each of {count} axes")
    return found


def conv(c: Call) -> Any:
    x, weight = c.term(0), c.term(1)
    count = layers.spatial(x)
    _check_kernel(c, weight, count)
    return layers.convolution(
        c.w, x, weight, c.maybe(2), each(c, "strides", count), pads(c, count),
        each(c, "dilations", count), c.whole("group", 1),
    )  # fmt: skip


def conv_transpose(c: Call) -> Any:
    """PyTorch takes away as much before as behind; where ONNX doesn't, the rest is cut off."""
    x, weight = c.term(0), c.term(1)
    count = layers.spatial(x)
    _check_kernel(c, weight, count)
    c.only("auto_pad", "NOTSET")
    if "output_shape" in c:
        refuse("a transposed convolution is given the shape of its result", "give it pads instead")
    given: tuple[tuple[int, int], ...] = pads(c, count)
    more = each(c, "output_padding", count, 0)
    uneven = any(a != b for a, b in given)
    own = ((0, 0),) * count if uneven else given
    if uneven and any(more):
        refuse("a transposed convolution has uneven pads and output_padding")
    found = layers.transposed(
        c.w, x, weight, c.maybe(2), each(c, "strides", count), [a for a, _ in own], more,
        each(c, "dilations", count), c.whole("group", 1),
    )  # fmt: skip
    if not uneven:
        return found
    return layers.trimmed(c.w, c.w.bound(found, c.w.names.numbered("convtranspose")), given)


def _check_kernel(c: Call, weight: Term, count: int) -> None:
    kernel = c.wholes("kernel_shape")
    if kernel is not None and kernel != weight.shape[2:]:
        refuse(f"kernel_shape is {kernel}, and the weight has {weight.shape[2:]}")
    if weight.rank != count + 2:
        refuse(f"the weight has {weight.rank} axes, not {count + 2}")


def pool(kind: str) -> Entry:
    def take(c: Call) -> Any:
        x = c.term(0)
        count = layers.spatial(x)
        kernel = each(c, "kernel_shape", count)
        options: dict[str, Any] = {
            "padding": pads(c, count), "dilation": each(c, "dilations", count),
            "ceil_mode": c.flag("ceil_mode"),
        }  # fmt: skip
        if kind == "avg":
            options["count_include_pad"] = bool(c.get("count_include_pad", 0))
        c.skip("storage_order")  # of the places, which symbp's pooling hasn't
        return layers.pooled(c.w, kind, x, kernel, each(c, "strides", count), **options)

    return take


def batch_norm(c: Call) -> Any:
    c.only("training_mode", 0)
    c.only("spatial", 1)
    c.skip("momentum")  # moves statistics in training only
    return layers.by_statistics(c.w, c.term(0), c.get(1), c.get(2), c.get(3), c.get(4), c["epsilon"])


def instance_norm(c: Call) -> Any:
    return c.w.call("instance_norm", c.term(0), c.term(1), c.term(2), eps=c["epsilon"])


def group_norm(c: Call) -> Any:
    """Before opset 21 scale and offset were one for each group."""
    if c.step.version < 21:
        refuse("GroupNormalization before opset 21 scales groups, not channels", "export with opset 21")
    c.only("stash_type", 1, 11)
    groups = c.whole("num_groups")
    return c.w.call("group_norm", c.term(0), groups, c.term(1), c.term(2), eps=c["epsilon"])


def layer_norm(c: Call) -> Any:
    c.only("stash_type", 1, 11)
    x, axis = c.term(0), c.whole("axis")
    over = tuple(range(shapes.axis_of(x.rank, axis), x.rank))
    scale = shape_of(c[1])
    if scale != tuple(x.shape[k] for k in over):
        refuse(f"the scale has the shape {scale}, not that of the axes that are normalised")
    given = [c.term(1)] + ([c.term(2)] if 2 in c else [])
    return c.w.call("layer_norm", x, *given, axis=layers.norm_axes(x, over), eps=c["epsilon"])


def rms_norm(c: Call) -> Any:
    c.only("stash_type", 1, 11)
    x, axis = c.term(0), c.whole("axis")
    over = tuple(range(shapes.axis_of(x.rank, axis), x.rank))
    return c.w.call("rms_norm", x, c.term(1), axis=layers.norm_axes(x, over), eps=c["epsilon"])


def local_response(c: Call) -> Any:
    size = c.whole("size")
    if size % 2 == 0:
        refuse("local response normalisation over an even number of channels leans to another side")
    return c.w.call("local_response_norm", c.term(0), size, alpha=c["alpha"], beta=c["beta"], k=c["bias"])


def dropout(c: Call) -> Any:
    """Nothing at inference."""
    training = known(c.get(2))
    if 2 in c and (training is None or bool(training.item())):
        refuse("dropout in training mode", "export the model for inference: model.eval()")
    c.skip("ratio", "seed", 1)
    return c[0]


def recurrence(kind: str, usual: Sequence[str], order: Sequence[int]) -> Entry:
    """RNN, GRU and LSTM; `order` are the places of symbp's gates among ONNX's."""

    def take(c: Call) -> Any:
        directions = {"forward": (False,), "reverse": (True,), "bidirectional": (False, True)}
        sides = directions.get(c.get("direction", "forward"))
        if sides is None:
            refuse(f"direction={c.get('direction')!r} isn't known")
        names = [n.lower() for n in c.get("activations", list(usual) * len(sides))]
        options = _activation(kind, names, usual, len(sides))
        for key in ("activation_alpha", "activation_beta", "clip", 4):
            if key in c:
                refuse(f"{'sequence_lens' if key == 4 else key} isn't taken over")
        c.only("input_forget", 0)
        if kind == "gru":
            options["reset_after"] = bool(c.get("linear_before_reset", 0))
        if 7 in c:
            refuse("peepholes aren't taken over")
        c.skip("hidden_size")
        batch_first = bool(c.get("layout", 0))
        x = tensor(c.w, c[0] if batch_first else shapes.permuted(c.w, c[0], (1, 0, 2)))
        found = [_side(c, kind, x, k, s, order, options, batch_first) for k, s in enumerate(sides)]
        return _results(c, found, sides, batch_first, kind)

    return take


def _activation(kind: str, names: list[str], usual: Sequence[str], sides: int) -> dict[str, Any]:
    if kind == "rnn" and set(names) in ({"tanh"}, {"relu"}):
        return {"nonlinearity": names[0]} if names[0] != "tanh" else {}
    if names != [n.lower() for n in usual] * sides:
        refuse(f"the activations {names} aren't those of a usual {kind.upper()}")
    return {}


def _side(
    c: Call, kind: str, x: Term, place: int, reverse: bool, order: Sequence[int], options: dict[str, Any],
    batch_first: bool,
) -> tuple[Term, Term | None]:  # fmt: skip
    held = [c.get(k) for k in (1, 2, 3)]
    if any(v is not None and not isinstance(v, Held) for v in held):
        refuse("the weights of a recurrence are calculated")
    count = len(order)

    def gates(array: Any) -> Any:
        parts = np.split(array, count)
        return np.concatenate([parts[k] for k in order])

    behind = f"_{place}" if c.get("direction", "forward") == "bidirectional" else ""
    w, r = (piece(v, f"{v.name}{behind}", lambda a: gates(a[place])) for v in held[:2])
    offsets: tuple[Held | None, Held | None] = (None, None)
    if held[2] is not None:
        half = held[2].array.shape[1] // 2
        offsets = (
            piece(held[2], f"{held[2].name}{behind}", lambda a: gates(a[place][:half])),
            piece(held[2], f"{held[2].name}{behind}_recurrent", lambda a: gates(a[place][half:])),
        )
    first = []
    for key in (5, 6) if kind == "lstm" else (5,):
        value = c.get(key)
        if value is not None and batch_first:
            value = shapes.permuted(c.w, value, (1, 0, 2))
        first.append(recurrent.first_state(c.w, value, place))
    own = Cell(kind, (w, r), offsets, tuple(first), reverse, tuple(options.items()), cells=c.wants(2))
    return recurrent.run(c.w, x, own)


def _results(
    c: Call, found: Sequence[tuple[Term, Term | None]], sides: Sequence[bool], batch_first: bool, kind: str
) -> tuple[Any, ...]:
    """Y (T, directions, N, H), then the last states (directions, N, H); or the batch first."""
    w, axis = c.w, 1 if not batch_first else 2

    def over_time(h: Term) -> Any:
        return h if batch_first else shapes.permuted(w, h, (1, 0, 2))

    def last(state: Term, reverse: bool) -> Any:
        return shapes.at(w, state, 1, 0 if reverse else -1)

    whole_states = [h if h.named else w.bound(h, w.names.numbered(kind)) for h, _ in found]
    cells = [cell for _, cell in found]
    if len(found) == 1:
        y = shapes.with_axes(w, over_time(whole_states[0]), [axis])
        ends = [shapes.with_axes(w, last(whole_states[0], sides[0]), [0 if not batch_first else 1])]
        if cells[0] is not None:
            ends.append(shapes.with_axes(w, last(cells[0], sides[0]), [0 if not batch_first else 1]))
        return (y, *ends)
    y = shapes.stacked(w, [over_time(h) for h in whole_states], axis)
    place = 0 if not batch_first else 1
    ends = [shapes.stacked(w, [last(h, s) for h, s in zip(whole_states, sides, strict=True)], place)]
    if all(cell is not None for cell in cells):
        both = zip(cells, sides, strict=True)
        ends.append(shapes.stacked(w, [last(cell, s) for cell, s in both if cell is not None], place))
    return (y, *ends)


def resize(c: Call) -> Any:
    """Nearest below, or linear, in the two ways of laying places beside each other that PyTorch has."""
    x, mode = c.term(0), c.get("mode", "nearest")
    for key, allowed in (
        ("antialias", (0,)),
        ("exclude_outside", (0,)),
        ("keep_aspect_ratio_policy", ("stretch",)),
    ):
        c.only(key, *allowed)
    c.skip("extrapolation_value", "cubic_coeff_a", 1)  # of modes that are refused
    if "axes" in c:
        refuse("axes are named for a resizing", "give a scale or size for each axis")
    scales = (
        [float(v) for v in np.ravel(c[2].array)] if isinstance(c.get(2), Held) and c[2].array.size else None
    )
    sizes = list(entries(c[3])) if 3 in c else None
    place = c.get("coordinate_transformation_mode", "half_pixel")
    for given in (scales, sizes):
        if given is not None and (
            len(given) != x.rank or (given[0], given[1]) not in ((1.0, 1.0), x.shape[:2])
        ):
            refuse("a resizing changes batch or channels")
    corners = place == "align_corners"
    if mode == "nearest":
        mode = _nearest(place, c["nearest_mode"], scales)
    elif mode != "linear" or place not in ("half_pixel", "pytorch_half_pixel", "align_corners"):
        refuse(f"resizing by {mode} with {place}")
    else:
        c.skip("nearest_mode")
    if place == "pytorch_half_pixel" and sizes and 1 in sizes[2:]:
        refuse("linear resizing to one element")
    return layers.resized(c.w, x, sizes and sizes[2:], scales and scales[2:], mode, corners)


def _nearest(place: str, rounding: str, scales: Sequence[float] | None) -> str:
    """How the nearest element is found; by whole scales the middles of elements never lie between two."""
    if (place, rounding) == ("asymmetric", "floor"):
        return "nearest"
    times = scales is not None and all(s == int(s) for s in scales)
    if times and place in ("half_pixel", "pytorch_half_pixel") and rounding.startswith("round_prefer"):
        return "nearest-exact"
    return refuse(f"nearest with {place} and {rounding}", "asymmetric with floor is taken in")


def depth_to_space(c: Call) -> Any:
    """Channels as space: of the channels of a place their block is the slower index, or (CRD) the faster."""
    mode, b, x = c.get("mode", "DCR"), c.whole("blocksize"), c.term(0)
    if mode == "CRD":
        return c.w.call("pixel_shuffle", x, b)
    if mode != "DCR" or x.rank != 4:
        refuse(f"mode={mode!r} over {x.rank} axes")
    n, channels, h, w = x.shape
    apart = shapes.reshaped(c.w, x, (n, b, b, whole(channels) // (b * b), h, w))
    return shapes.reshaped(c.w, shapes.permuted(c.w, apart, (0, 3, 4, 1, 5, 2)), (n, -1, h * b, w * b))


def space_to_depth(c: Call) -> Any:
    """Blocks of space as channels, the block the slower index."""
    b, x = c.whole("blocksize"), c.term(0)
    if x.rank != 4:
        refuse(f"it goes over 4 axes, not {x.rank}")
    n, channels, h, w = x.shape
    apart = shapes.reshaped(c.w, x, (n, channels, whole(h) // b, b, whole(w) // b, b))
    joined = shapes.permuted(c.w, apart, (0, 3, 5, 1, 2, 4))
    return shapes.reshaped(c.w, joined, (n, -1, whole(h) // b, whole(w) // b))


LAYERS: Mapping[str, Entry] = {
    "Conv": conv, "ConvTranspose": conv_transpose, "MaxPool": pool("max"), "AveragePool": pool("avg"),
    "GlobalAveragePool": lambda c: layers.over_space(c.w, "avg", c.term(0)),
    "GlobalMaxPool": lambda c: layers.over_space(c.w, "max", c.term(0)),
    "BatchNormalization": batch_norm, "InstanceNormalization": instance_norm,
    "GroupNormalization": group_norm, "LayerNormalization": layer_norm, "RMSNormalization": rms_norm,
    "LRN": local_response, "Dropout": dropout, "Resize": resize, "DepthToSpace": depth_to_space,
    "SpaceToDepth": space_to_depth,
    "RNN": recurrence("rnn", ("Tanh",), (0,)),
    "LSTM": recurrence("lstm", ("Sigmoid", "Tanh", "Tanh"), (0, 2, 3, 1)),
    "GRU": recurrence("gru", ("Sigmoid", "Tanh", "Tanh"), (1, 0, 2)),
}  # fmt: skip
