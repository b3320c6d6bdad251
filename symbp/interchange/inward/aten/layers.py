"""PyTorch's operations that are layers: the table of what each one is.

Enters: a step, its arguments under PyTorch's names. Leaves: values. Must not know: other operations, modules.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from symbp.interchange.inward.building import arithmetic as el
from symbp.interchange.inward.building import layers, recurrent, shapes
from symbp.interchange.inward.building.recurrent import Cell
from symbp.interchange.inward.graph import Held
from symbp.interchange.inward.translate import Call, Entry
from symbp.interchange.inward.values import entries, known, refuse, shape_of, tensor


def linear(c: Call) -> Any:
    return el.linear(c.w, c.term("input"), c.term("weight"), c.maybe("bias"))


def each(c: Call, key: str, count: int, otherwise: int) -> tuple[int, ...]:
    found = c.wholes(key, count) or (otherwise,) * count
    if len(found) != count:
        refuse(f"{key} are {found}, not one for each of {count} axes")
    return found


def pads(c: Call, count: int) -> Any:
    """As much before as behind each axis; or a rule."""
    given = c.get("padding", 0)
    if isinstance(given, str):
        return given
    return each(c, "padding", count, 0)


def conv(c: Call) -> Any:
    x = c.term("input")
    count = layers.spatial(x)
    padding = pads(c, count)
    if padding == "same":  # where the kernel is even, PyTorch has the larger half behind, as symbp has it
        c.only("stride", *([1] * count, (1,) * count))
    return layers.convolution(
        c.w, x, c.term("weight"), c.maybe("bias"), each(c, "stride", count, 1), padding,
        each(c, "dilation", count, 1), c.whole("groups", 1),
    )  # fmt: skip


def conv_transpose(c: Call) -> Any:
    x = c.term("input")
    count = layers.spatial(x)
    return layers.transposed(
        c.w, x, c.term("weight"), c.maybe("bias"), each(c, "stride", count, 1), each(c, "padding", count, 0),
        each(c, "output_padding", count, 0), each(c, "dilation", count, 1), c.whole("groups", 1),
    )  # fmt: skip


def pool(kind: str) -> Entry:
    def take(c: Call) -> Any:
        x = c.term("self")
        count = layers.spatial(x)
        kernel = each(c, "kernel_size", count, 1)
        stride = c.wholes("stride", count) or None
        options: dict[str, Any] = {"padding": each(c, "padding", count, 0), "ceil_mode": c.flag("ceil_mode")}
        if kind == "max":
            options["dilation"] = each(c, "dilation", count, 1)
        else:
            options["count_include_pad"] = bool(c.get("count_include_pad", True))
            if "divisor_override" in c:
                options["divisor_override"] = c.whole("divisor_override")
        return layers.pooled(c.w, kind, x, kernel, stride, **options)

    return take


def adaptive(kind: str) -> Entry:
    def take(c: Call) -> Any:
        x = c.term("self")
        count = layers.spatial(x)
        size = each(c, "output_size", count, 1)
        alone = set(size) == {1}
        found = (
            layers.over_space(c.w, kind, x)
            if alone
            else c.w.call(f"adaptive_{kind}_pool{count}d", x, layers.window(size))
        )
        return [found, None] if kind == "max" else found  # PyTorch has the places, too

    return take


def batch_norm(c: Call) -> Any:
    """With the batch's own statistics in training, as symbp's; with the measured ones at inference."""
    c.skip("cudnn_enabled")
    x, eps, momentum = c.term("input"), c["eps"], c.get("momentum", 0.1)
    mean, variance = c.get("running_mean"), c.get("running_var")
    if not c.flag("training"):
        return layers.by_statistics(c.w, x, c.get("weight"), c.get("bias"), mean, variance, eps)
    options: dict[str, Any] = {"weight": c.maybe("weight"), "bias": c.maybe("bias"), "eps": eps}
    if mean is not None:
        options["running_mean"] = layers.statistic(c.w, mean)
        options["running_var"] = layers.statistic(c.w, variance, "nonnegative", 1.0)
        options["momentum"] = momentum
    return c.w.call("batch_norm", x, **options)


def layer_norm(c: Call) -> Any:
    c.skip("cudnn_enable")
    x, count = c.term("input"), len(c["normalized_shape"])
    options: dict[str, Any] = {"weight": c.maybe("weight"), "bias": c.maybe("bias"), "eps": c["eps"]}
    axes = layers.norm_axes(x, tuple(range(x.rank - count, x.rank)))
    return c.w.call("layer_norm", x, axis=axes, **options)


def rms_norm(c: Call) -> Any:
    x, count = c.term("input"), len(c["normalized_shape"])
    axes = layers.norm_axes(x, tuple(range(x.rank - count, x.rank)))
    if "eps" not in c:
        refuse("an RMSNorm without its eps takes that of the kind of number", "give eps")
    return c.w.call("rms_norm", x, weight=c.maybe("weight"), axis=axes, eps=c["eps"])


def group_norm(c: Call) -> Any:
    c.skip("cudnn_enabled")
    options: dict[str, Any] = {"weight": c.maybe("weight"), "bias": c.maybe("bias"), "eps": c["eps"]}
    return c.w.call("group_norm", c.term("input"), c.whole("num_groups"), **options)


def instance_norm(c: Call) -> Any:
    c.skip("cudnn_enabled", "momentum")
    if not c.get("use_input_stats", True) or "running_mean" in c:
        refuse("instance normalisation by running statistics")
    c.skip("running_var")
    options: dict[str, Any] = {"weight": c.maybe("weight"), "bias": c.maybe("bias"), "eps": c["eps"]}
    return c.w.call("instance_norm", c.term("input"), **options)


def dropout(c: Call) -> Any:
    """Nothing at inference; in training symbp's own, which is nothing at inference, too."""
    x, p = c["input"] if "input" in c else c["self"], float(c["p"])
    if not c.flag("train") or p == 0:
        return x
    return c.w.call("dropout", tensor(c.w, x), p)


def attention(c: Call) -> Any:
    if float(c.get("dropout_p", 0.0)):
        refuse("attention drops weights out in training", "dropout=0, or export in model.eval()")
    q, k, v = (c.term(key) for key in ("query", "key", "value"))
    return layers.attention(
        c.w, q, k, v, c.get("attn_mask"), c.flag("is_causal"), c.get("scale"), c.flag("enable_gqa")
    )


def recurrence(kind: str, **options: str) -> Entry:
    """Layer by layer, forward before back; states (layers·directions, N, H) go in and out."""

    def take(c: Call) -> Any:
        count, both, batch_first = c.whole("num_layers"), c.flag("bidirectional"), c.flag("batch_first")
        if c.flag("train") and float(c.get("dropout", 0.0)) and count > 1:
            refuse("dropout between recurrent layers in training", "dropout=0, or export in model.eval()")
        c.skip("dropout")
        params, sides = c["params"], 2 if both else 1
        each_side = (4 if c.flag("has_biases") else 2) if len(params) % (count * sides) == 0 else 0
        if len(params) != each_side * count * sides or not all(isinstance(p, Held) for p in params):
            refuse("its weights aren't those of a layer as PyTorch has it (projections aren't taken over)")
        states = c["hx"] if isinstance(c["hx"], list) else [c["hx"]]
        rank = len(shape_of(c["input"]))
        if rank != 3:
            refuse(f"a sequence of {rank} axes", "give batches: (N, T, D)")
        last: Any = tensor(c.w, c["input"] if batch_first else shapes.permuted(c.w, c["input"], (1, 0, 2)))
        ends: list[list[Any]] = []
        for layer in range(count):
            found = []
            for side in range(sides):
                place = layer * sides + side
                own = params[place * each_side : (place + 1) * each_side]
                first = tuple(recurrent.first_state(c.w, s, place) for s in states)
                offsets = (own[2], own[3]) if each_side == 4 else (None, None)
                cell = Cell(kind, (own[0], own[1]), offsets, first, bool(side), tuple(options.items()),
                            cells=kind == "lstm" and _read(c, 2))  # fmt: skip
                h, cells = recurrent.run(c.w, last, cell)
                h = h if h.named else c.w.bound(h, c.w.names.numbered(kind))
                found.append(h)
                place_of_end = 0 if side else -1
                ends.append([shapes.at(c.w, s, 1, place_of_end) for s in (h, cells) if s is not None])
            last = found[0] if sides == 1 else c.w.call("concat", *found)
            if sides == 2 and layer + 1 < count:
                last = c.w.bound(last, c.w.names.numbered(kind))
        output = last if batch_first else shapes.permuted(c.w, last, (1, 0, 2))
        wanted = [_ends(c, ends, k) if _read(c, k + 1) else None for k in range(len(states))]
        return [output, *wanted]

    return take


def cell(kind: str) -> Entry:
    """One step of a recurrence: a sequence of one."""

    def take(c: Call) -> Any:
        own = [c[key] for key in ("w_ih", "w_hh")]
        offsets = (c.get("b_ih"), c.get("b_hh"))
        if not all(isinstance(v, Held) for v in (*own, *(o for o in offsets if o is not None))):
            refuse("the weights of a recurrence are calculated")
        x = tensor(c.w, shapes.with_axes(c.w, c["input"], [1]))
        states = c["hx"] if isinstance(c["hx"], list) else [c["hx"]]
        first = tuple(recurrent.first_state(c.w, shapes.with_axes(c.w, s, [0]), 0) for s in states)
        h, cells = recurrent.run(c.w, x, Cell(kind, (own[0], own[1]), offsets, first, cells=kind == "lstm"))
        h = h if h.named else c.w.bound(h, c.w.names.numbered(kind))
        found = [shapes.at(c.w, s, 1, 0) for s in (h, cells) if s is not None]
        return found if kind == "lstm" else found[0]

    return take


def _read(c: Call, place: int) -> bool:
    """Whether anything reads that part of a step's results."""
    return c.part_wanted(place)


def _ends(c: Call, ends: list[list[Any]], which: int) -> Any:
    """The last states of all layers and directions."""
    parts = [end[which] for end in ends]
    return shapes.with_axes(c.w, parts[0], [0]) if len(parts) == 1 else shapes.stacked(c.w, parts, 0)


def upsample(mode: str) -> Entry:
    def take(c: Call) -> Any:
        size = list(entries(c["output_size"])) if "output_size" in c else None
        factors = c.get("scale_factors")
        scale = [float(s) for s in factors] if factors is not None and size is None else None
        c.skip("scale_factors", "scales", "scales_h", "scales_w")
        return layers.resized(
            c.w, c.term("input" if "input" in c else "self"), size, scale, mode, c.flag("align_corners")
        )

    return take


def prelu(c: Call) -> Any:
    """One slope, or one for each channel."""
    x, slope = c.term("self"), c.term("weight")
    own = slope if slope.shape == (1,) else layers.beside(c.w, slope, x)
    return c.w.call("prelu", x, own)


def softplus(c: Call) -> Any:
    """PyTorch takes the line itself where β·x is above the threshold: at 20 that is less than 2·10⁻⁹."""
    c.only("threshold", 20, 20.0)
    beta = known(c.get("beta", 1))
    return c.w.call(
        "softplus", c.term("self"), beta=int(beta) if beta is not None and beta == int(beta) else float(beta)
    )


def elu(c: Call) -> Any:
    c.only("scale", 1)
    c.only("input_scale", 1)
    return c.w.call("elu", c.term("self"), alpha=float(c["alpha"]))


def glu(c: Call) -> Any:
    x, axis = c.term("self"), c.whole("dim")
    return c.w.call("glu", x) if axis % x.rank == x.rank - 1 else c.w.call("glu", x, axis=axis)


def cosine(c: Call) -> Any:
    """x·y/(max(‖x‖, ε)·max(‖y‖, ε))."""
    axis, pair, eps = c.whole("dim", 1), (c["x1"], c["x2"]), float(c.get("eps", 1e-8))
    product = el.reduced(c.w, "sum", el.infix(c.w, "*", *pair), [axis], False)
    lengths = [c.w.call("clamp", el.reduced(c.w, "norm", v, [axis], False), low=eps) for v in pair]
    return el.infix(c.w, "/", product, el.infix(c.w, "*", *lengths))


def bilinear(c: Call) -> Any:
    given = [c.term(key) for key in ("input1", "input2", "weight")]
    return c.w.call("bilinear", *given, *([c.term("bias")] if "bias" in c else []))


LAYERS: Mapping[str, Entry] = {
    "aten.linear": linear, "aten.conv1d": conv, "aten.conv2d": conv, "aten.conv3d": conv,
    "aten.conv_transpose1d": conv_transpose, "aten.conv_transpose2d": conv_transpose,
    "aten.conv_transpose3d": conv_transpose,
    "aten.max_pool1d": pool("max"), "aten.max_pool2d": pool("max"), "aten.max_pool3d": pool("max"),
    "aten.avg_pool1d": pool("avg"), "aten.avg_pool2d": pool("avg"), "aten.avg_pool3d": pool("avg"),
    "aten.adaptive_avg_pool1d": adaptive("avg"), "aten.adaptive_avg_pool2d": adaptive("avg"),
    "aten.adaptive_avg_pool3d": adaptive("avg"), "aten.adaptive_max_pool1d": adaptive("max"),
    "aten.adaptive_max_pool2d": adaptive("max"), "aten.gru_cell": cell("gru"), "aten.lstm_cell": cell("lstm"),
    "aten.batch_norm": batch_norm, "aten.layer_norm": layer_norm, "aten.rms_norm": rms_norm,
    "aten.group_norm": group_norm, "aten.instance_norm": instance_norm,
    "aten.dropout": dropout, "aten.scaled_dot_product_attention": attention,
    "aten.lstm": recurrence("lstm"), "aten.gru": recurrence("gru"), "aten.rnn_tanh": recurrence("rnn"),
    "aten.rnn_relu": recurrence("rnn", nonlinearity="relu"),
    "aten.upsample_nearest1d": upsample("nearest"), "aten.upsample_nearest2d": upsample("nearest"),
    "aten.upsample_linear1d": upsample("linear"), "aten.upsample_bilinear2d": upsample("linear"),
    "aten.pixel_shuffle": lambda c: c.w.call("pixel_shuffle", c.term("self"), c.whole("upscale_factor")),
    "aten.prelu": prelu, "aten.softplus": softplus, "aten.elu": elu, "aten.glu": glu,
    "aten.cosine_similarity": cosine, "aten.bilinear": bilinear,
    "aten.pixel_unshuffle": lambda c: c.w.call(
        "pixel_unshuffle", c.term("self"), c.whole("downscale_factor")
    ),
    "aten.upsample_nearest3d": upsample("nearest"), "aten.upsample_trilinear3d": upsample("linear"),
    "aten.adaptive_max_pool3d": adaptive("max"),
}  # fmt: skip
