"""Instrument and checkpoint files: safetensors with a JSON header, written whole or not at all, never unpickled."""

import contextlib
import hashlib
import json
import os
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save
from torch import Tensor

from bowerbird.errors import BowerbirdError, UsageError, way_out

__all__ = ["FORMAT", "fingerprint", "read_tensors", "write_tensors", "write_whole"]

FORMAT = 4
READABLE = (3, 4)  # files of format 3 carry no vectors of captions
HEADER = "bowerbird"


def write_whole(path: Path, data: bytes) -> None:
    """Writes `data` beside `path` and renames: a reader sees the old file or the new one, never half of one."""
    partial = path.with_name(f".{path.name}.partial")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with partial.open("wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        partial.replace(path)
    except OSError as error:
        with contextlib.suppress(OSError):
            partial.unlink(missing_ok=True)
        raise BowerbirdError(f"cannot write {path}: {error.strerror or error}; {way_out(error)}") from None


def write_tensors(path: Path, tensors: dict[str, Tensor], header: dict[str, Any]) -> None:
    """Writes named tensors and a JSON header."""
    plain = {name: tensor.detach().cpu().contiguous() for name, tensor in tensors.items()}
    text = json.dumps({"format": FORMAT, **header}, sort_keys=True, allow_nan=False)
    write_whole(path, save(plain, metadata={HEADER: text}))


def read_tensors(path: Path, what: str = "instrument") -> tuple[dict[str, Tensor], dict[str, Any]]:
    """The tensors and the header of a file of ours; errors name `what` was expected."""
    if not path.is_file():
        raise UsageError(f"there is no {what} at {path}")
    try:
        with safe_open(path, framework="pt") as file:
            header = json.loads((file.metadata() or {}).get(HEADER, "null"))
            tensors = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118 (not a mapping)
    except (SafetensorError, OSError, ValueError) as error:
        raise BowerbirdError(f"{path} is not a readable {what}: {error}; it may be cut short or another kind") from None
    if not isinstance(header, dict) or header.get("what") != what:
        found = header.get("what", "something else") if isinstance(header, dict) else "something else"
        raise BowerbirdError(f"{path} holds {found}, not a bowerbird {what}; give one that `bowerbird train` made")
    if header.get("format") not in READABLE:
        older = isinstance(header.get("format"), int) and header["format"] < FORMAT
        way = "train it again with this version" if older else "update bowerbird"
        raise BowerbirdError(f"{path} has format {header.get('format')} and this bowerbird reads format {FORMAT}; {way}")
    return tensors, header


def fingerprint(tensors: dict[str, Tensor], model: dict[str, Any]) -> str:
    """Sixteen hex digits that change with any weight or with the model's description."""
    digest = hashlib.sha256(json.dumps(model, sort_keys=True).encode())
    for name in sorted(tensors):
        digest.update(name.encode())
        digest.update(tensors[name].detach().cpu().contiguous().reshape(-1).view(torch.uint8).numpy().tobytes())
    return digest.hexdigest()[:16]
