"""Wrong steps: those of real derivations, with one side changed in one of a dozen ways.

`planted(derivation, number, rng)` gives the step with a fault, and what was done to it; None where no fault
that changes its value is found. Whether the value changes is told by floats, at a point of other sizes than
those of a proof, and not by what is tested.
"""

from dataclasses import replace

import numpy as np
import sympy

from symbp.errors import SymbpError
from symbp.ir.expr import Access, Guard, Index, IntegerAccess
from symbp.ir.points.fitting import sample_sizes
from symbp.ir.points.sampling import sample_run


def reads(equation):
    return [a for a in equation.reads if not isinstance(a, IntegerAccess)]


def another_sign(equation, _, rng):
    terms = list(sympy.Add.make_args(equation.body))
    at = rng.integers(len(terms))
    return equation.body - 2 * terms[at]


def another_factor(equation, _, rng):
    return equation.body * rng.choice([2, 3]) / rng.choice([1, 5])


def lost_factor(equation, _, rng):
    factors = [f for f in sympy.Mul.make_args(equation.body) if f != 1]
    return equation.body / factors[rng.integers(len(factors))] if len(factors) > 1 else None


def lost_term(equation, _, rng):
    terms = sympy.Add.make_args(equation.body)
    return equation.body - terms[rng.integers(len(terms))] if len(terms) > 1 else None


def lost_guard(equation, _, rng):
    guards = sorted(equation.body.atoms(Guard), key=sympy.default_sort_key)
    return equation.body.xreplace({guards[rng.integers(len(guards))]: sympy.Integer(1)}) if guards else None


def turned_guard(equation, _, rng):
    guards = sorted(equation.body.atoms(Guard), key=sympy.default_sort_key)
    if not guards:
        return None
    guard = guards[rng.integers(len(guards))]
    return equation.body.xreplace({guard: guard.complement()})


def another_tensor(equation, tensors, rng):
    """Another one of equal shape."""
    pairs = [
        (a, other)
        for a in reads(equation)
        for other in tensors
        if a.name in tensors and other != a.name and not tensors[other].integer
        and tensors[other].shape == tensors[a.name].shape and tensors[other].shape
    ]  # fmt: skip
    if not pairs:
        return None
    access, other = pairs[rng.integers(len(pairs))]
    return equation.body.xreplace({access: access.with_(name=other)})


def off_by_one(equation, _, rng):
    """A subscript one too far, 0 outside of the range."""
    found = [a for a in reads(equation) if a.subscripts]
    if not found:
        return None
    access = found[rng.integers(len(found))]
    at = rng.integers(len(access.subscripts))
    subscripts = [s + 1 if k == at else s for k, s in enumerate(access.subscripts)]
    return equation.body.xreplace({access: Access(access.name, *subscripts, outside=0)})


def swapped_subscripts(equation, _, rng):
    found = [a for a in reads(equation) if len(a.subscripts) > 1]
    if not found:
        return None
    access = found[rng.integers(len(found))]
    return equation.body.xreplace({access: Access(access.name, *access.subscripts[::-1], outside=0)})


def another_power(equation, _, rng):
    powers = sorted(equation.body.atoms(sympy.Pow), key=sympy.default_sort_key)
    powers = [p for p in powers if p.exp.is_number and not isinstance(p, sympy.exp)]
    if not powers:
        return None
    power = powers[rng.integers(len(powers))]
    return equation.body.xreplace({power: power.base ** (power.exp + 1)})


def another_function(equation, _, rng):
    calls = sorted(equation.body.atoms(sympy.exp, sympy.log, sympy.tanh), key=sympy.default_sort_key)
    if not calls:
        return None
    call = calls[rng.integers(len(calls))]
    return equation.body.xreplace({call: sympy.sin(call.args[0])})


def another_size(equation, *_):
    sizes = sorted((s for s in equation.body.free_symbols if not isinstance(s, Index)), key=str)
    others = sorted({s for e in equation.ranges for s in e.free_symbols} - set(sizes), key=str)
    return equation.body.xreplace({sizes[0]: others[0]}) if sizes and others else None


FAULTS = [
    another_sign, another_factor, lost_factor, lost_term, lost_guard, turned_guard, another_tensor,
    off_by_one, swapped_subscripts, another_power, another_function, another_size,
]  # fmt: skip


def planted(derivation, number, rng):
    step, ground = derivation.steps[number], derivation.ground(number)
    sides = [(side, k) for side in ("after", "before") for k in range(len(getattr(step, side)))]
    for _ in range(20):
        side, k = sides[rng.integers(len(sides))]
        fault = FAULTS[rng.integers(len(FAULTS))]
        equations = list(getattr(step, side))
        system = getattr(ground, side)
        body = fault(equations[k], system.by_name, rng)
        if body is None or body == equations[k].body:
            continue
        equations[k] = equations[k].with_(body=body)
        if differs(system, getattr(step, side)[k], equations[k]):
            return replace(step, **{side: tuple(equations)}), f"{fault.__name__} in {side}"
    return None


def differs(system, right, wrong):
    """Whether two right-hand sides have other values at a point of large sizes."""
    run = sample_run(system, 77, sizes=sample_sizes(system, 2))
    try:
        one, other = run.value(right), run.value(wrong)
    except (SymbpError, KeyError):
        return False
    with np.errstate(all="ignore"):
        gap = np.max(np.abs(np.asarray(one - other, dtype=float)), initial=0)
        return bool(gap > 1e-6 * np.max(np.abs(one), initial=0) + 1e-9)
