"""The gallery: every file declares what its entry says, and is short enough to copy."""

import ast

import pytest

import symbp as bp
from symbp.errors import UsageError
from symbp.gallery import GALLERY, find
from symbp.ir.system import Role
from symbp.ir.validate import validate


@pytest.mark.few(fast=8)
@pytest.mark.parametrize("entry", GALLERY.values(), ids=lambda entry: entry.name)
def test_an_entry(entry):
    exhibit = entry.load()
    assert exhibit.net.name == exhibit.name == entry.name
    validate(exhibit.net.system)
    if entry.data is None:
        assert (exhibit.epochs, exhibit.batch_size, exhibit.optimizer, exhibit.data) == (None,) * 4
        assert len(exhibit.net.system.equations) <= 24
    else:
        assert exhibit.epochs > 0
        assert exhibit.batch_size > 0
        assert exhibit.optimizer.hyper["lr"] > 0
        assert exhibit.data is getattr(bp.data, entry.data)
        read = {t.name for t in exhibit.net.system.with_role(Role.INPUT, Role.TARGET)}
        assert read <= set(exhibit.data())
    assert set(exhibit.net.initial) == {t.name for t in exhibit.net.system.parameters}
    text = entry.file.read_text(encoding="utf-8")
    assert len(text.splitlines()) < 60
    assert ast.get_docstring(ast.parse(text))
    assert entry.shows


@pytest.mark.parametrize("entry", GALLERY.values(), ids=lambda entry: entry.name)
def test_a_file_imports_only_what_a_user_would(entry):
    tree = ast.parse(entry.file.read_text(encoding="utf-8"))
    imported = [a.name for node in ast.walk(tree) if isinstance(node, ast.Import) for a in node.names]
    assert imported == ["symbp"]
    assert not [node for node in ast.walk(tree) if isinstance(node, ast.ImportFrom)]


def test_the_perceptron_fits_the_digits():
    net = find("mlp").load().net
    assert net.system.bound == {"D": 64, "H": 64, "K": 10}
    assert [t.name for t in net.system.leaves] == ["x", "y", "W1", "b1", "W2", "b2"]


def test_an_unknown_name():
    with pytest.raises(UsageError, match="the gallery has no 'cobra'") as error:
        find("cobra")
    assert "mlp" in str(error.value)
