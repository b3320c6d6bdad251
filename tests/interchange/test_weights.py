"""Parameters as files: what goes out comes back, and what is damaged is refused in words."""

import json

import numpy as np
import pytest

import symbp as bp
from symbp.cli.main import main
from symbp.errors import DataError

pytest.importorskip("safetensors", reason="safetensors isn't installed")
interchange = bp.interchange


@pytest.fixture
def params():
    made = np.random.default_rng(0)
    return {"W1": made.normal(size=(3, 4)), "b1": made.normal(size=4).astype("float32"), "s": np.array(2.0)}


def test_what_goes_out_comes_back(tmp_path, params):
    views = {**params, "V": params["W1"].T, "R": params["W1"][::2]}
    path = interchange.save_safetensors(views, tmp_path / "p.safetensors", buffers={"n": np.arange(3)})
    found = interchange.load_safetensors(path)
    assert list(found.buffers) == ["n"]
    for name, array in {**views, "n": np.arange(3)}.items():
        back = found.buffers[name] if name == "n" else found.params[name]
        assert back.dtype == array.dtype
        np.testing.assert_array_equal(back, array)


def test_other_readers_read_it(tmp_path, params):
    torch = pytest.importorskip("safetensors.torch", reason="PyTorch isn't installed")
    path = interchange.save_safetensors({"V": params["W1"].T}, tmp_path / "p.safetensors")
    np.testing.assert_array_equal(torch.load_file(path)["V"].numpy(), params["W1"].T)


def test_the_command_converts_both_ways(tmp_path, params, capsys):
    source, between, back = (str(tmp_path / n) for n in ("a.npz", "b.safetensors", "c.npz"))
    kept = {f"params.{n}": a for n, a in params.items()}
    np.savez(
        source,
        **kept,
        **{
            "buffers.m": np.ones(2),
            "moments.m.W1": np.ones(3),
            "step": np.int64(3),
            "columns": np.array("äöü"),
        },
    )
    assert main(["convert", source, "-o", between]) == 0
    assert "step" in capsys.readouterr().err
    assert main(["convert", between, "-o", back]) == 0
    with np.load(back) as found:
        assert set(found.files) == {*kept, "buffers.m", "columns"}
        assert str(found["columns"]) == "äöü"
        np.testing.assert_array_equal(found["params.W1"], params["W1"])
    assert main(["convert", source, "-o", between]) == 2
    assert "exists already" in capsys.readouterr().err


def hostile(whole):
    """Damaged and lying files: (what, content)."""
    size = int.from_bytes(whole[:8], "little")
    yield "empty", b""
    yield "a length alone", whole[:8]
    yield "cut off", whole[:-5]
    yield "a header of terabytes", (2**44).to_bytes(8, "little") + whole[8:]
    yield "a header that isn't JSON", whole[:8] + b"x" * size + whole[8 + size :]
    for what, entry in {
        "a shape of terabytes": {"dtype": "F64", "shape": [2**20, 2**20], "data_offsets": [0, 8]},
        "offsets beyond the end": {"dtype": "F64", "shape": [1], "data_offsets": [0, 2**40]},
        "negative lengths": {"dtype": "F64", "shape": [-1], "data_offsets": [0, 8]},
        "an unknown type": {"dtype": "PICKLE", "shape": [1], "data_offsets": [0, 8]},
    }.items():
        header = json.dumps({"a": entry}).encode()
        yield what, len(header).to_bytes(8, "little") + header + b"\0" * 8
    entry = {"dtype": "F64", "shape": [1], "data_offsets": [0, 8]}
    header = json.dumps({"__metadata__": {"symbp.buffers": '["b"]'}, "a": entry}).encode()
    yield "buffers that aren't there", len(header).to_bytes(8, "little") + header + b"\0" * 8


def test_damaged_files_are_refused_in_words(tmp_path, params, capsys):
    whole = interchange.save_safetensors(params, tmp_path / "p.safetensors").read_bytes()
    made = np.random.default_rng(1)
    damaged = list(hostile(whole))
    damaged += [(f"cut at {n}", whole[:n]) for n in made.integers(1, len(whole) - 1, 20)]
    path, out = tmp_path / "damaged.safetensors", tmp_path / "out.npz"
    for what, content in damaged:
        path.write_bytes(content)
        with pytest.raises(DataError):
            interchange.load_safetensors(path)
        assert main(["convert", str(path), "-o", str(out)]) == 2, what
        told = capsys.readouterr().err
        assert str(path) in told
        assert "Traceback" not in told
        assert not out.exists()


def test_damaged_archives_are_refused_in_words(tmp_path, params):
    path = tmp_path / "p.npz"
    interchange.save_npz(interchange.Weights(params), path)
    whole = path.read_bytes()
    for content in (b"", b"PK", whole[:100], whole[:-30], b"\x80\x04K\x01."):
        path.write_bytes(content)
        with pytest.raises(DataError):
            interchange.load_npz(path)
    np.savez(path, a=np.array([{}], dtype=object))
    with pytest.raises(DataError):
        interchange.load_npz(path)


def test_what_holds_no_numbers_is_refused(tmp_path):
    with pytest.raises(DataError, match="W1 is no array of real numbers"):
        interchange.save_safetensors({"W1": np.array(["a"])}, tmp_path / "p.safetensors")
    assert not list(tmp_path.iterdir())
