"""The chain rule along the arrows of a picture, with the factors as they are written, is the gradient."""

import numpy as np
import pytest
from test_read_back import sizes_of_page, values, words

from symbp.explain.drawing.graph import graph, lettered
from symbp.explain.text import PageText, index_form
from symbp.ir.expr import free_indices
from symbp.ir.system import Equation
from symbp.read.display import bound
from symbp.read.grammar import elements, parse_equation

STEP = 1e-6


class Point:
    """A page at a random small point: the value of everything that it shows, and of what pictures write."""

    def __init__(self, page, seed=5):
        self.page = page
        sizes, self.right = values(page.derivation, page, seed)
        self.known = sizes_of_page(page.derivation, page, sizes)
        lengths = {s: e.xreplace(self.known) for e, s in page.reading.lengths.items()}
        self.known |= lengths
        self.numbers = {s.name: v for s, v in self.known.items()}
        self.notation = PageText(page.lecture.symbols)
        self.names = {text: name for name, text in page.lecture.symbols.text.items()}

    def shape(self, tensor):
        return np.shape(self.right[tensor])

    def matrix(self, local):
        """The Jacobian as a matrix: an element of the reader for each row, one of what is read for each
        column; the slope is read back from its text."""
        local = lettered(self.page.reading, local)
        used = [
            i for i in local.extents if any(i in free_indices(e) for e in (local.of, local.by, local.slope))
        ]
        extents = {i.name: int(local.extents[i].xreplace(self.known)) for i in used}
        equation = Equation("", tuple(used), local.slope, ranges=tuple(local.extents[i] for i in used))
        names = self.names | {w: w for w in words(self.page) | set(extents) | set(self.numbers)}
        left = f"slope[{','.join(i.name for i in used)}]" if used else "slope"
        tree = parse_equation(f"{left} = {self.notation.equation(equation)[1]}", names | {"slope": "slope"})
        of, by = self.shape(local.of.name), self.shape(local.by.name)
        found = np.zeros((int(np.prod(of)), int(np.prod(by))))
        for place, value in elements(tree, self.right, self.numbers, extents):
            at = dict(zip(used, place, strict=True)) | self.known
            row = [int(s.xreplace(at)) for s in local.of.subscripts]
            column = [int(s.xreplace(at)) for s in local.by.subscripts]
            if all(0 <= k < extent for k, extent in zip(row, of, strict=True)):
                found[self.flat(row, of), self.flat(column, by)] += value
        return found

    def numeric(self, reader, read):
        """The same by central differences of the reader's equation as it is printed, where there is no
        formula."""
        shown = [e for e in self.page.equations if e.line.target == reader]
        names = self.names | {w: w for w in words(self.page) | set(self.numbers)}
        trees = [parse_equation(index_form(one, self.notation), names) for one in shown]
        extents = {i.name: int(e.xreplace(self.known)) for one in shown for i, e in bound(one.shown).items()}
        columns = []
        for place in np.ndindex(self.shape(read)):
            sides = []
            for step in (STEP, -STEP):
                moved = np.array(self.right[read], dtype=float)
                moved[place] += step
                value = np.zeros(self.shape(reader))
                for tree in trees:
                    for at, one in elements(tree, self.right | {read: moved}, self.numbers, extents):
                        value[at] = one
                sides.append(value)
            columns.append(((sides[0] - sides[1]) / (2 * STEP)).ravel())
        return np.array(columns).T

    def flat(self, place, shape):
        return int(np.ravel_multi_index(place, shape)) if shape else 0


def adjoints(point, found):
    """∂loss/∂ everything that is drawn: the sum over all paths from the loss of products of factors."""
    start, total = {}, 0
    for adjoint in found.adjoints:
        start[adjoint.node] = total
        total += int(np.prod(point.shape(adjoint.node)))
    passed = np.zeros((total, total))
    for flow in found.flows:
        if flow.jacobian is None:
            if not flow.saved:
                continue  # told in words alone
            block = point.numeric(flow.reader, flow.read)
        else:
            block = point.matrix(flow.jacobian)
        rows, columns = start[flow.read], start[flow.reader]
        passed[rows : rows + block.shape[1], columns : columns + block.shape[0]] += block.T
    seed = np.zeros(total)
    seed[start[point.page.reading.derivation.system.loss]] = 1.0
    all_of_them = np.linalg.solve(np.eye(total) - passed, seed)  # Σ passedᵏ·seed: no path is endless
    return {
        name: all_of_them[at : at + int(np.prod(point.shape(name)))].reshape(point.shape(name))
        for name, at in start.items()
    }


def behind(found, readers):
    """What gets anything from these nodes' adjoints."""
    reached, stack = set(), list(readers)
    while stack:
        name = stack.pop()
        if name not in reached:
            reached.add(name)
            stack += [f.read for f in found.flows if f.reader == name]
    return reached


@pytest.mark.slow
@pytest.mark.few(slow=9)
def test_sum_over_paths_is_the_gradient(page):
    found, point = graph(page.reading), Point(page)
    worded = {(f.reader, f.read) for f in found.flows if f.jacobian is None and not f.saved}
    assert not worded or page.title == "ctc"
    unknown = behind(found, {read for _, read in worded})
    result = adjoints(point, found)
    compared = 0
    for adjoint in found.adjoints:
        if adjoint.tensor is None or adjoint.node in unknown or adjoint.tensor not in point.right:
            continue
        wanted = point.right[adjoint.tensor]
        np.testing.assert_allclose(result[adjoint.node], wanted, rtol=1e-6, atol=1e-9, err_msg=adjoint.node)
        compared += 1
    assert compared >= len([a for a in found.adjoints if a.tensor and a.node not in unknown])
    assert {a.node for a in found.adjoints} >= set(page.gradients)


@pytest.mark.slow
def test_a_wrong_factor_is_seen(pages):
    """The comparison can fail: one factor taken twice changes a gradient."""
    page = pages("mlp")
    found, point = graph(page.reading), Point(pages("mlp"))
    doubled = type(found)(
        found.nodes, found.edges, found.adjoints, (*found.flows, found.flows[-2]), found.beside
    )
    right, wrong = adjoints(point, found), adjoints(point, doubled)
    assert not np.allclose(right[found.flows[-2].read], wrong[found.flows[-2].read])
