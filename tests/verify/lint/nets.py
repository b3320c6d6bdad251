"""Small networks with one fault each, and without."""

import symbp as bp

N, D, H, K = bp.dims("N D H K")


def data():
    return bp.input("x", (N, D)), bp.labels("y", (N,), classes=K)


def plain():
    x, y = data()
    W1, b1 = bp.param("W1", (D, H)), bp.param("b1", (H,))
    W2, b2 = bp.param("W2", (H, K)), bp.param("b2", (K,))
    p = bp.softmax(bp.tanh(x @ W1 + b1) @ W2 + b2)
    return bp.Network("plain", loss=bp.cross_entropy(p, y), outputs={"p": p})


def bias_before_batch_norm():
    x, y = data()
    W1, b1 = bp.param("W1", (D, H)), bp.param("b1", (H,))
    W2, b2 = bp.param("W2", (H, K)), bp.param("b2", (K,))
    g, beta = bp.param("g", (H,)), bp.param("beta", (H,))
    h = bp.relu(bp.batch_norm(x @ W1 + b1, g, beta))
    z = h @ W2 + b2
    return bp.Network("normed", loss=bp.cross_entropy(z, y, from_logits=True), outputs={"z": z})


def attention_key_bias():
    T = bp.dim("T")
    x = bp.input("x", (N, T, D))
    y = bp.input("y", (N, T, H))
    Wq, Wk, Wv = bp.param("Wq", (D, H)), bp.param("Wk", (D, H)), bp.param("Wv", (D, H))
    bq, bk = bp.param("bq", (H,)), bp.param("bk", (H,))
    o = bp.scaled_dot_product_attention(x @ Wq + bq, x @ Wk + bk, x @ Wv)
    return bp.Network("attention", loss=bp.mse(o, y), outputs={"o": o})


def offset_of_all_logits():
    x, y = data()
    W, c = bp.param("W", (D, K)), bp.param("c", ())
    z = x @ W + c
    return bp.Network("offset", loss=bp.cross_entropy(z, y, from_logits=True), outputs={"z": z})


def unused_parameter():
    x, y = data()
    W, V = bp.param("W", (D, K)), bp.param("V", (D, H))
    z = x @ W
    u = x @ V
    return bp.Network("unused", loss=bp.cross_entropy(z, y, from_logits=True), outputs={"z": z, "u": u})


def two_biases():
    x, y = data()
    W, b, c = bp.param("W", (D, K)), bp.param("b", (K,)), bp.param("c", (K,))
    z = x @ W + b + c
    return bp.Network("biases", loss=bp.cross_entropy(z, y, from_logits=True), outputs={"z": z})


def free_scalar():
    x, y = data()
    W, s, b = bp.param("W", (D, K)), bp.param("s", ()), bp.param("b", (K,))
    z = s * (x @ W) + b
    return bp.Network("scalar", loss=bp.cross_entropy(z, y, from_logits=True), outputs={"z": z})


def scaled_before_layer_norm():
    """No ε: the scale of W has no effect at all."""
    x, y = data()
    W, V = bp.param("W", (D, H)), bp.param("V", (H, K))
    a = x @ W
    h = a / bp.sqrt((a * a).sum(1, keepdims=True))
    z = h @ V
    return bp.Network("sphere", loss=bp.cross_entropy(z, y, from_logits=True), outputs={"z": z})


def two_linear_layers():
    x, y = data()
    W, V, b = bp.param("W", (D, H)), bp.param("V", (H, K)), bp.param("b", (K,))
    z = x @ W @ V + b
    return bp.Network("linear", loss=bp.cross_entropy(z, y, from_logits=True), outputs={"z": z})


def softmax_by_hand():
    x, y = data()
    W, b = bp.param("W", (D, K)), bp.param("b", (K,))
    e = bp.exp(x @ W + b)
    p = e / e.sum(1, keepdims=True)
    return bp.Network("by_hand", loss=bp.cross_entropy(p, y), outputs={"p": p})


def logistic_loss_by_hand():
    x, t = bp.input("x", (N, D)), bp.input("t", (N,))
    w = bp.param("w", (D,))
    return bp.Network("logistic", loss=bp.log(1 + bp.exp(-t * (x @ w))).mean())


def stable_regression():
    x, t = bp.input("x", (N, D)), bp.input("t", (N,))
    w, b = bp.param("w", (D,)), bp.param("b", ())
    return bp.Network("regression", loss=((x @ w + b - t) ** 2).mean())


def root_of_squares():
    w, v = bp.param("w", (D,)), bp.input("v", (D,))
    return bp.Network("norm", loss=bp.sqrt((w * w).sum()) + (w * v).sum())


def root():
    w, v = bp.param("w", (D,)), bp.input("v", (D,))
    return bp.Network("root", loss=(bp.sqrt(w) * v).sum())


def relu_layers():
    x, t = bp.input("x", (N, D)), bp.input("t", (N, K))
    W1, W2 = bp.param("W1", (D, H)), bp.param("W2", (H, K))
    b1, b2 = bp.param("b1", (H,)), bp.param("b2", (K,))
    y = bp.sigmoid(bp.relu(x @ W1 + b1) @ W2 + b2)
    return bp.Network("relu", loss=bp.mse(y, t), outputs={"y": y})


def recurrent():
    T = bp.dim("T")
    x, t = bp.input("x", (N, T, D)), bp.input("t", (N, T, H))
    W, U, b = bp.param("W", (D, H)), bp.param("U", (H, H)), bp.param("b", (H,))
    h = bp.rnn(x, W, U, b)
    return bp.Network("recurrent", loss=bp.mse(h, t), outputs={"h": h})
