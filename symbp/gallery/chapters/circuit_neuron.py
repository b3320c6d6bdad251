"""A neuron of two inputs as a circuit in which every gate has a name, down to the minus in exp(−a).

The numbers are those of Stanford's CS231n, "Backpropagation, Intuitions": 0.73 comes out.
"""

import symbp as bp

w0, w1, w2 = bp.param("w0", ()), bp.param("w1", ()), bp.param("w2", ())
x0, x1 = bp.param("x0", ()), bp.param("x1", ())  # the gradient by what comes in is asked for, too

u = w0 * x0
v = w1 * x1
s = u + v
a = s + w2
m = -a
e = bp.exp(m)
d = 1 + e
f = 1 / d

net = bp.Network("circuit_neuron", loss=f, example={"w0": 2, "w1": -3, "w2": -3, "x0": -1, "x1": -2})
