"""One step of a GRU (Cho et al. 2014), each gate with its own weights.

It shows a state that is a weighted mean of the one before and a new one, and a gate inside of a gate.
"""

import symbp as bp

D, H = bp.dim("D", 2), bp.dim("H", 2)

x, h0, t = bp.input("x", (D,)), bp.input("h0", (H,)), bp.target("t", (H,))
Wz, Wr, Wn = (bp.param(name, (H, D)) for name in ("Wz", "Wr", "Wn"))
Uz, Ur, Un = (bp.param(name, (H, H)) for name in ("Uz", "Ur", "Un"))

z = bp.sigmoid(Wz @ x + Uz @ h0)
r = bp.sigmoid(Wr @ x + Ur @ h0)
n = bp.tanh(Wn @ x + Un @ (r * h0))
h = (1 - z) * h0 + z * n

symbols = {f"{W}{gate}": f"{W}_{gate}" for W in "WU" for gate in "zrn"}
net = bp.Network("gru_cell", loss=bp.sum((h - t) ** 2) / 2, outputs={"h": h}, symbols=symbols)
