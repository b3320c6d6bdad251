"""The validator refuses what NumPy would, and what it wouldn't."""

import dataclasses

import pytest
import sympy

from symbp.codegen import infer
from symbp.codegen.tree import Assign, For, If, NewAxis, Slice
from symbp.codegen.validate import validate
from symbp.errors import InvalidTree
from symbp.ir.build import sizes

N, D, K = sizes("N D K")
POINT = [{"N": 4, "D": 3, "K": 5}]
x, w, b = infer.name("x", (N, D)), infer.name("w", (D, K)), infer.name("b", (K,))
h = infer.name("h", (N, K))
GIVEN = ("x", "w", "b", "N", "D", "K", "np")


def refused(statement, words):
    with pytest.raises(InvalidTree, match=words):
        validate(statement, GIVEN, POINT)


def test_a_line_that_is_right():
    validate(Assign(h, infer.binary("+", infer.binary("@", x, w), b)), GIVEN, POINT)


def test_a_name_that_nothing_defines():
    refused(Assign(h, infer.binary("@", infer.name("u", (N, D)), w)), "u is used before")


def test_a_name_that_one_branch_defines():
    branch = If(infer.binary("<", infer.name("N", (), "integer"), infer.number(3)), (Assign(h, h),))
    inner = Assign(h, infer.binary("@", x, w))
    branch = dataclasses.replace(branch, body=(inner,))
    loop = For(
        infer.name("t", (), "integer"), infer.call("range", infer.number(2), shape=()), (branch, Assign(x, h))
    )
    refused(loop, "h is used before")


def test_lengths_that_differ():
    refused(Assign(h, infer.binary("@", w, x)), "don't agree")
    refused(Assign(h, infer.binary("+", infer.binary("@", x, w), infer.name("x", (N, D)))), "don't agree")


def test_a_target_of_another_shape():
    refused(Assign(infer.name("h", (K, N)), infer.binary("@", x, w)), "don't agree")
    refused(Assign(infer.subscript(x, infer.number(0)), b), "don't agree")


def test_a_node_that_says_another_shape():
    wrong = dataclasses.replace(infer.binary("@", x, w), shape=(N, D))
    refused(Assign(infer.name("h", (N, D)), wrong), "don't agree")


def test_an_einsum_whose_letters_have_two_lengths():
    wrong = infer.call("np.einsum", infer.quoted("nd,kd->nk"), x, w, shape=(N, K))
    refused(Assign(h, wrong), "don't agree")
    validate(Assign(h, infer.call("np.einsum", infer.quoted("nd,dk->nk"), x, w, shape=(N, K))), GIVEN, POINT)


def test_a_dtype_that_is_not_so():
    mask = dataclasses.replace(infer.binary("<", x, infer.number(0)), dtype="real")
    refused(Assign(infer.name("m", (N, D)), mask), "is boolean")
    truth = infer.binary("<", x, infer.number(0))
    refused(Assign(infer.name("m", (N, D)), truth), "gets truth values")
    validate(Assign(infer.name("m", (N, D), "boolean"), truth), GIVEN, POINT)
    refused(Assign(infer.name("m", (N, D)), infer.binary("+", truth, truth)), "truth values")


def test_slices_and_new_axes():
    column = infer.subscript(b, Slice(), NewAxis())
    assert column.shape == (K, sympy.S.One)
    validate(
        Assign(infer.name("c", (K, N)), infer.binary("+", column, infer.name("n", (N,)))),
        (*GIVEN, "n"),
        POINT,
    )
