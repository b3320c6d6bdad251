"""Planted coincidences: pairs of expressions that agree at most small samples and differ.

Enters: nothing. Leaves: a `Program` for each pair, in which both stand side by side, with the scales of data
at which they are told apart. Whoever merges two values because they agree where they were sampled prints a
wrong gradient here.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from judge import Outcome, judge, points, torch_value
from programs import Leaf, Line, Program, Shape

import symbp as bp

ROWS: Shape = ("N", "H")


@dataclass(frozen=True)
class Pair:
    """Two expressions of u = x·W + b and v = u + (x·V)/4, both (N, H); further names: y (N, K, H), five
    (N, 6), heads (N, 8), S (H, H), the masks m1 and m2, tok (N) below 8. The second spelling is PyTorch's,
    where it differs by more than the package's name."""

    one: str
    other: str
    torch_one: str = ""
    torch_other: str = ""
    shape: Shape = ROWS
    scales: tuple[float, ...] = (1.0, 4.0, 0.1)
    needs: str = ""  # an op that may not exist yet


def _both(text: str) -> str:
    return text.replace("bp.", "torch.")


PAIRS: dict[str, Pair] = {
    "two masks": Pair(
        "bp.where(u > 0, u, 0)", "bp.where(v > 0, u, 0)", "torch.relu(u)", "torch.where(v > 0, u, 0.0)"
    ),
    "two masks far away": Pair(
        "bp.relu(u + 3)", "bp.where(v > -3, u + 3, 0)", "torch.relu(u + 3)", "torch.where(v > -3, u + 3, 0.0)"
    ),
    "a maximum and its first": Pair("bp.maximum(u, v - 5)", "u", scales=(1, 8, 30)),
    "a minimum and a number": Pair(
        "bp.minimum(u, 100)", "u", "torch.clamp(u, max=100)", "u", scales=(1, 60, 200)
    ),
    "relu and abs of what is positive": Pair("bp.relu(u + 6)", "bp.abs(u + 6)", scales=(1, 8, 20)),
    "sign times value": Pair("bp.sign(u + 6) * (u + 6)", "u + 6", scales=(1, 8, 20)),
    "square of relu and square": Pair(
        "bp.squared_relu(u + 6)", "(u + 6)**2", "torch.relu(u + 6)**2", "(u + 6)**2", scales=(1, 8, 20)
    ),
    "N and H": Pair("u * N", "u * H"),
    "2/N and 1": Pair("u * (2 / N)", "u"),
    "3 − N and N − 1": Pair("u * (3 - N)", "u * (N - 1)"),
    "H/N and N/H": Pair("u * (H / N)", "u * (N / H)"),
    "a sum and its first": Pair("y.sum(1) * u", "y[:, 0, :] * u"),
    "a maximum over an axis and its first": Pair(
        "y.max(1) * u", "y[:, 0, :] * u", "y.max(1).values * u", "y[:, 0, :] * u"
    ),
    "midrange and mean": Pair(
        "(y.max(1) + bp.min(y, 1)) / 2 * u",
        "y.mean(1) * u",
        "(y.max(1).values + y.min(1).values) / 2 * u",
        "y.mean(1) * u",
    ),
    "log-sum-exp and maximum": Pair(
        "bp.logsumexp(y, 1) * u",
        "y.max(1) * u",
        "torch.logsumexp(y, 1) * u",
        "y.max(1).values * u",
        scales=(1, 4, 60),
    ),
    "mean and sum": Pair("u.mean(0)", "u.sum(0)", shape=("H",)),
    "variances": Pair(
        "bp.var(y, 1, correction=0) * u",
        "bp.mean(y**2, 1) * u",
        "y.var(1, correction=0) * u",
        "(y**2).mean(1) * u",
    ),
    "norm and abs": Pair(
        "bp.norm(y, 1) * u",
        "bp.abs(y.sum(1)) * u",
        "torch.linalg.vector_norm(y, dim=1) * u",
        "y.sum(1).abs() * u",
    ),
    "two rare tokens": Pair(
        "bp.where(bp.equal(tok, 5), u.sum(1), 0)",
        "bp.where(bp.equal(tok, 6), u.sum(1), 0)",
        "torch.where(tok == 5, u.sum(1), 0.0)",
        "torch.where(tok == 6, u.sum(1), 0.0)",
        shape=("N",),
    ),
    "a rare token and none": Pair(
        "bp.where(bp.equal(tok, 7), v.sum(1), u.sum(1))",
        "u.sum(1)",
        "torch.where(tok == 7, v.sum(1), u.sum(1))",
        "u.sum(1)",
        shape=("N",),
    ),
    "below 7 and always": Pair(
        "bp.where(tok < 7, u.sum(1), v.sum(1))",
        "u.sum(1)",
        "torch.where(tok < 7, u.sum(1), v.sum(1))",
        "u.sum(1)",
        shape=("N",),
    ),
    "the end of a short axis": Pair("five[:, 4:].sum(1) * u.sum(1)", "five.sum(1) * u.sum(1)", shape=("N",)),
    "two ends": Pair("five[:, 4:].sum(1) * u.sum(1)", "five[:, 3:].sum(1) * u.sum(1)", shape=("N",)),
    "two masks given": Pair("u * m1", "u * m2"),
    "clamp and identity": Pair("bp.clamp(u, -8, 8)", "u", scales=(1, 20, 60)),
    "hardtanh and clamp": Pair(
        "bp.hardtanh(u)", "bp.clamp(u, -1, 1.5)", "F.hardtanh(u)", "torch.clamp(u, -1, 1.5)"
    ),
    "huber and square": Pair(
        "bp.where(bp.abs(u) < 5, u**2 / 2, 5 * (bp.abs(u) - 2.5))", "u**2 / 2", scales=(1, 8, 30)
    ),
    "smooth L1 and abs": Pair(
        "bp.smooth_l1(u, v, beta=0.01, reduction='none')",
        "bp.abs(u - v)",
        "F.smooth_l1_loss(u, v, beta=0.01, reduction='none')",
        "(u - v).abs()",
        scales=(1, 0.1, 0.3),
    ),
    "a root's ε and none": Pair("bp.sqrt(u**2 + 1e-12)", "bp.abs(u)", scales=(1, 1e-3, 1e-6)),
    "a quotient's ε and none": Pair("u / (u**2 + 1e-12)", "u / (u**2 + 1e-9)", scales=(1, 1e-4, 1e-6)),
    "two far thresholds": Pair("bp.relu(u - 20)", "bp.relu(u - 21)", scales=(1, 30, 80)),
    "a far threshold and 0": Pair("bp.relu(u - 20) + u", "u", scales=(1, 30, 80)),
    "relu and leaky relu": Pair(
        "bp.leaky_relu(u + 6)",
        "bp.relu(u + 6)",
        "F.leaky_relu(u + 6)",
        "torch.relu(u + 6)",
        scales=(1, 8, 20),
    ),
    "two slopes": Pair(
        "bp.leaky_relu(u, 0.01)",
        "bp.leaky_relu(u, 0.0100001)",
        "F.leaky_relu(u, 0.01)",
        "F.leaky_relu(u, 0.0100001)",
    ),
    "relu and relu6": Pair("bp.relu(u)", "bp.relu6(u)", "torch.relu(u)", "F.relu6(u)", scales=(1, 8, 20)),
    "softplus and relu": Pair(
        "bp.softplus(u)", "bp.relu(u)", "F.softplus(u, threshold=1e9)", "torch.relu(u)", scales=(1, 4, 60)
    ),
    "a threshold beside 0": Pair("bp.relu(bp.relu(u) - 0.001)", "bp.relu(u)", scales=(1, 0.01, 0.003)),
    "strict and weak": Pair("bp.where(u > 1, v, u)", "bp.where(u >= 1, v, u)", scales=(1, 0, 0)),
    "a triangle and the whole": Pair("u @ bp.tril(S)", "u @ S"),
    "a matrix and its transpose": Pair("u @ S", "u @ S.T"),
    "a row's label and its maximum": Pair(
        "bp.pick(heads, tok) * u.sum(1)",
        "heads.max(1) * u.sum(1)",
        "heads.gather(1, tok.unsqueeze(1)).squeeze(1) * u.sum(1)",
        "heads.max(1).values * u.sum(1)",
        shape=("N",),
    ),
    "slopes inside": Pair(
        "bp.grad(bp.squared_relu(u + 6), u)",
        "bp.grad((u + 6)**2, u)",
        "grad(torch.relu(u + 6)**2, u)",
        "grad((u + 6)**2, u)",
        scales=(1, 8, 20),
    ),
    "floor and identity": Pair("u - bp.floor(u)", "u", scales=(1, 4, 0.1), needs="floor"),
    "median and mean": Pair(
        "bp.median(y, 1) * u",
        "y.mean(1) * u",
        "torch.quantile(y, 0.5, 1) * u",
        "y.mean(1) * u",
        needs="median",
    ),
}


def available() -> list[str]:
    """The pairs whose ops exist."""
    return [name for name, pair in PAIRS.items() if not pair.needs or hasattr(bp, pair.needs)]


def program(pair: Pair) -> Program:
    """Σ (A·r)/N + mean(B·s) + mean (A − B)²: whatever is merged spoils a gradient."""
    leaves = (
        Leaf("x", "input", ("N", "D")),
        Leaf("W", "param", ("D", "H")),
        Leaf("b", "param", ("H",)),
        Leaf("V", "param", ("D", "H")),
        Leaf("S", "param", ("H", "H")),
        Leaf("y", "param", ("N", "K", "H")),
        Leaf("five", "param", ("N", 6)),
        Leaf("heads", "param", ("N", 8)),
        Leaf("m1", "input", ROWS, fact="binary"),
        Leaf("m2", "input", ROWS, fact="binary"),
        Leaf("tok", "tokens", ("N",), classes=8),
        Leaf("r", "input", pair.shape),
        Leaf("s", "input", pair.shape),
    )
    written = [
        ("u", "x @ W + b", "x @ W + b"),
        ("v", "u + x @ V / 4", "u + x @ V / 4"),
        ("A", pair.one, pair.torch_one or _both(pair.one)),
        ("B", pair.other, pair.torch_other or _both(pair.other)),
        ("loss", *["(A * r).sum() / N + (B * s).mean() + ((A - B)**2).mean()"] * 2),
    ]
    names = [leaf.name for leaf in leaves] + [name for name, _, _ in written]
    lines = []
    for name, one, other in written:
        read = tuple(n for n in names if _reads(one, n) and n != name)
        lines.append(Line(name, "as written", read, (), {"symbp": one, "torch": other}))
    params = tuple(leaf.name for leaf in leaves if leaf.role == "param")
    return Program({"N": None, "D": None, "H": None, "K": None}, leaves, tuple(lines), params).pruned()


def _reads(text: str, name: str) -> bool:
    return re.search(rf"(?<![\w.'])\b{name}\b(?!=)", text) is not None


def outcome(name: str, seed: int = 0) -> Outcome:
    """What becomes of a pair's net at its scales, twelve points in all."""
    pair = PAIRS[name]
    return judge(program(pair), seed, scales=pair.scales * 4)


def told_apart(name: str, seed: int = 0) -> bool:
    """Whether the two differ at one of those points, as they must for the test to say anything."""
    pair = PAIRS[name]
    whole = program(pair)
    for sizes, values, _ in points(whole, seed, pair.scales * 4):
        a, b = (torch_value(whole, sizes, values, wanted) for wanted in "AB")
        if a.shape != b.shape or not bool((abs(a - b) <= 1e-12 * (abs(a) + abs(b))).all()):
            return True
    return False


def report() -> int:
    """Prints what becomes of each pair; 1 if one is wrong."""
    failed = 0
    for name in available():
        found = outcome(name)
        failed += found.verdict != "right"
        apart = "" if told_apart(name) else " (NOT TOLD APART)"
        why = found.message.partition("\n")[0]
        print(f"{found.verdict:8s} {found.seconds:5.1f} s  {name}{apart}  {why}", flush=True)
    print(f"{len(available())} pairs, {failed} failed")
    return int(failed > 0)
