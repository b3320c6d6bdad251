"""One step of an LSTM (Hochreiter and Schmidhuber 1997), each gate with its own weights.

It shows what the gates do to a gradient: it passes from c to the state before, times the forget gate.
"""

import symbp as bp

D, H = bp.dim("D", 2), bp.dim("H", 2)

x, h0, c0 = bp.input("x", (D,)), bp.input("h0", (H,)), bp.input("c0", (H,))
t = bp.target("t", (H,))
Wi, Wf, Wg, Wo = (bp.param(name, (H, D)) for name in ("Wi", "Wf", "Wg", "Wo"))
Ui, Uf, Ug, Uo = (bp.param(name, (H, H)) for name in ("Ui", "Uf", "Ug", "Uo"))

i = bp.sigmoid(Wi @ x + Ui @ h0)
f = bp.sigmoid(Wf @ x + Uf @ h0)
g = bp.tanh(Wg @ x + Ug @ h0)
o = bp.sigmoid(Wo @ x + Uo @ h0)
c = f * c0 + i * g
m = bp.tanh(c)
h = o * m

symbols = {f"{W}{gate}": f"{W}_{gate}" for W in "WU" for gate in "ifgo"}
net = bp.Network("lstm_cell", loss=bp.sum((h - t) ** 2) / 2, outputs={"h": h, "c": c}, symbols=symbols)
