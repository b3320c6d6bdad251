"""Small ONNX models, each made operator by operator: (bytes, inputs) by name."""

import numpy as np
from onnx import TensorProto, helper, numpy_helper

KINDS = {"f": TensorProto.FLOAT, "d": TensorProto.DOUBLE, "i": TensorProto.INT64, "b": TensorProto.BOOL}


class Model:
    """A graph that grows: `add` gives the name of a step's result, `held` that of an array."""

    def __init__(self, seed=0, opset=18, dtype="float32"):
        self.random, self.opset, self.dtype = np.random.default_rng(seed), opset, dtype
        self.nodes, self.arrays, self.inputs, self.data = [], [], [], {}

    def input(self, name, shape, values=None):
        """Data whose first axis is open."""
        if values is None:
            values = self.random.normal(size=shape).astype(self.dtype)
        kind = "i" if values.dtype.kind == "i" else values.dtype.char
        self.inputs.append(helper.make_tensor_value_info(name, KINDS[kind], ["batch", *shape[1:]]))
        self.data[name] = values
        return name

    def held(self, *shape, value=None, name=None):
        if value is None:
            value = self.random.normal(size=shape) / max(1, np.prod(shape[1:])) ** 0.5
        value = np.asarray(value)
        array = value.astype(self.dtype) if value.dtype.kind == "f" else value
        name = name or f"held.{len(self.arrays)}"
        self.arrays.append(numpy_helper.from_array(array, name))
        return name

    def ints(self, *values):
        return self.held(value=np.array(values, dtype=np.int64))

    def add(self, op, *operands, outputs=1, **attributes):
        names = [f"v{len(self.nodes)}_{k}" for k in range(outputs)]
        self.nodes.append(
            helper.make_node(op, list(operands), names, f"{op}.{len(self.nodes)}", **attributes)
        )
        return names[0] if outputs == 1 else names

    def proto(self, *results):
        kind = KINDS[np.dtype(self.dtype).char]
        outputs = [helper.make_tensor_value_info(name, kind, None) for name in results]
        graph = helper.make_graph(self.nodes, "made", self.inputs, outputs, self.arrays)
        return helper.make_model(graph, opset_imports=[helper.make_opsetid("", self.opset)], ir_version=9)

    def content(self, *results):
        return self.proto(*results).SerializeToString()


def mlp(m):
    x = m.input("x", (3, 5))
    h = m.add("Tanh", m.add("Gemm", x, m.held(5, 8), m.held(8)))
    return m.add("Gemm", h, m.held(4, 8), m.held(4), transB=1, alpha=0.5, beta=2.0)


def softmax_regression(m):
    """Before opset 13 a softmax runs over all axes from its own on."""
    x = m.input("x", (3, 2, 3))
    z = m.add("Add", m.add("MatMul", x, m.held(3, 4)), m.held(1, 1, 4))
    return m.add("Softmax", z, axis=1)


def cnn(m):
    x = m.input("x", (2, 2, 7, 7))
    z = m.add("Conv", x, m.held(4, 1, 3, 3), m.held(4), group=2, auto_pad="SAME_LOWER", strides=[2, 2])
    variance = m.held(value=m.random.uniform(0.5, 2, 4))
    z = m.add("BatchNormalization", z, m.held(4), m.held(4), m.held(4), variance, epsilon=1e-3)
    h = m.add("MaxPool", m.add("Relu", z), kernel_shape=[3, 3], strides=[2, 2], ceil_mode=1)
    flat = m.add("Flatten", m.add("Dropout", h))
    return m.add("LogSoftmax", m.add("MatMul", flat, m.held(16, 3)))


def residual(m):
    x = m.input("x", (2, 3, 6, 6))
    z = m.add("Conv", x, m.held(3, 3, 3, 3), pads=[2, 2, 2, 2], dilations=[2, 2])
    z = m.add("InstanceNormalization", z, m.held(3), m.held(3))
    z = m.add("Add", m.add("LeakyRelu", z, alpha=0.2), x)
    z = m.add("AveragePool", z, kernel_shape=[3, 3], pads=[1, 1, 1, 1], strides=[2, 2], count_include_pad=0)
    return m.add("Squeeze", m.add("GlobalAveragePool", z), m.ints(2, 3))


def recurrence(op, gates, states=1, **attributes):
    def make(m):
        sides = 2 if attributes.get("direction") == "bidirectional" else 1
        x = m.add("Transpose", m.input("x", (2, 4, 3)), perm=[1, 0, 2])
        weights = m.held(sides, gates * 5, 3), m.held(sides, gates * 5, 5), m.held(sides, 2 * gates * 5)
        y, *ends = m.add(op, x, *weights, outputs=1 + states, hidden_size=5, **attributes)
        y = m.add("Reshape", m.add("Transpose", y, perm=[2, 0, 1, 3]), m.ints(0, 4, -1))
        total = m.add("ReduceMean", y, m.ints(1), keepdims=0)
        for end in ends:
            total = m.add(
                "Add", total, m.add("Reshape", m.add("Transpose", end, perm=[1, 0, 2]), m.ints(0, -1))
            )
        return total

    return make


def transformer(m):
    """Causal attention in two heads, its shapes calculated in the graph as exporters do."""
    x = m.input("x", (2, 5, 8))
    u = m.add("LayerNormalization", x, m.held(8), m.held(8), epsilon=1e-5)
    batch = m.add("Gather", m.add("Shape", u), m.ints(0))
    shape = m.add("Concat", batch, m.ints(5, 2, 4), axis=0)
    qkv = m.add("Split", m.add("MatMul", u, m.held(8, 24)), outputs=3, axis=-1, num_outputs=3)
    q, k, v = (m.add("Transpose", m.add("Reshape", part, shape), perm=[0, 2, 1, 3]) for part in qkv)
    score = m.add("MatMul", q, m.add("Transpose", k, perm=[0, 1, 3, 2]))
    score = m.add("Div", score, m.add("Sqrt", m.held(value=np.float64(4.0))))
    seen = m.held(value=np.tril(np.ones((5, 5), bool)))
    score = m.add("Where", seen, score, m.held(value=np.float64(-np.inf)))
    o = m.add("Transpose", m.add("MatMul", m.add("Softmax", score), v), perm=[0, 2, 1, 3])
    o = m.add("Reshape", o, m.add("Concat", batch, m.ints(5, 8), axis=0))
    x = m.add("Add", x, m.add("MatMul", o, m.held(8, 8)))
    h = m.add("MatMul", x, m.held(8, 16))
    half = m.add("Mul", h, m.held(value=np.float64(0.5)))
    wave = m.add("Erf", m.add("Div", h, m.held(value=np.float64(2**0.5))))
    gelu = m.add("Mul", half, m.add("Add", wave, m.held(value=np.float64(1.0))))
    return m.add("Add", x, m.add("MatMul", gelu, m.held(16, 8)))


def words(m):
    tokens = m.input("tokens", (3, 4), np.array([[1, 5, 2, 0], [6, 6, 1, 3], [0, 2, 4, 5]]))
    e = m.add(
        "Add", m.add("Gather", m.held(7, 6), tokens), m.add("Slice", m.held(9, 6), m.ints(0), m.ints(4))
    )
    s = m.add("ReduceMax", e, m.ints(1), keepdims=0)
    return m.add("Gemm", s, m.held(6, 3), m.held(3))


def columns(m):
    """Two columns of tokens, cut out before they are looked up, and all but the last one."""
    tokens = m.input("tokens", (3, 4), np.array([[1, 5, 2, 0], [6, 6, 1, 3], [0, 2, 4, 5]]))
    a, b = (m.add("Gather", m.held(7, 6), m.add("Gather", tokens, m.ints(k), axis=1)) for k in (0, 2))
    rest = m.add("Slice", tokens, m.ints(0), m.ints(-1), m.ints(1))
    rest = m.add("ReduceMean", m.add("Gather", m.held(7, 6), rest), m.ints(1), keepdims=0)
    seen = m.add("Trilu", m.add("ConstantOfShape", m.ints(6, 6)), upper=0)
    a = m.add("Squeeze", a, m.ints(1))
    return m.add("MatMul", m.add("Add", m.add("Mul", a, m.add("Squeeze", b, m.ints(1))), rest), seen)


def unet(m):
    x = m.input("x", (2, 1, 6, 6))
    a = m.add("Relu", m.add("Conv", x, m.held(3, 1, 3, 3), m.held(3), pads=[1, 1, 1, 1]))
    b = m.add("Elu", m.add("Conv", a, m.held(5, 3, 2, 2), strides=[2, 2]), alpha=0.7)
    up = m.add("ConvTranspose", b, m.held(5, 3, 3, 3), m.held(3), strides=[2, 2], pads=[0, 0, 1, 1])
    wide = m.add("Resize", b, "", m.held(value=np.array([1.0, 1, 2, 2], np.float32)), mode="linear",
                 coordinate_transformation_mode="half_pixel")  # fmt: skip
    joined = m.add("Concat", a, up, m.add("HardSigmoid", wide), axis=1)
    return m.add("Sigmoid", m.add("Conv", joined, m.held(1, 11, 1, 1)))


def siamese(m):
    """The same weights over two inputs."""
    weight, bias = m.held(5, 4), m.held(4)
    sides = [m.add("Softplus", m.add("Gemm", m.input(n, (3, 5)), weight, bias)) for n in ("left", "right")]
    gap = m.add("Clip", m.add("Sub", *sides), m.held(value=np.float64(-0.4)), m.held(value=np.float64(0.4)))
    return m.add("ReduceSumSquare", gap, m.ints(1), keepdims=0)


def groups(m):
    x = m.input("x", (2, 4, 5))
    z = m.add("GroupNormalization", x, m.held(4), m.held(4), num_groups=2)
    z = m.add("Pad", m.add("HardSwish", z), m.ints(1, 2), m.held(value=np.float64(0.5)), m.ints(-1))
    z = m.add("Gelu", m.add("Conv", z, m.held(3, 4, 3), dilations=[2]), approximate="tanh")
    return m.add("ReduceL2", z, m.ints(2))


OPSETS = {"softmax regression": 11, "groups": 21}
MODELS = {
    "mlp": mlp, "softmax regression": softmax_regression, "cnn": cnn, "residual": residual,
    "rnn": recurrence("RNN", 1, activations=["Relu"]), "gru": recurrence("GRU", 3, linear_before_reset=1),
    "gru reset before": recurrence("GRU", 3, direction="reverse"),
    "lstm": recurrence("LSTM", 4, 2, direction="bidirectional"),
    "transformer": transformer, "words": words, "columns": columns, "unet": unet,
    "siamese": siamese, "groups": groups,
}  # fmt: skip


def made(name, dtype="float32", seed=0):
    """A model by its name, and the data that it takes."""
    m = Model(seed, OPSETS.get(name, 18), dtype)
    result = MODELS[name](m)
    content = m.content(result)
    return content, m.data
