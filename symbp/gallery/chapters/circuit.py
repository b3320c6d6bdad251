"""f = (x + y)·z as a circuit of two gates.

It shows the chain rule at its smallest: a sum hands its gradient on, a product times the other factor.
The numbers are those of Stanford's CS231n, "Backpropagation, Intuitions".
"""

import symbp as bp

start = bp.optim.initial.normal(1)
x, y, z = bp.param("x", (), start), bp.param("y", (), start), bp.param("z", (), start)

q = x + y
f = q * z

net = bp.Network("circuit", loss=f, example={"x": -2, "y": 5, "z": -4})
