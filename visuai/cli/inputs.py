"""Reads ``--input`` texts into tensors: ``1x3x224x224``, ``ids=1x128:int64``."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

from visuai.errors import InputError

if TYPE_CHECKING:
    import torch

_SHAPE = r"scalar|\d+(?:[x,]\d+)*"
_FORM = re.compile(
    rf"(?:(?P<name>[^\W\d]\w*)=)?"
    rf"(?:(?P<shape>{_SHAPE})|\[(?P<list>(?:{_SHAPE})(?:\+(?:{_SHAPE}))*)\])"
    rf"(?::(?P<dtype>\w+))?"
)


class InputText(NamedTuple):
    """One ``--input``, read.

    Attributes:
        name: Keyword that it is passed as; None if positional.
        shape: Shape of the tensor, ``()`` for ``scalar``; a list of shapes for a list of tensors.
        dtype: Name of a dtype of torch.
    """

    name: str | None
    shape: tuple[int, ...] | list[tuple[int, ...]]
    dtype: str


def read_input(text: str) -> InputText:
    """Reads one ``--input``.

    Raises:
        InputError: If the text has another form.

    Examples:
        >>> read_input("1x3x224x224")
        InputText(name=None, shape=(1, 3, 224, 224), dtype='float32')
        >>> read_input("ids=1x128:int64")
        InputText(name='ids', shape=(1, 128), dtype='int64')
        >>> read_input("[3x224x224+3x300x200]")
        InputText(name=None, shape=[(3, 224, 224), (3, 300, 200)], dtype='float32')
    """
    match = _FORM.fullmatch(text.strip())
    if match is None:
        raise InputError(
            f"Cannot read --input {text!r}; expected [name=]1x3x224x224[:dtype], such as "
            "1x3x224x224, 1x128:int64, mask=1x128:bool, scalar, or [3x224x224+3x300x200] for a "
            "list of tensors."
        )
    if match["list"]:
        shape = [_sizes(each) for each in match["list"].split("+")]
    else:
        shape = _sizes(match["shape"])
    return InputText(match["name"], shape, match["dtype"] or "float32")


def _sizes(text: str) -> tuple[int, ...]:
    return () if text == "scalar" else tuple(map(int, re.split("[x,]", text)))


def make_inputs(texts: Sequence[str]) -> tuple[tuple[Any, ...] | None, dict[str, Any] | None]:
    """Makes the tensors that the ``--input`` texts describe, filled with zeros.

    Zeros, because they are a legal index into any table.

    Returns:
        Positional arguments and keyword arguments; both None if there is no text.

    Raises:
        InputError: If a text cannot be read, a dtype is unknown, or a name occurs twice.
    """
    if not texts:
        return None, None
    import torch

    args: list[Any] = []
    kwargs: dict[str, Any] = {}
    for each in map(read_input, texts):
        dtype = _dtype(each.dtype)
        if isinstance(each.shape, list):
            value: Any = [torch.zeros(shape, dtype=dtype) for shape in each.shape]
        else:
            value = torch.zeros(each.shape, dtype=dtype)
        if each.name is None:
            args.append(value)
        elif each.name in kwargs:
            raise InputError(f"--input {each.name} is given twice.")
        else:
            kwargs[each.name] = value
    return tuple(args), kwargs


def _dtype(name: str) -> torch.dtype:
    import torch

    dtype = getattr(torch, name, None)
    if not isinstance(dtype, torch.dtype):
        raise InputError(
            f"torch has no dtype {name!r}; known are float32, float16, bfloat16, int64, int32, "
            "uint8, bool, complex64 and more."
        )
    return dtype
