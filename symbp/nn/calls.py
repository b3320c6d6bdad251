"""What stands where in a call of a layer: arguments that would silently mean something else are refused.

Enters: the arguments of a call. Leaves: nothing, or an error that says what to write.
Must not know: what any layer computes.
"""

from __future__ import annotations

from typing import Any, ClassVar, Self

from symbp.errors import DeclarationError, choose
from symbp.language.naming.frames import here

# What PyTorch and Keras call an argument; nothing for what comes in, whose sizes are known here.
ELSEWHERE = {
    "in_channels": "", "in_features": "", "input_size": "", "num_features": "", "num_channels": "",
    "normalized_shape": "", "embed_dim": "", "d_model": "", "input_dim": "", "input_shape": "",
    "batch_first": "", "out_features": "units", "hidden_size": "units", "out_channels": "channels",
    "filters": "channels", "strides": "stride", "dilation_rate": "dilation", "pool_size": "kernel_size",
    "use_bias": "bias", "num_heads": "heads", "nhead": "heads", "dim_feedforward": "hidden",
    "num_embeddings": "vocabulary", "embedding_dim": "width", "output_dim": "width",
    "elementwise_affine": "affine", "epsilon": "eps", "rate": "p", "key_dim": "head_width",
}  # fmt: skip

# What PyTorch and Keras call a layer that has another name here.
ELSEWHERE_NAMED = {
    "Linear": "Dense(units)", "LazyLinear": "Dense(units)",
    "BatchNormalization": "BatchNorm()", "LayerNormalization": "LayerNorm()",
    **{f"{kind}Pooling{n}D": f"{short}Pool{n}d(kernel_size)"
       for kind, short in (("Max", "Max"), ("Average", "Avg")) for n in (1, 2, 3)},
    **{name: f'Activation("{name.lower()}")'
       for name in ("ReLU", "Tanh", "Sigmoid", "GELU", "SiLU", "ELU", "SELU")},
    "TransformerEncoderLayer": "TransformerEncoderBlock(heads, hidden)",
    "TransformerDecoderLayer": "TransformerDecoderBlock(heads, hidden)",
}  # fmt: skip


class Positional:
    """A layer of whose arguments the first `clear` may be given by their place, the others by name only;
    `torch` says which argument PyTorch has at each place, empty for what isn't asked for here: sizes of what
    comes in are known, so that PyTorch's `Conv2d(1, 8, 3)` would be another layer."""

    clear: ClassVar[int] = 99
    torch: ClassVar[tuple[str, ...]] = ()

    def __new__(cls, *arguments: Any, **named: Any) -> Self:
        fields = [n for n, f in cls.__dataclass_fields__.items() if f.init]  # type: ignore[attr-defined]
        if arguments and (cls._unclear(arguments) or set(fields[: len(arguments)]) & set(named)):
            raise cls._refused(fields, arguments, named)
        for name in named:
            if name not in fields:
                raise cls._strange(fields, name)
        return super().__new__(cls)

    @classmethod
    def _unclear(cls, arguments: tuple[Any, ...]) -> bool:
        return len(arguments) > cls.clear

    @classmethod
    def _refused(
        cls, fields: list[str], arguments: tuple[Any, ...], named: dict[str, Any]
    ) -> DeclarationError:
        meant = {name: value for name, value in zip(cls.torch, arguments, strict=False) if name}
        meant |= {name: value for name, value in named.items() if name in fields}
        ordered = [name for name in fields if name in meant]
        written = ", ".join(
            repr(meant[name]) if fields[place] == name and place < cls.clear else f"{name}={meant[name]!r}"
            for place, name in enumerate(ordered)
        )
        given = [*map(repr, arguments), *(f"{name}={value!r}" for name, value in named.items())]
        own = ", ".join(fields[: cls.clear])
        rest = ", ".join(f"{name}=…" for name in fields[cls.clear :][:4])
        counted = bool(cls.torch) and not any(isinstance(value, str) for value in arguments[1:2])
        return DeclarationError(
            f"{cls.__name__}({', '.join(given)}) isn't clear: sizes of what comes in are known and not given",
            where=here(),
            details=(f"by its place: {own or 'nothing'}; by its name: {rest or 'nothing'}",),
            help=f"if you count as PyTorch does, write {cls.__name__}({written})" if counted else None,
        )

    @classmethod
    def _strange(cls, fields: list[str], name: str) -> DeclarationError:
        here_called = ELSEWHERE.get(name)
        help = choose(name, [f for f in fields if not f.startswith("_")])
        if here_called == "":
            help = "leave it out: it is that of what comes in"
        elif here_called in fields:
            help = f"it is called {here_called} here"
        return DeclarationError(f"{cls.__name__} has no {name!r}", where=here(), help=help)
