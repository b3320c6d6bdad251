"""What comes from other tools and goes to them: safetensors, ONNX, PyTorch's state_dict.

Enters: networks, arrays by name, files. Leaves: files, arrays by name. Must not know: commands.

Each format is read and written by the library made for it, which an extra brings.
"""

from symbp.interchange.state_dict import from_state_dict, to_state_dict
from symbp.interchange.torch_files import load_state_dict, save_state_dict
from symbp.interchange.weights import (
    Weights,
    load_npz,
    load_safetensors,
    load_weights,
    save_npz,
    save_safetensors,
    save_weights,
)

__all__ = [
    "Weights",
    "from_state_dict",
    "load_npz",
    "load_safetensors",
    "load_state_dict",
    "load_weights",
    "save_npz",
    "save_safetensors",
    "save_state_dict",
    "save_weights",
    "to_state_dict",
]
