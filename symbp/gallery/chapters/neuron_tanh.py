"""A neuron of two inputs with tanh, whose bias makes its output 0.7071 and its gradients round numbers.

The numbers are those of Karpathy's micrograd.
"""

import symbp as bp

x1, x2 = bp.param("x1", ()), bp.param("x2", ())  # the gradient by what comes in is asked for, too
w1, w2, b = bp.param("w1", ()), bp.param("w2", ()), bp.param("b", ())

u = x1 * w1
v = x2 * w2
s = u + v
n = s + b
o = bp.tanh(n)

net = bp.Network(
    "neuron_tanh", loss=o, example={"x1": 2, "x2": 0, "w1": -3, "w2": 1, "b": 6.8813735870195432}
)
