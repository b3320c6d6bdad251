"""Tables as modules read them: the same arrays, or the same message, as where commands read them."""

from argparse import Namespace

import numpy as np
import pytest

import symbp as bp
from symbp.cli.data import found_for
from symbp.cli.target import Target
from symbp.errors import DataError


def regression(features=None):
    N, D = bp.dim("N"), bp.dim("D", features)
    x, y, w = bp.input("x", (N, D)), bp.target("y", (N,)), bp.param("w", (D,))
    return bp.Network("line", loss=bp.mse(x @ w, y))


def classifier():
    N, D, K = bp.dim("N"), bp.dim("D"), bp.dim("K", 3)
    x, y, W = bp.input("x", (N, D)), bp.labels("y", (N,), classes=K), bp.param("W", (D, K))
    return bp.Network("classes", loss=bp.cross_entropy(bp.softmax(x @ W), y))


NETS = {"line": regression(), "classes": classifier(), "three": regression(3)}
RED = [[5, 0, 1], [6, 1, 0], [7, 0, 1]]  # size, colour=blue, colour=red
PRICES = [10, 20, 30.5]


def table(name, head="size,colour,price", rows=("5,red,10", "6,blue,20", "7,red,30.5")):
    return name, "\n".join([*([head] if head else []), *rows]) + "\n"


# network, text or bytes, arrays x and y, or a piece of the message
READ = [
    (*table("line"), RED, PRICES),
    (*table("line", head=""), RED, PRICES),
    ("line", "\ufeff" + table("")[1].replace("\n", "\r\n"), RED, PRICES),
    ("line", table("")[1].replace(",", ";"), RED, PRICES),
    ("line", table("")[1].replace(",", " \t "), RED, PRICES),
    (*table("line", head='"the, size","co""l\nour", price '), RED, PRICES),
    (*table("line", rows=('5,"b;c",10', '6,"a;c",20', '7,"b;c",30.5')), RED, PRICES),
    ("line", "blue,5,7\nred,6,8\n", [[1, 0, 5], [0, 1, 6]], [7, 8]),
    ("line", "1,2,3\n4,5,6\n", [[1, 2], [4, 5]], [3, 6]),
    ("line", "a\ta b\n1\t-2.5e1\n.5\t+3.\n", [[1], [0.5]], [-25, 3]),
    ("line", "size,size2,\n1,2,3\n\n4,5,6\n   \n", [[1, 2], [4, 5]], [3, 6]),
    ("classes", "a,kind\n1,rose\n2,iris\n3,rose\n", [[1], [2], [3]], [1, 0, 1]),
    ("classes", "a,kind\nu,rose\nv,iris\nu,rose\n", [[1, 0], [0, 1], [1, 0]], [1, 0, 1]),
    ("classes", "u,rose\nv,iris\nu,rose\n", [[1, 0], [0, 1], [1, 0]], [1, 0, 1]),
    ("classes", "a,b,y\n0.5,1.5,0\n2.5,3.5,2\n", [[0.5, 1.5], [2.5, 3.5]], [0, 2]),
]
REFUSED = [
    ("line", "a,b\n1,2\n,4\n", "line 3, column 'a': no value ('')"),
    ("line", "a,b\n1,2\n3,NA\n", "line 3, column 'b': no value ('NA')"),
    ("line", "a,b\n1,2\n3,nan\n", "no value ('nan')"),
    ("line", "?,2\n3,4\n", "line 1, column 'column 1': no value ('?')"),
    ("line", 'a,"b\nc"\n1,2\n1,2,3\n', "line 4 has 3 fields, line 1 has 2"),
    ("line", "a,b\n1,2\n3\n", "line 3 has 1 field, line 1 has 2"),
    ("line", "when,b\n2024-05-01,2\n2024-06-01,3\n", "column 'when': '2024-05-01' is a date"),
    ("line", "when,b\n3 May 2020,2\n4 May 2020,3\n", "column 'when': '3 May 2020' is a date"),
    ("line", '"1,234";5\n2000;6\n', "'1,234' is no plain number"),
    ("line", "a;b\n1,5;2\n2;3\n", "'1,5' is no plain number"),
    ("line", "a,b\n12 %,1\n9 %,2\n", "'12 %' is no plain number"),
    ("line", "a,b\n1,2\ninf,3\n", "'inf' is not finite"),
    ("line", "a,b\n1,2\n1e999,3\n", "line 3, column 'a': '1e999' is too large"),
    ("line", "a,b\n1,2\n3x,3\n", "column 'a' holds numbers and text: '1' in line 2, '3x' in line 3"),
    ("line", "country,2019\nItaly,2\nFrance,3\n", "the first line may be names or an example"),
    ("line", "y,a,b\n1,2,3\n4,5,6\n", "--target-column y"),
    ("line", "a,a,b\n1,2,3\n", "two columns have the name 'a'"),
    ("line", "a,b\n1,yes\n2,no\n", "column 'b' holds text (no, yes), and y takes numbers"),
    ("line", "a,b\n", "a line of names and no examples"),
    ("line", "", "the table is empty"),
    ("line", "\n \n", "the table is empty"),
    ("line", b"PK\x03\x04\x00\x00", "byte 4 is NUL"),
    ("line", "a,b\n1,2\n".encode("utf-16"), "UTF-16"),
    ("line", b"a,b\n1,\xe9\n", "byte 6 is not UTF-8"),
    ("line", b"\x89\xfa\xce\xff" * 99, "byte 0 is not UTF-8"),
    ("line", 'a,b\n1,"2\n', "line 2: a quote is never closed"),
    ("line", "a,b\n1," + "7" * 200_000 + "\n", "line 2: field larger than field limit"),
    ("line", "n,b\n" + "".join(f"t{k},{k}\n" for k in range(150)), "150 different texts in 150 lines"),
    (
        "three",
        "a,colour,b\n1,red,2\n1,blue,2\n1,red,2\n2,green,3\n",
        "make 4 features, and x takes 3: a, colour=blue, colour=green, colour=red",
    ),
    ("classes", "a,k\n1,u\n2,v\n3,w\n4,z\n", "column 'k' has 4 categories, and y has 3 classes: u, v, w, z"),
    ("classes", "a,k\n1,0\n2,1.5\n", "line 3, column 'k': 1.5 is not an integer"),
]


@pytest.fixture(scope="module")
def modules():
    """A module of each network; sizes that are open are those of the first table."""
    given = {"line": {"D": 3}, "classes": {"D": 1}, "three": {}}
    return {
        name: bp.compile(net, optimizer=bp.optim.SGD(0.1), sizes=given[name], pieces=["tables"])
        for name, net in NETS.items()
    }


def written(folder, content):
    path = folder / "table.csv"
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return path


def told(read, errors):
    """(arrays, None), or (None, the message)."""
    try:
        return read(), None
    except errors as failure:
        return None, failure


def both(modules, name, path, column=None):
    """What the module and the commands make of a table, the sizes of both the same."""
    module = modules[name]
    sizes = {size: module.SIZES[size] for size in ("D", "K") if size in module.SIZES}
    by_module = told(
        lambda: module._read(path, tuple(module.INPUTS), None, Namespace(target_column=column))[0],
        module.DataError,
    )
    by_command = told(lambda: found_for(Target(NETS[name]), str(path), None, sizes, column).data, DataError)
    if by_module[1] is not None or by_command[1] is not None:
        assert str(by_module[1]) == f"{path}: {by_command[1].what}"
        return by_command[1].what
    for tensor in by_command[0]:
        np.testing.assert_array_equal(by_module[0][tensor], by_command[0][tensor])
        assert by_module[0][tensor].dtype == by_command[0][tensor].dtype
    return by_command[0]


@pytest.mark.few(fast=5)
@pytest.mark.parametrize(("name", "content", "x", "y"), READ)
def test_tables_that_are_read(modules, tmp_path, monkeypatch, name, content, x, y):
    monkeypatch.setitem(modules[name].SIZES, "D", len(x[0]))
    found = both(modules, name, written(tmp_path, content))
    np.testing.assert_array_equal(found["x"], x)
    np.testing.assert_array_equal(found["y"], y)
    assert found["y"].dtype == (np.int64 if name == "classes" else np.float64)


@pytest.mark.parametrize(("name", "content", "message"), REFUSED)
def test_tables_that_are_refused(modules, tmp_path, name, content, message):
    assert message in both(modules, name, written(tmp_path, content))


def test_a_target_by_its_name(modules, tmp_path):
    path = written(tmp_path, "price,size,colour\n10,5,red\n20,6,blue\n")
    found = both(modules, "line", path, "price")
    np.testing.assert_array_equal(found["x"], [[5, 0, 1], [6, 1, 0]])
    np.testing.assert_array_equal(found["y"], [10, 20])
    assert "no column 'prize'; did you mean 'price'?" in both(modules, "line", path, "prize")
    path = written(tmp_path, "10,5,red\n20,6,blue\n30,6,blue\n")
    np.testing.assert_array_equal(both(modules, "line", path, "1")["y"], [10, 20, 30])


def test_no_file_and_no_right_to_read(modules, tmp_path):
    (tmp_path / "folder.csv").mkdir()
    for name in ("folder.csv", "missing.csv"):
        assert "the table can't be read" in both(modules, "line", tmp_path / name)


def test_a_table_after_that_of_the_training(modules, tmp_path, capsys):
    module, names = modules["line"], ("x", "y")
    _, columns = module._read(written(tmp_path, READ[0][1]), names)

    def again(text):
        return module._read(written(tmp_path, text), names, columns)[0]

    only_blue = again("id,colour,size\n7,blue,6\n")
    assert list(only_blue) == ["x"]
    np.testing.assert_array_equal(only_blue["x"], [[6, 1, 0]])  # as the training had them
    assert "not read: id" in capsys.readouterr().err


def read(tmp_path, inputs, text):
    """What a network of some inputs reads of a table."""
    loss = sum((tensor.mean() for tensor in inputs if not tensor.integer), bp.param("b", ()))
    net = bp.Network("net", loss=loss * bp.param("w", ()))
    return found_for(Target(net), str(written(tmp_path, text)), None, {}).data


def test_targets_and_inputs_of_other_kinds(tmp_path):
    N, D, K, V = bp.dims("N D K V")
    x = bp.input("x", (N, D))
    found = read(tmp_path, [x, bp.target("y", (N, 1))], "a,b\n1,2\n3,4\n")
    assert found["y"].tolist() == [[2], [4]]
    found = read(tmp_path, [x, bp.target("y", (N, K))], "a,kind\n1,v\n3,u\n")
    assert found["y"].tolist() == [[0, 1], [1, 0]]
    found = read(tmp_path, [x, bp.target("y", (N,), facts=["binary"])], "a,ill\n1,yes\n3,no\n")
    assert found["y"].tolist() == [1, 0]
    found = read(tmp_path, [bp.input("u", (N,)), x, bp.target("y", (N,))], "a,u,b,y\n1,2,3,4\n5,6,7,8\n")
    assert {name: array.tolist() for name, array in found.items()} == {
        "u": [2, 6], "x": [[1, 3], [5, 7]], "y": [4, 8],
    }  # fmt: skip
    assert read(tmp_path, [x], "a,b\n1,2\n3,4\n")["x"].tolist() == [[1, 2], [3, 4]]
    with pytest.raises(DataError, match=r"can't be told into x, z, y"):
        read(tmp_path, [x, bp.input("z", (N, V)), bp.target("y", (N,))], "a,b,c\n1,2,3\n4,5,6\n")
    with pytest.raises(DataError, match="x has 3 axes"):
        read(tmp_path, [bp.input("x", (N, D, K)), bp.target("y", (N,))], "a,b,c\n1,2,3\n4,5,6\n")
