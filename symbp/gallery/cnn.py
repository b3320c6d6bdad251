"""A small convolutional network in the manner of LeNet (LeCun et al. 1998) that reads handwritten digits.

It shows convolution and pooling: their gradients are convolutions and scatters that nobody wrote.
"""

import symbp as bp

EPOCHS, BATCH = 30, 32
optimizer = bp.optim.Adam(lr=3e-3)
data = bp.data.digit_images

N, S, K = bp.dims("N S K")  # images, their side, classes
F1, F2 = bp.dim("F1", 16), bp.dim("F2", 32)  # filters

x = bp.input("x", (N, 1, S, S))
y = bp.labels("y", (N,), classes=K)
C1, c1 = bp.param("C1", (F1, 1, 3, 3)), bp.param("c1", (F1,))
C2, c2 = bp.param("C2", (F2, F1, 3, 3)), bp.param("c2", (F2,))

h1 = bp.max_pool2d(bp.relu(bp.conv2d(x, C1, c1, padding=1)), 2)
h2 = bp.relu(bp.conv2d(h1, C2, c2, padding=1))
flat = bp.dropout(bp.flatten(h2), 0.3)
W, b = bp.param("W", (flat.shape[1], K)), bp.param("b", (K,))
p = bp.softmax(flat @ W + b)

net = bp.Network(
    "cnn",
    loss=bp.cross_entropy(p, y),
    outputs={"p": p},
    metrics={"accuracy": bp.accuracy(p, y)},
)
