"""A hundred formulas in the style of matrix calculus, each with an evaluation of its own in plain NumPy.

`shapes` None: ranks and sizes are found from use and spelling. `draw` says how an array is drawn: centred
normal by default; `positive`, `unit` (0 to 1), `spd`, `signs` (±1), `binary`, `labels`, `big` (a dominant
diagonal). A formula without `matrix` has a gradient that has no matrix notation, or not yet.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np

SIZES = {"N": 5, "D": 3, "K": 4, "M": 2, "P": 6}


@dataclass(frozen=True)
class Case:
    name: str
    text: str
    shapes: str | None
    wrt: str
    f: Callable[..., float]
    draw: dict[str, str] = field(default_factory=dict)
    matrix: bool = True
    infer: dict[str, str] = field(default_factory=dict)  # the shapes that must be found, as in `shapes`


def softplus(z):
    return np.logaddexp(0, z)


def lse(z):
    return np.logaddexp.reduce(z, axis=-1)


def logdet(a):
    return np.linalg.slogdet(a)[1]


inv = np.linalg.inv
XW = "X:N,D w:D y:N"
CASES = [
    # --- regression
    Case("least squares", "norm2(X*w - y)^2/2", XW, "w", lambda X, w, y: ((X @ w - y) ** 2).sum() / 2),
    Case("mean squares", "mean((X@w - y)^2)", XW, "w", lambda X, w, y: ((X @ w - y) ** 2).mean()),
    Case("ridge", "norm2(X*w - y)^2 + lam*norm2(w)^2", XW, "w",
         lambda X, w, y, lam: ((X @ w - y) ** 2).sum() + lam * (w**2).sum()),
    Case("ridge by X", "norm2(X*w - y)^2", XW, "X", lambda X, w, y: ((X @ w - y) ** 2).sum()),
    Case("ridge in products", "(X*w - y)'*(X*w - y) + λ·w'*w", XW, "w",
         lambda X, w, y, lam: ((X @ w - y) ** 2).sum() + lam * w @ w),
    Case("weighted squares", "(X*w - y)'*diag(v)*(X*w - y)", XW + " v:N", "w",
         lambda X, w, y, v: (v * (X @ w - y) ** 2).sum()),
    Case("weighted by v", "sum(v .* (X*w - y).^2)", XW + " v:N", "v",
         lambda X, w, y, v: (v * (X @ w - y) ** 2).sum()),
    Case("generalised squares", "(X*w - y)'*S*(X*w - y)", XW + " S:N,N:symmetric", "w",
         lambda X, w, y, S: (X @ w - y) @ S @ (X @ w - y), {"S": "spd"}),
    Case("tikhonov", "norm2(X*w - y)^2 + norm2(G*w)^2", XW + " G:M,D", "w",
         lambda X, w, y, G: ((X @ w - y) ** 2).sum() + ((G @ w) ** 2).sum()),
    Case("many targets", "norm(X*W - Y)^2/2", "X:N,D W:D,K Y:N,K", "W",
         lambda X, W, Y: ((X @ W - Y) ** 2).sum() / 2),
    Case("many targets by trace", "tr((X*W - Y)'*(X*W - Y))", "X:N,D W:D,K Y:N,K", "W",
         lambda X, W, Y: ((X @ W - Y) ** 2).sum()),
    Case("with a bias", "norm2(X*w + 𝟏·c - y)^2", XW, "w", lambda X, w, y, c: ((X @ w + c - y) ** 2).sum()),
    Case("by the bias", "norm2(X*w + c - y)^2", XW, "c", lambda X, w, y, c: ((X @ w + c - y) ** 2).sum()),
    Case("lasso", "norm2(X*w - y)^2/2 + lam*norm1(w)", XW, "w",
         lambda X, w, y, lam: ((X @ w - y) ** 2).sum() / 2 + lam * np.abs(w).sum()),
    Case("elastic net", "mean((y - X*w)^2) + α*(ρ*norm1(w) + (1 - ρ)/2*norm2(w)^2)", XW, "w",
         lambda X, w, y, alpha, rho: ((y - X @ w) ** 2).mean()
         + alpha * (rho * np.abs(w).sum() + (1 - rho) / 2 * (w**2).sum())),
    Case("log cosh", "sum(log(cosh(X*w - y)))", XW, "w", lambda X, w, y: np.log(np.cosh(X @ w - y)).sum()),
    Case("pseudo Huber", "sum(sqrt(1 + (X*w - y)^2) - 1)", XW, "w",
         lambda X, w, y: (np.sqrt(1 + (X @ w - y) ** 2) - 1).sum()),
    Case("Cauchy", "sum(log(1 + (X*w - y)^2/c^2))", XW, "w",
         lambda X, w, y, c: np.log(1 + (X @ w - y) ** 2 / c**2).sum(), {"c": "positive"}),
    Case("norm of a residual", "norm2(X*w - y)", XW, "w", lambda X, w, y: np.linalg.norm(X @ w - y)),
    Case("kernel ridge", "norm2(K*a - y)^2 + lam*a'*K*a", "K:N,N:symmetric a:N y:N", "a",
         lambda K, a, y, lam: ((K @ a - y) ** 2).sum() + lam * a @ K @ a, {"K": "spd"}),
    # --- generalised linear models
    Case("logistic", "mean(log(1 + exp(-y*(X@w)))) + lam*norm2(w)^2", XW, "w",
         lambda X, w, y, lam: softplus(-y * (X @ w)).mean() + lam * (w**2).sum(), {"y": "signs"}),
    Case("logistic by X", "mean(log(1 + exp(-y*(X@w))))", XW, "X",
         lambda X, w, y: softplus(-y * (X @ w)).mean(), {"y": "signs"}),
    Case("logistic with 1'", "1'*log(1 + exp(-y .* (X*w)))", XW, "w",
         lambda X, w, y: softplus(-y * (X @ w)).sum(), {"y": "signs"}),
    Case("logistic, 0 and 1", "sum(log(1 + exp(X*w))) - y'*X*w", XW, "w",
         lambda X, w, y: softplus(X @ w).sum() - y @ X @ w, {"y": "binary"}),
    Case("cross-entropy", "-mean(y*log(sigmoid(X@w)) + (1 - y)*log(1 - sigmoid(X@w)))", XW, "w",
         lambda X, w, y: (y * softplus(-(X @ w)) + (1 - y) * softplus(X @ w)).mean(), {"y": "binary"}),
    Case("softplus", "sum(softplus(X*w))", XW.replace(" y:N", ""), "w", lambda X, w: softplus(X @ w).sum()),
    Case("Poisson", "sum(exp(X*w)) - y'*(X*w)", XW, "w",
         lambda X, w, y: np.exp(X @ w).sum() - y @ X @ w, {"y": "positive"}),
    Case("Poisson, mean", "mean(exp(X@w) - y*(X@w))", XW, "w",
         lambda X, w, y: (np.exp(X @ w) - y * (X @ w)).mean(), {"y": "positive"}),
    Case("gamma regression", "sum(y .* exp(-(X*w)) + X*w)", XW, "w",
         lambda X, w, y: (y * np.exp(-(X @ w)) + X @ w).sum(), {"y": "positive"}),
    Case("exponential loss", "sum(exp(-y*(X@w)))", XW, "w",
         lambda X, w, y: np.exp(-y * (X @ w)).sum(), {"y": "signs"}),
    Case("squared hinge", "sum(relu(1 - y*(X@w))^2)", XW, "w",
         lambda X, w, y: (np.maximum(1 - y * (X @ w), 0) ** 2).sum(), {"y": "signs"}),
    Case("hinge", "mean(max(1 - y*(X@w), 0)) + lam/2*w'*w", XW, "w",
         lambda X, w, y, lam: np.maximum(1 - y * (X @ w), 0).mean() + lam / 2 * w @ w, {"y": "signs"}),
    Case("tanh unit", "sum((tanh(X*w) - y)^2)", XW, "w", lambda X, w, y: ((np.tanh(X @ w) - y) ** 2).sum()),
    Case("sigmoid unit", "mean((σ(X*w) - y)^2)", XW, "w",
         lambda X, w, y: ((1 / (1 + np.exp(-(X @ w))) - y) ** 2).mean()),
    Case("softmax regression", "mean(logsumexp(X@W)) - mean(sum(Y .* (X@W), 1))", "X:N,D W:D,K Y:N,K", "W",
         lambda X, W, Y: lse(X @ W).mean() - (Y * (X @ W)).sum(1).mean()),
    Case("softmax by labels", "mean_n(logsumexp(X@W)[n] - (X@W)[n,y[n]])", "X:N,D W:D,K y:N:below=K", "W",
         lambda X, W, y: (lse(X @ W) - (X @ W)[np.arange(len(y)), y]).mean(), {"y": "labels"}),
    Case("cross-entropy of softmax", "-sum(Y .* log(softmax(X*W)))", "X:N,D W:D,K Y:N,K", "W",
         lambda X, W, Y: -(Y * (X @ W - lse(X @ W)[:, None])).sum()),
    Case("one layer", "sum((tanh(X@W)@v - y)^2)", "X:N,D W:D,K v:K y:N", "W",
         lambda X, W, v, y: ((np.tanh(X @ W) @ v - y) ** 2).sum()),
    Case("one layer by v", "sum((tanh(X@W)@v - y)^2)", "X:N,D W:D,K v:K y:N", "v",
         lambda X, W, v, y: ((np.tanh(X @ W) @ v - y) ** 2).sum()),
    Case("relu layer", "sum(relu(X@W + b)@v)", "X:N,D W:D,K b:K v:K", "b",
         lambda X, W, b, v: (np.maximum(X @ W + b, 0) @ v).sum()),
    # --- forms
    Case("linear form", "a'*x", "a:D x:D", "x", lambda a, x: a @ x),
    Case("bilinear form", "x'*A*y", "x:N A:N,D y:D", "A", lambda x, A, y: x @ A @ y),
    Case("bilinear by y", "x'*A*y", "x:N A:N,D y:D", "y", lambda x, A, y: x @ A @ y),
    Case("quadratic form", "w'*A*w", "w:D A:D,D", "w", lambda w, A: w @ A @ w),
    Case("symmetric form", "w'*A*w/2 - b'*w", "w:D A:D,D:symmetric b:D", "w",
         lambda w, A, b: w @ A @ w / 2 - b @ w, {"A": "spd"}),
    Case("form by A", "w'*A*w", "w:D A:D,D", "A", lambda w, A: w @ A @ w),
    Case("Gram form", "w'*X'*X*w", "w:D X:N,D", "w", lambda w, X: w @ X.T @ X @ w),
    Case("Gram form by X", "wᵀ·Xᵀ·X·w", "w:D X:N,D", "X", lambda w, X: w @ X.T @ X @ w),
    Case("Mahalanobis", "(x - μ)ᵀ·S⁻¹·(x - μ)", "x:D μ:D S:D,D:symmetric", "x",
         lambda x, mu, S: (x - mu) @ inv(S) @ (x - mu), {"S": "spd"}),
    Case("Mahalanobis by S", "(x - m)'*inv(S)*(x - m)", "x:D m:D S:D,D", "S",
         lambda x, m, S: (x - m) @ inv(S) @ (x - m), {"S": "big"}),
    Case("Mahalanobis, solved", "(x - m)'*solve(S, x - m)", "x:D m:D S:D,D:symmetric", "m",
         lambda x, m, S: (x - m) @ inv(S) @ (x - m), {"S": "spd"}),
    Case("Rayleigh quotient", "(w'*A*w)/(w'*w)", "w:D A:D,D:symmetric", "w",
         lambda w, A: (w @ A @ w) / (w @ w), {"A": "spd"}),
    Case("cosine", "x'*y/(norm2(x)*norm2(y))", "x:D y:D", "x",
         lambda x, y: x @ y / (np.linalg.norm(x) * np.linalg.norm(y))),
    Case("quartic", "(w'*w)^2", "w:D", "w", lambda w: (w @ w) ** 2),
    Case("Gaussian of a norm", "exp(-norm2(x - y)^2/(2*σ^2))", "x:D y:D", "x",
         lambda x, y, sigma: np.exp(-((x - y) ** 2).sum() / (2 * sigma**2)), {"sigma": "positive"}),
    Case("sine of a form", "sin(a'*x)*cos(b'*x)", "a:D b:D x:D", "x",
         lambda a, b, x: np.sin(a @ x) * np.cos(b @ x)),
    Case("log of sums", "log(sum(exp(A*x)))", "A:N,D x:D", "x", lambda A, x: np.log(np.exp(A @ x).sum())),
    Case("logsumexp", "logsumexp(A*x) - b'*x", "A:N,D x:D b:D", "x", lambda A, x, b: lse(A @ x) - b @ x),
    Case("entropy", "-sum(p .* log(p))", "p:D:positive", "p",
         lambda p: -(p * np.log(p)).sum(), {"p": "unit"}),
    Case("relative entropy", "sum(p .* log(p ./ q))", "p:D:positive q:D:positive", "q",
         lambda p, q: (p * np.log(p / q)).sum(), {"p": "unit", "q": "unit"}),
    Case("log barrier", "c'*x - t*sum(log(b - A*x))", "c:D x:D b:N A:N,D", "x",
         lambda c, x, t, b, A: c @ x - t * np.log(b - A @ x).sum(), {"b": "large"}),
    Case("geometric mean", "exp(mean(log(x)))", "x:D:positive", "x",
         lambda x: np.exp(np.log(x).mean()), {"x": "unit"}),
    Case("variance", "var(x)", "x:N", "x", lambda x: x.var(ddof=1)),
    Case("centred", "norm2(x - mean(x))^2", "x:N", "x", lambda x: ((x - x.mean()) ** 2).sum()),
    # --- traces and determinants
    Case("trace", "tr(A*X)", "A:D,N X:N,D", "X", lambda A, X: np.trace(A @ X)),
    Case("trace of A X B", "tr(A*X*B)", "A:K,N X:N,D B:D,K", "X", lambda A, X, B: np.trace(A @ X @ B)),
    Case("trace of a transpose", "tr(A*X'*B)", "A:K,D X:N,D B:N,K", "X",
         lambda A, X, B: np.trace(A @ X.T @ B)),
    Case("trace of a square", "tr(X@X)", "X:D,D", "X", lambda X: np.trace(X @ X)),
    Case("Frobenius", "tr(X'*X)", "X:N,D", "X", lambda X: (X**2).sum()),
    Case("trace of X' A X", "tr(X'*A*X)", "X:N,D A:N,N", "X", lambda X, A: np.trace(X.T @ A @ X)),
    Case("trace of X' A X, symmetric", "tr(X'*A*X)", "X:N,D A:N,N:symmetric", "X",
         lambda X, A: np.trace(X.T @ A @ X), {"A": "spd"}),
    Case("trace of A X B X'", "tr(A@X@B@X')", "A:N,N X:N,D B:D,D", "X",
         lambda A, X, B: np.trace(A @ X @ B @ X.T)),
    Case("trace of an inverse", "tr(inv(X))", "X:D,D", "X", lambda X: np.trace(inv(X)), {"X": "big"}),
    Case("trace of A X⁻¹ B", "tr(A·X⁻¹·B)", "A:K,D X:D,D B:D,K", "X",
         lambda A, X, B: np.trace(A @ inv(X) @ B), {"X": "big"}),
    Case("logdet", "logdet(X)", None, "X", lambda X: logdet(X), {"X": "big"}, infer={"X": "N,N"}),
    Case("determinant", "det(X)", "X:D,D", "X", lambda X: np.linalg.det(X), {"X": "big"}),
    Case("logdet of a Gram matrix", "logdet(X'*X)", "X:N,D", "X", lambda X: logdet(X.T @ X)),
    Case("logdet of A X B", "logdet(A@X@B)", "A:D,D X:D,D B:D,D", "X",
         lambda A, X, B: logdet(A @ X @ B), {"A": "big", "X": "big", "B": "big"}),
    Case("logdet with ridge", "logdet(X'*X + lam*I)", "X:N,D", "lam",
         lambda X, lam: logdet(X.T @ X + lam * np.eye(X.shape[1])), {"lam": "positive"}),
    Case("Gaussian likelihood", "logdet(S)/2 + (x - m)'*inv(S)*(x - m)/2", "x:D m:D S:D,D", "S",
         lambda x, m, S: logdet(S) / 2 + (x - m) @ inv(S) @ (x - m) / 2, {"S": "spd"}),
    Case("precision matrix", "tr(S@X) - logdet(X)", "S:D,D X:D,D", "X",
         lambda S, X: np.trace(S @ X) - logdet(X), {"S": "spd", "X": "spd"}),
    Case("Gaussian process", "y'*inv(K + s^2*I)*y/2 + logdet(K + s^2*I)/2", "K:N,N:symmetric y:N s:", "s",
         lambda K, y, s: y @ inv(K + s**2 * np.eye(len(y))) @ y / 2 + logdet(K + s**2 * np.eye(len(y))) / 2,
         {"K": "spd", "s": "positive"}),
    Case("diagonal", "sum(diag(X)^2)", "X:D,D", "X", lambda X: (np.diag(X) ** 2).sum()),
    Case("solution", "c'*solve(A, b)", "A:D,D b:D c:D", "A", lambda A, b, c: c @ inv(A) @ b, {"A": "big"}),
    Case("solution by b", "norm2(solve(A, b))^2", "A:D,D b:D", "b",
         lambda A, b: ((inv(A) @ b) ** 2).sum(), {"A": "big"}),
    # --- factorisations, subspaces, kernels
    Case("factorisation by U", "norm(X - U*V')^2", "X:N,D U:N,M V:D,M", "U",
         lambda X, U, V: ((X - U @ V.T) ** 2).sum()),
    Case("factorisation by V", "norm(X - U*V)^2/2", "X:N,D U:N,M V:M,D", "V",
         lambda X, U, V: ((X - U @ V) ** 2).sum() / 2),
    Case("masked factorisation", "sum(M .* (X - U*V').^2)", "M:N,D X:N,D U:N,K V:D,K", "U",
         lambda M, X, U, V: (M * (X - U @ V.T) ** 2).sum()),
    Case("Poisson factorisation", "sum(U*V - X .* log(U*V))", "X:N,D U:N,M:positive V:M,D:positive", "U",
         lambda X, U, V: (U @ V - X * np.log(U @ V)).sum(), {"X": "positive", "U": "unit", "V": "unit"}),
    Case("principal components", "-tr(W'*X'*X*W)", "X:N,D W:D,M", "W",
         lambda X, W: -np.trace(W.T @ X.T @ X @ W)),
    Case("reconstruction", "norm(X - X*W*W')^2", "X:N,D W:D,M", "W",
         lambda X, W: ((X - X @ W @ W.T) ** 2).sum()),
    Case("orthogonality", "norm(W'*W - I)^2/4", "W:D,M", "W",
         lambda W: ((W.T @ W - np.eye(W.shape[1])) ** 2).sum() / 4),
    Case("outer product", "norm(A - u*v')^2", "A:N,D u:N v:D", "u",
         lambda A, u, v: ((A - np.outer(u, v)) ** 2).sum()),
    Case("MMD", "mean_i,j exp(-sum_d (x[i,d] - z[j,d])^2) ", "x:N,D z:M,D", "x",
         lambda x, z: np.exp(-((x[:, None] - z) ** 2).sum(-1)).mean()),
    Case("kernel sum", "Σ_i,j a[i]·a[j]·exp(-(x[i] - x[j])²)", None, "a",
         lambda a, x: (np.outer(a, a) * np.exp(-((x[:, None] - x) ** 2))).sum(), infer={"a": "N", "x": "N"}),
    Case("within clusters", "tr(X'*X) - 2*tr(R*C*X') + sum(R .^ 2)", "R:N,K X:N,D C:K,D", "C",
         lambda R, X, C: (X**2).sum() - 2 * np.trace(R @ C @ X.T) + (R**2).sum()),
    Case("pairwise differences", "sum_i,j [i < j]·(x[i] - x[j])²", "x:N", "x",
         lambda x: sum((x[i] - x[j]) ** 2 for j in range(len(x)) for i in range(j)), matrix=False),
    Case("indexed product", "sum_n(log(1 + exp(-y[n]*sum_i(X[n,i]*w[i]))))", None, "w",
         lambda X, w, y: softplus(-y * (X @ w)).sum(), {"y": "signs"},
         infer={"y": "N", "X": "N,D", "w": "D"}),
    Case("attention to one", "softmax(K*q)'*v", "K:N,D q:D v:N", "q",
         lambda K, q, v: np.exp(K @ q - lse(K @ q)) @ v),
    # --- inferred
    Case("inferred squares", "norm2(A*w - b)^2/2", None, "w", lambda A, w, b: ((A @ w - b) ** 2).sum() / 2,
         infer={"A": "N,D", "w": "D", "b": "N"}),
    Case("inferred form", "w'*A*w", None, "w", lambda w, A: w @ A @ w, infer={"A": "N,N", "w": "N"}),
    Case("inferred scalar", "lam*exp(-t^2)", None, "t", lambda lam, t: lam * np.exp(-(t**2))),
    Case("inferred vector", "c'*x - sum(log(x))", None, "x",
         lambda c, x: c @ x - np.log(x).sum(), {"x": "unit"},
         infer={"c": "N", "x": "N"}),
]  # fmt: skip
