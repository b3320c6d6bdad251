"""Questions for STACK: what its importer reads is there, and Maxima's text means what it should."""

import re
import shutil
import subprocess
import xml.etree.ElementTree as ET

import numpy as np
import pytest

import symbp as bp
from symbp.errors import UsageError
from symbp.explain.exercise.maxima import words

N, D, H, K = bp.dims("N D H K")
PLACES = {  # what STACK's importer reads
    ".": "name/text questiontext/text generalfeedback/text defaultgrade penalty hidden stackversion/text "
    "questionvariables/text specificfeedback/text questionnote/text questionsimplify assumepositive "
    "assumereal prtcorrect/text prtpartiallycorrect/text prtincorrect/text multiplicationsign sqrtsign "
    "complexno inversetrig logicsymbol matrixparens",
    "input": "name type tans boxsize strictsyntax insertstars allowwords forbidfloat checkanswertype "
    "mustverify",
    "prt": "name value autosimplify feedbackvariables/text",
    "prt/node": "name answertest sans tans truescoremode truescore truenextnode trueanswernote "
    "truefeedback/text falsescoremode falsescore falsenextnode falseanswernote falsefeedback/text",
    "qtest": "testcase testinput/name testinput/value expected/name expected/expectedscore "
    "expected/expectedpenalty expected/expectedanswernote",
}


@pytest.fixture(scope="module")
def derivation():
    x, y = bp.input("x", (N, D)), bp.labels("y", (N,), classes=K)
    W1, W2, b = bp.param("W1", (D, H)), bp.param("W2", (H, K)), bp.param("b", (K,))
    p = bp.softmax(bp.relu(x @ W1) @ W2 + b)
    return bp.derive(bp.Network("small", loss=bp.cross_entropy(p, y), outputs={"p": p}))


@pytest.fixture(scope="module")
def questions(derivation):
    return ET.fromstring(derivation.exercise("stack", blanks=20)).findall("question")


def by_target(questions, target):
    (found,) = [q for q in questions if q.findtext("name/text").startswith(f"small: {target} (")]
    return found


def points(question):
    """What is given, and what is wanted, at each point: arrays by their text."""
    text = question.findtext("questionvariables/text")
    for number in (1, 2):
        given = re.search(rf"sbgiven{number}: \[(.*)\];", text)[1]
        pairs = re.findall(r"([\w()]+)=(matrix\(.*?\]\)|[-.\d]+)", given)
        yield (
            {word: array(value) for word, value in pairs},
            array(re.search(rf"sbwanted{number}: (.*);", text)[1]),
        )


def array(text):
    rows = re.findall(r"\[([^\[\]]*)\]", text)
    return (
        np.array([[float(x) for x in row.split(",")] for row in rows]) if rows else np.array([[float(text)]])
    )


CALLS = {
    "transpose": np.transpose,
    "ispos": lambda a: (a > 0) * 1.0,
    "relu": lambda a: np.maximum(a, 0),
    "softmax": lambda a: np.exp(a) / np.exp(a).sum(axis=1, keepdims=True),
}


class Read:
    """The value of Maxima's text, `.` binding tighter than `*` and `/`, a matrix of 1 × 1 being a number."""

    def __init__(self, text, given):
        self.left, self.given = re.findall(r"(?:onehot|ones)\(\w+\)|\d+|\w+|[-+*/.^()]", text), given
        self.value = self.sum()
        assert not self.left, text

    def next(self, *signs):
        return self.left.pop(0) if self.left and self.left[0] in signs else None

    def sum(self):
        found = -self.product() if self.next("-") else self.product()
        while sign := self.next("+", "-"):
            found = found + self.product() if sign == "+" else found - self.product()
        return found

    def product(self):
        found = self.dots()
        while sign := self.next("*", "/"):
            found = found * self.dots() if sign == "*" else found / self.dots()
        return found

    def dots(self):
        found = self.power()
        while self.next("."):
            found = found @ self.power()
        return found

    def power(self):
        base = self.atom()
        return base ** self.atom() if self.next("^") else base

    def atom(self):
        word = self.left.pop(0)
        if word == "(" or (self.left[:1] == ["("] and word not in self.given):
            if word != "(":
                self.next("(")
            inner = self.sum()
            assert self.next(")")
            return inner if word == "(" else CALLS.get(word, getattr(np, word, None))(inner)
        return self.given[word] if word in self.given else np.array([[float(word)]])


def test_what_moodle_imports_is_there(questions):
    assert len(questions) > 6
    for question in questions:
        assert question.get("type") == "stack"
        for part, places in PLACES.items():
            for found in question.findall(part):
                assert [place for place in places.split() if found.find(place) is None] == []
        asked, tree = question.findtext("questiontext/text"), question.find("prt")
        (name,) = [i.text for i in question.findall("input/name")]
        assert re.findall(r"\[\[(\w+):(\w+)\]\]", asked) == [("input", name), ("validation", name)]
        assert question.findtext("specificfeedback/text") == f"[[feedback:{tree.findtext('name')}]]"
        nodes = tree.findall("node")
        behind = {n.findtext(f"{way}nextnode") for n in nodes for way in ("true", "false")} - {"-1"}
        assert behind == {n.findtext("name") for n in nodes} - {"0"}
        defined = re.findall(r"(\w+): ", tree.findtext("feedbackvariables/text"))
        assert {n.findtext("sans") for n in nodes} <= {*defined}
        notes = {n.findtext(f"{way}answernote") for n in nodes for way in ("true", "false")}
        assert len(notes) == 2 * len(nodes)
        assert {e.text for e in question.findall("qtest/expected/expectedanswernote")} <= notes
        own = {*re.findall(r"^(\w+)[(:]", question.findtext("questionvariables/text"), re.MULTILINE)}
        assert "sbvalue" in own
        assert not own & {*question.findtext("input/allowwords").split(",")}


def test_the_right_side_has_the_value_at_both_points(questions):
    for question in questions:
        right, shapes = question.findtext("input/tans"), set()
        for given, wanted in points(question):
            np.testing.assert_allclose(Read(right, given).value, wanted, rtol=1e-9, atol=1e-11)
            shapes.add(wanted.shape)
        assert len(shapes) == 2 or wanted.size == 1  # numbers that are typed in don't fit at both
        words_of = {*re.findall(r"[A-Za-z]\w*", right)}
        assert words_of <= {*question.findtext("input/allowwords").split(",")}


@pytest.mark.slow
def test_no_answer_is_given_away(questions, derivation):
    own = by_target(questions, "dW2")
    assert own.findtext("input/tans") == "transpose(h1) . da2"
    assert "<code>dW2</code>" not in own.findtext("questiontext/text")
    assert own.findtext("questiontext/text").count(r"\ldots") == len(questions) - 1
    assert derivation.exercise("stack", blanks=2, seed=3) == derivation.exercise("stack", blanks=2, seed=3)


ANSWERS = {
    "transpose(h1) . (p - onehot(y))/N": "0T",
    "transpose(transpose(da2) . h1)": "0T",
    "transpose(h1) . da2 + 0*W2": "0T",
    "-transpose(h1) . da2": "2T",
    "transpose(h1) . (p - onehot(y))": "3T",
    "transpose(da2) . h1": "4T",
    "transpose(z1) . da2": "3F",
    "h1 . da2": "4F",
    "h1 + da2": "4F",
    "unknown . da2": "4F",
    "da2/onehot(y)": "4F",
    "log(z1)": "4F",
    "7": "4F",
}


@pytest.mark.slow
def test_maxima_grades_as_it_should(questions, tmp_path):
    if shutil.which("maxima") is None:
        pytest.skip("no maxima here")
    question = by_target(questions, "dW2")
    graded = {**dict.fromkeys(ANSWERS), question.findtext("input/tans"): None}
    lines = [question.findtext("questionvariables/text")]
    for answer in graded:
        lines += [f"ans1: {answer};", question.findtext("prt/feedbackvariables/text")]
        lines.append('print("verdict", [sbright, sbfit, sbminus, sbfactor, sbtransposed]);')
    (tmp_path / "question.mac").write_text(re.sub(r";\n", "$\n", "\n".join([*lines, ""])), encoding="utf-8")
    command = ["maxima", "--very-quiet", "-b", "question.mac"]
    told = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False).stdout
    verdicts = re.findall(r"^verdict \[(.*?)\]", told, re.MULTILINE | re.DOTALL)
    assert len(verdicts) == len(graded), told[-2000:]
    tree = {node.findtext("name"): node for node in question.findall("prt/node")}
    tests = [tree[name].findtext("sans") for name in tree]
    for answer, verdict in zip(graded, verdicts, strict=True):
        holds = dict(zip(tests, verdict.replace(" ", "").split(","), strict=True))
        at, ended = "0", ""
        while at != "-1":
            way = holds[tree[at].findtext("sans")]
            at, ended = tree[at].findtext(f"{way}nextnode"), at + way[0].upper()
        assert ended == ANSWERS.get(answer, "0T"), answer


def test_words_are_none_of_maximas():
    symbols = {"#N": "N", "a": "N", "b": "e", "c": "λ", "d": "lambda", "f": "W₁", "g": "∂L/∂W1", "h": "ŷ'"}
    found = words(symbols)
    assert found["#N"] == "N"
    assert found["f"] == "W1"
    assert found["g"] == "dLdW1"
    assert len({*found.values()}) == len(symbols)
    assert not {"e", "lambda", "i"} & {*found.values()}
    assert all(re.fullmatch(r"[A-Za-z][A-Za-z0-9]*", word) for word in found.values())


@pytest.mark.slow
def test_refused():
    """What has more than two axes, or steps, has no matrices of its own in Maxima."""
    with pytest.raises(UsageError, match="STACK"):
        bp.derive(bp.gallery.find("char_rnn").load().net).exercise("stack")
