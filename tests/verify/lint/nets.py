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
