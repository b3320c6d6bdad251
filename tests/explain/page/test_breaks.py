"""Long formulas in pieces that fit a line, with nothing lost between them."""

import xml.etree.ElementTree as ET

import pytest

from symbp.explain.page.breaks import PAPER, ROOM, broken, pieces, width

SILENT = str.maketrans("", "", "\u2061\u2062·()")


def token(tag, text):
    return f"<{tag}>{text}</{tag}>"


def word(name):
    return token("mi", name)


PLUS, MINUS, TIMES = token("mo", "+"), token("mo", "−"), '<mspace width=".17em"/><mo>\u2062</mo>'


def fence(inner):
    return f"<mrow><mo>(</mo>{inner}<mo>)</mo></mrow>"


def text(fragment):
    return "".join(ET.fromstring(f"<x>{fragment}</x>").itertext())


def wide(fragment):
    return width(list(ET.fromstring(f"<x>{fragment}</x>")))


def terms(count, sign=PLUS):
    return sign.join(word(f"term{k}") for k in range(count))


def test_a_short_formula_is_one_piece():
    assert len(pieces(word("a"), word("b") + PLUS + word("c"))) == 1


@pytest.mark.parametrize("sign", [PLUS, MINUS, TIMES])
def test_a_long_one_is_cut_before_its_signs(sign):
    found = pieces(word("a"), terms(20, sign))
    assert len(found) == 21
    assert text(found[0]) == "a="
    for piece in found[2:]:
        assert text(piece)[0] in "+−·"
        assert 'form="infix"' in piece.partition(">")[0]
    assert "".join(map(text, found)).translate(SILENT) == ("a=" + text(terms(20, sign))).translate(SILENT)


def test_a_sign_before_a_first_term_is_no_place_to_cut():
    found = pieces(word("a"), MINUS + terms(20))
    assert text(found[1]) == "−term0"


def test_a_wide_parenthesis_is_opened():
    inner = terms(20)
    found = pieces(word("a"), word("x") + fence(inner) + TIMES + word("y"))
    assert text(found[1]).startswith("x(term0")
    assert text(found[-1]) == "·y"
    assert all(wide(piece) <= ROOM for piece in found)
    shorter = pieces(word("a"), word("x") + fence(terms(5)) + TIMES + word("y"))
    assert [text(p) for p in shorter[1:]] == [f"x({text(terms(5))})", "·y"]


def test_a_raised_parenthesis_keeps_its_power_at_its_end():
    found = pieces(word("a"), f"<msup>{fence(terms(20))}{token('mn', 2)}</msup>")
    assert text(found[-1]) == "+term19)2"
    assert found[-1].endswith('<msup><mo form="postfix">)</mo><mn>2</mn></msup>')


def test_a_wide_fraction_becomes_a_factor():
    found = pieces(word("a"), f"<mfrac><mrow>{terms(20)}</mrow>{word('N')}</mfrac>")
    assert text(found[1]) == "1N(term0"
    assert text(found[-1]) == "+term19)"
    short = pieces(word("a"), f"<mfrac><mrow>{terms(6)}</mrow>{word('N')}</mfrac>")
    assert len(short) == 2


def test_what_stands_before_an_opened_parenthesis_counts():
    long = fence(word("u") + TIMES + fence(terms(6)) + TIMES + word("v" * 30))
    found = broken(word("w" * 12) + long)
    assert all(wide(piece) <= PAPER for piece in found)


def test_a_condition_begins_a_piece():
    where = '<mspace width="1em"/>' + token("mtext", "where ") + word("i")
    assert text(pieces(word("a"), terms(5) + where)[-1]) == "where i"
