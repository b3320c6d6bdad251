"""Published backward passes, in the notation of symbp's pages, beside what symbp derives.

`python tests/read/side_by_side.py` writes docs/side_by_side.md anew.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import symbp as bp
from symbp.cli.target import load_target
from symbp.explain.document import document
from symbp.explain.text import PageText, index_form

PAGE = Path(__file__).parents[2] / "docs" / "side_by_side.md"


@dataclass(frozen=True)
class Published:
    """A network, where its gradients are published, and these equations with the symbols of its page."""

    title: str
    source: str
    net: str | Callable[[], bp.Network]
    equations: tuple[str, ...]

    def derive(self) -> bp.Derivation:
        net = load_target(self.net).network if isinstance(self.net, str) else self.net()
        return bp.derive(net)


def softmax_cross_entropy() -> bp.Network:
    N, K = bp.dims("N K")
    a, y = bp.param("a", (N, K)), bp.labels("y", (N,), classes=K)
    p = bp.softmax(a)
    return bp.Network("net", loss=bp.cross_entropy(p, y), outputs={"p": p})


def batch_norm() -> bp.Network:
    N, D = bp.dims("N D")
    x, g = bp.param("x", (N, D)), bp.input("g", (N, D))
    y = bp.nn.BatchNorm()(x)
    return bp.Network("net", loss=(y * g).sum(), outputs={"y": y})


def layer_norm() -> bp.Network:
    N, D = bp.dims("N D")
    x, gamma, beta = bp.param("x", (N, D)), bp.param("gamma", (D,)), bp.param("beta", (D,))
    y, g = bp.layer_norm(x, gamma, beta), bp.input("g", (N, D))
    return bp.Network("net", loss=(y * g).sum(), outputs={"y": y})


def attention() -> bp.Network:
    T, D = bp.dims("T D")
    Q, K, V = (bp.param(name, (T, D)) for name in "QKV")
    S = (Q @ K.T / bp.sqrt(D)).named("S")
    O = bp.softmax(S).named("P") @ V  # noqa: E741
    return bp.Network("net", loss=(O * bp.input("G", (T, D))).sum(), outputs={"O": O})


def heads() -> bp.Network:
    N, H, T, D = bp.dims("N H T D")
    n, h, t, s, d = bp.indices("n h t s d")
    Q, K, V = (bp.param(name, (N, H, T, D)) for name in "QKV")
    S = bp.define("S", [n, h, t, s], bp.Sum(Q[n, h, t, d] * K[n, h, s, d], d) / bp.sqrt(D))
    P = bp.softmax(S).named("P")
    O = bp.define("O", [n, h, t, d], bp.Sum(P[n, h, t, s] * V[n, h, s, d], s))  # noqa: E741
    return bp.Network("net", loss=(O * bp.input("G", (N, H, T, D))).sum(), outputs={"O": O})


def convolution() -> bp.Network:
    N, C, H, W, F = bp.dims("N C H W F")
    x, K, g = bp.param("x", (N, C, H, W)), bp.param("K", (F, C, 3, 3)), bp.input("g", (N, F, H - 2, W - 2))
    y = bp.conv2d(x, K)
    return bp.Network("net", loss=(y * g).sum(), outputs={"y": y})


def dropout() -> bp.Network:
    N, D = bp.dims("N D")
    x, g = bp.param("x", (N, D)), bp.input("g", (N, D))
    y = bp.dropout(x, 0.3)
    return bp.Network("net", loss=(y * g).sum(), outputs={"y": y})


ALL = (
    Published(
        "Logistic regression", "Bishop 2006, section 4.3.2", "logistic_regression",
        ("da1[n] = (p[n] - y[n])/N", "dw[i] = Σ_n (p[n] - y[n])·x[n,i]/N", "db = Σ_n (p[n] - y[n])/N"),
    ),
    Published(
        "Multilayer perceptron", "Rumelhart, Hinton and Williams 1986; Goodfellow et al. 2016, algorithm 6.4",
        "mlp",
        (
            "da2[n,k] = (p[n,k] - [k = y[n]])/N", "dW2[j,k] = Σ_n h[n,j]·da2[n,k]", "db2[k] = Σ_n da2[n,k]",
            "dh[n,j] = Σ_k da2[n,k]·W2[j,k]", "da1[n,j] = (1 - h[n,j]²)·dh[n,j]",
            "dW1[i,j] = Σ_n x[n,i]·da1[n,j]", "db1[j] = Σ_n da1[n,j]",
        ),
    ),
    Published(
        "Softmax and cross-entropy", "Bridle 1990; Goodfellow et al. 2016, section 6.2.2.3",
        softmax_cross_entropy, ("da[n,k] = (p[n,k] - [k = y[n]])/N",),
    ),
    Published(
        "Batch normalisation", "Ioffe and Szegedy 2015, section 3, with its steps joined", batch_norm,
        (
            "dgamma1[i] = Σ_n g[n,i]·x̂[n,i]", "dbeta1[i] = Σ_n g[n,i]",
            "dx[n,i] = gamma1[i]·(N·g[n,i] - dbeta1[i] - x̂[n,i]·dgamma1[i])/(N·sqrt(σ²[i] + ε))",
        ),
    ),
    Published(
        "Layer normalisation", "Ba, Kiros and Hinton 2016; Xu et al. 2019, equation 6", layer_norm,
        (
            "dgamma[i] = Σ_n g[n,i]·x̂[n,i]", "dbeta[i] = Σ_n g[n,i]", "dx̂[n,i] = g[n,i]·gamma[i]",
            "dx[n,i] = (dx̂[n,i] - mean_j(dx̂[n,j]) - x̂[n,i]·mean_j(dx̂[n,j]·x̂[n,j]))/sqrt(σ²[n] + ε)",
        ),
    ),
    Published(
        "LSTM", "Hochreiter and Schmidhuber 1997; Greff et al. 2017, appendix A, no peepholes", "char_lstm",
        (
            "dh[n,t,m] = Σ_j da2[n,t,j]·R[m,j] + Σ_l,q U[m,l,q]·da1[n,t + 1,l,q | 0]",
            "dc1[n,t,m] = dh[n,t,m]·o[n,t,m]·(1 - tanh(c1[n,t,m])²) + dc1[n,t + 1,m | 0]·f[n,t + 1,m | 0]",
            "da1[n,t,i,m] = dc1[n,t,m]·g[n,t,m]·i[n,t,m]·(1 - i[n,t,m])",
            "da1[n,t,f,m] = dc1[n,t,m]·c1[n,t - 1,m | 0]·f[n,t,m]·(1 - f[n,t,m])",
            "da1[n,t,g,m] = dc1[n,t,m]·i[n,t,m]·(1 - g[n,t,m]²)",
            "da1[n,t,o,m] = dh[n,t,m]·tanh(c1[n,t,m])·o[n,t,m]·(1 - o[n,t,m])",
            "dU[m,l,q] = Σ_n,t h[n,t - 1,m | 0]·da1[n,t,l,q]", "db[l,m] = Σ_n,t da1[n,t,l,m]",
        ),
    ),
    Published(
        "GRU", "Cho et al. 2014, with the reset gate behind the matrix", "char_gru",
        (
            "dn̂[n,t,m] = dh[n,t,m]·(1 - u[n,t,m])",
            "dr[n,t,m] = dn̂[n,t,m]·(1 - n̂[n,t,m]²)·â1[n,t,2,m]",
            "da1[n,t,r,m] = dr[n,t,m]·r[n,t,m]·(1 - r[n,t,m])",
            "da1[n,t,u,m] = dh[n,t,m]·(h[n,t - 1,m | 0] - n̂[n,t,m])·u[n,t,m]·(1 - u[n,t,m])",
            "da1[n,t,n̂,m] = dn̂[n,t,m]·(1 - n̂[n,t,m]²)",
            "dU[m,l,q] = Σ_n,t h[n,t - 1,m | 0]·dâ1[n,t,l,q]",
        ),
    ),
    Published(
        "Attention", "Vaswani et al. 2017; Dao et al. 2022, appendix B.2", attention,
        (
            "dV[t,i] = Σ_j P[j,t]·G[j,i]", "dP[t,j] = Σ_i G[t,i]·V[j,i]",
            "dQ[t,i] = Σ_j P[t,j]·(dP[t,j] - Σ_q P[t,q]·dP[t,q])·K[j,i]/sqrt(D)",
            "dK[t,i] = Σ_j P[j,t]·(dP[j,t] - Σ_q P[j,q]·dP[j,q])·Q[j,i]/sqrt(D)",
        ),
    ),
    Published(
        "Attention of many heads", "Vaswani et al. 2017; Dao et al. 2022, appendix B.2", heads,
        (
            "dV[n,h,t,d] = Σ_s P[n,h,s,t]·G[n,h,s,d]", "dP[n,h,t,s] = Σ_d G[n,h,t,d]·V[n,h,s,d]",
            "dS[n,h,t,s] = P[n,h,t,s]·(dP[n,h,t,s] - Σ_d O[n,h,t,d]·G[n,h,t,d])",
            "dQ[n,h,t,d] = Σ_s dS[n,h,t,s]·K[n,h,s,d]/sqrt(D)",
            "dK[n,h,t,d] = Σ_s dS[n,h,s,t]·Q[n,h,s,d]/sqrt(D)",
        ),
    ),
    Published(
        "Convolution", "LeCun et al. 1998; Goodfellow et al. 2016, section 9.5", convolution,
        (
            "dK[l,i,m,j] = Σ_n,q,r g[n,l,q,r]·x[n,i,q + m,r + j]",
            "dx[n,i,k,p] = Σ_l,m,j g[n,l,k - m,p - j | 0]·K[l,i,m,j]",
        ),
    ),
    Published(
        "Dropout", "Srivastava et al. 2014, scaled in training", dropout,
        ("dx[n,i] = g[n,i]·mask1[n,i]/(1 - 0.3)",),
    ),
    Published(
        "Variational autoencoder", "Kingma and Welling 2014, sections 2.4 and 3, appendix B", "vae",
        (
            "da6[n,i] = (shown[n,i] - x[n,i])/N", "dmu[n,k] = dz[n,k] + mu[n,k]/N",
            "dlog_var[n,k] = dz[n,k]·eps[n,k]·exp(log_var[n,k]/2)/2 - (1 - exp(log_var[n,k]))/(2·N)",
        ),
    ),
    Published(
        "Embedding", "Mikolov et al. 2013, equation 4; Goldberg and Levy 2014", "word2vec",
        (
            "du[n] = (1 - σ(near[n]))/N", "dfar[n,r] = σ(far[n,r])/N",
            "dE[k,i] = Σ_n [k = centre[n]]·((σ(near[n]) - 1)·C[context[n],i]"
            " + Σ_r σ(far[n,r])·C[others[n,r],i])/N",
        ),
    ),
    Published(
        "CTC", "Graves et al. 2006, equations 14 to 16", "ctc",
        ("dz[n,t,k] = p[n,t,k]/(N·([length[n] = 0] + length[n])) + dlog_p[n,t,k]",),
    ),
)  # fmt: skip


def markdown() -> str:
    """The page: each published equation beside the one that symbp derives for the same tensor."""
    parts = [
        "# Published gradients beside derived ones",
        "Each equation on the left is a published one in the notation of symbp's pages; on the right stands "
        "what `symbp derive` prints. A test evaluates both and compares them. Indices start at 0, `[…]` is 1 "
        "where the condition holds and else 0, `| 0` says what stands outside a range; a symbol is explained "
        "on the page of its network.",
    ]
    for entry in ALL:
        page = document(entry.derive(), style="textbook")
        notation = PageText(page.reading.symbols)
        derived: dict[str, list[str]] = {}
        for shown in page.equations:
            derived.setdefault(page.reading.symbols.text[shown.line.target], []).append(
                f"({shown.number}) `{index_form(shown, notation)}`"
            )
        rows = []
        for published in entry.equations:
            left = published.partition(" = ")[0]
            lines = derived[left.partition("[")[0]]
            same = [line for line in lines if f"`{left} = " in line] or lines
            cells = [f"`{published}`", "<br>".join(same)]
            rows.append("| " + " | ".join(cell.replace(" | ", " \\| ") for cell in cells) + " |")
        parts += [
            f"## {entry.title}",
            f"{entry.source}." + (f" `symbp derive {entry.net}`" if isinstance(entry.net, str) else ""),
            "\n".join(
                ["| published | derived |", "|---|---|", *(row.replace(" | 0]", " \\| 0]") for row in rows)]
            ),
        ]
    return "\n\n".join(parts) + "\n"


if __name__ == "__main__":
    PAGE.parent.mkdir(exist_ok=True)
    PAGE.write_text(markdown(), encoding="utf-8", newline="\n")
    sys.stdout.write(f"wrote {PAGE.name}\n")
