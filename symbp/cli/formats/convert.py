"""Converts parameters from one format to another: .npz of a module, safetensors, PyTorch's state_dict.

Enters: a file of parameters, for a state_dict the network that they are of. Leaves: a file in the format of
its ending. Must not know: formats.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from symbp.cli.arguments import Arguments
from symbp.cli.status import FINE
from symbp.errors import UsageError

if TYPE_CHECKING:
    from symbp.interchange import Weights
    from symbp.language import Network

HELP = "trained parameters to and from other formats (.npz, .safetensors, PyTorch's .pt)"
OURS, TORCH = (".npz", ".safetensors"), (".pt", ".pth")
ENDINGS = (*OURS, *TORCH)


def add_arguments(to: Arguments) -> None:
    to.add("params", metavar="FILE", help=f"parameters: {', '.join(ENDINGS)}")
    to.add("-o", "--output", metavar="FILE", required=True, help=f"where to write: {', '.join(ENDINGS)}")
    to.add(
        "--net",
        metavar="NET",
        help="the network whose layers a state_dict's are (gallery name, file.py, file.py:name)",
    )
    to.add(
        "--part",
        action="store_true",
        help="from a state_dict take the layers that fit, and leave out the others, such as another head",
    )
    to.add(
        "--name",
        metavar="TENSOR=KEY",
        type=_pair,
        action="append",
        default=[],
        help="the key of a tensor in the state_dict, where the order of layers doesn't tell (repeatable)",
    )
    to.add("--like", metavar="FILE.pt", help="a state_dict whose keys the one that is written gets")
    to.force()


def _pair(text: str) -> tuple[str, str]:
    """`W3=head.weight` → ("W3", "head.weight")."""
    name, _, key = text.partition("=")
    if not name or not key:
        raise argparse.ArgumentTypeError(f"{text!r} is not TENSOR=KEY, such as W3=head.weight")
    return name, key


def run(args: argparse.Namespace) -> int:
    from symbp.api.files import refuse_to_overwrite
    from symbp.cli.target import load_target
    from symbp.interchange import save_state_dict, save_weights, to_state_dict
    from symbp.interchange.torch_files import load_state_dict

    there, wanted = (_kind(path) for path in (args.params, args.output))
    if args.net is None and (there in TORCH or wanted in TORCH or args.part or args.name or args.like):
        raise UsageError(
            "a state_dict has the layers of a network, and none is named", help="name it: --net NET"
        )
    refuse_to_overwrite(args.output, force=args.force)
    net = load_target(args.net).network if args.net else None
    weights = _read(args, net)
    if wanted in TORCH and net is not None:
        like = load_state_dict(args.like) if args.like else None
        made = to_state_dict(net, weights.params, buffers=weights.buffers, names=dict(args.name), like=like)
        path = save_state_dict(made, args.output, force=args.force)
    else:
        path = save_weights(weights, args.output, force=args.force)
    print(f"wrote {path}: {_said(weights, net)}", file=sys.stderr)
    return FINE


def _kind(path: str) -> str:
    """The ending of a file, which tells its format. Raises UsageError."""
    ending = Path(path).suffix.lower()
    if ending not in ENDINGS:
        raise UsageError(
            "the ending of a file tells its format, and this one isn't known",
            where=path,
            help=f"name it with one of: {', '.join(ENDINGS)}",
        )
    return ending


def _read(args: argparse.Namespace, net: Network | None) -> Weights:
    """The parameters of the file; those of a state_dict, in whichever format, as the network has them."""
    from symbp.interchange import from_state_dict, load_weights
    from symbp.interchange.torch_files import load_state_dict

    if _kind(args.params) in TORCH:
        state = load_state_dict(args.params)
    else:
        weights = load_weights(args.params)
        own = {t.name for t in net.system.leaves} if net is not None else set(weights.params)
        if own & set(weights.params):
            return weights
        state = {**weights.params, **weights.buffers}
    assert net is not None
    return from_state_dict(net, state, names=dict(args.name), part=args.part)


def _said(weights: Weights, net: Network | None) -> str:
    """What was written, what stayed out, what of the network is to start anew."""
    said = f"{len(weights.params)} parameters, {len(weights.buffers)} buffers"
    if weights.left_out:
        ours = all(name.startswith(("moments.", "step", "seed")) for name in weights.left_out)
        names = [name.partition(".")[0] for name in weights.left_out] if ours else weights.left_out
        said += f"; left out: {', '.join(dict.fromkeys(names))}"
    anew = [t.name for t in net.system.parameters if t.name not in weights.params] if net is not None else []
    return said + (f"; not in it: {', '.join(anew)}" if anew else "")
