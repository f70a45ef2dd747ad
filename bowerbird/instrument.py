"""The instrument: what training leaves and everybody plays. Loads without anything of training being named."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from operator import index
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from bowerbird.conditions.category import Category
from bowerbird.conditions.text import Text
from bowerbird.config import ModelConfig, model_from_json, to_json
from bowerbird.errors import BowerbirdError, UsageError, known
from bowerbird.instrument_file import fingerprint, read_tensors, write_tensors
from bowerbird.interrupts import in_threads
from bowerbird.latent.basis import PREFIX, Basis, basis_of, tensors_of_basis
from bowerbird.machine import choose_device, has_fast_bfloat16
from bowerbird.networks import NETWORKS
from bowerbird.networks.interface import Generator
from bowerbird.networks.mixture import Mixture
from bowerbird.networks.steering import Reduction
from bowerbird.seeds import latents, numpy_random

__all__ = ["INSTRUMENT_NAME", "LOUDEST", "Instrument", "family_of", "generator_of", "load", "tensors_of"]

INSTRUMENT_NAME = "instrument.safetensors"
LOUDEST = 0.98  # of full scale: a low kick stays at its peak for several samples and would look clipped
IN_FLIGHT = 8  # sounds drawn and not played yet
DECODER = "decoder."  # before the names of a decoder's weights
CAPTIONS = "captions."  # before the name of a text condition: the vectors of the data's captions
Asked = str | Mapping[str, "str | float | Iterable[str] | None"] | None


def family_of(model: ModelConfig) -> Any:
    """The network family that a model's options belong to."""
    return next(family for family in NETWORKS.values() if family.options is type(model.network))


def generator_of(model: ModelConfig) -> Generator:
    """A fresh generator; UsageError where the network cannot draw such pictures."""
    steering = model.steering

    def build() -> Generator:
        return family_of(model).generator(model.representation.shape, model.code_width, model.network)

    many = steering.generators > 1
    generator = Mixture(build, steering.generators, model.code_width, shared=steering.shared) if many else build()
    if model.conditions and model.steering.reduction:
        generator.reduction = Reduction(model.condition_width, model.steering)
    return generator


def tensors_of(model: ModelConfig, generator: nn.Module) -> dict[str, Tensor]:
    """What an instrument is made from: the weights of the generator, those of the representation's decoder if it has one,
    and the vectors of captions that come in the data, for which no encoder is needed then."""
    decoder = model.representation.decoder
    learnt = decoder.state_dict() if decoder is not None else {}
    vectors = {
        CAPTIONS + text.name: torch.from_numpy(np.stack([text.vectors[caption] for caption in model.captions(text)]))
        for text in model.conditions
        if isinstance(text, Text) and text.vectors and model.captions(text)
    }
    return {**generator.state_dict(), **{DECODER + name: tensor for name, tensor in learnt.items()}, **vectors}


def _written(label: Any) -> str:
    """As people write it: 62.5 -> "62.5", {"dark", "bright"} -> "bright,dark"."""
    if isinstance(label, str):
        return label
    if isinstance(label, (int, np.integer)) and not isinstance(label, bool):
        return str(int(label))
    if isinstance(label, (float, np.floating)):
        return f"{label:g}"
    if isinstance(label, (list, tuple, set, frozenset)) and all(isinstance(one, str) for one in label):
        return ",".join(sorted(label))
    raise UsageError(f"{label!r} is no label; give a text, a number, or a list of tags")


class Instrument:
    """A generator with its representation and conditions.

    `provenance` says what it was trained on and how long; `fingerprint` changes with any weight. `directions` are what was
    found of its layers, by layer.
    """

    def __init__(
        self,
        model: ModelConfig,
        tensors: dict[str, Tensor],
        provenance: dict[str, Any],
        device: str,
        described: dict[str, Any] | None = None,
    ) -> None:
        """`described` is the model as a file tells it, which may lack what later versions know of."""
        self.model, self.provenance, self.described = model, provenance, described or to_json(model)
        self.directions: dict[str, Basis] = {}
        self.fingerprint = fingerprint(tensors, self.described)
        learnt = {name.removeprefix(DECODER): tensor for name, tensor in tensors.items() if name.startswith(DECODER)}
        for text in model.conditions:
            if isinstance(text, Text) and CAPTIONS + text.name in tensors:
                text.vectors.update(zip(model.captions(text), tensors[CAPTIONS + text.name].numpy(), strict=True))
        tensors = {name: tensor for name, tensor in tensors.items() if not name.startswith((DECODER, CAPTIONS))}
        decoder = model.representation.decoder
        self.device = choose_device(device)
        self.generator = generator_of(model)
        try:
            if decoder is not None:
                decoder.load_state_dict(learnt)
            self.generator.load_state_dict(tensors)
        except RuntimeError:
            raise BowerbirdError(
                "its weights are not those of its description; copy it again, or train it again with this version"
            ) from None
        self.generator.eval().requires_grad_(False)
        self.generator.to(device=self.device, memory_format=torch.channels_last)  # type: ignore[call-overload]
        self._bfloat16 = has_fast_bfloat16(self.device)

    @property
    def sample_rate(self) -> int:
        """In Hz."""
        return self.model.representation.sample_rate_hz

    @property
    def labels(self) -> dict[str, tuple[str, ...]]:
        """Every label that can be asked for, by condition."""
        return {condition.name: condition.nodes for condition in self.model.conditions}

    def choose(self, asked: dict[str, str] | None = None, *, seed: int = 0) -> dict[str, str]:
        """A full set of labels: what is asked, the rest (and subclasses) as often as it comes with that in the data."""
        asked = asked or {}
        conditions = {condition.name: condition for condition in self.model.conditions}
        for name in asked:
            if name not in conditions:
                raise UsageError(f'this instrument has no label "{name}"; {known(conditions)}')
        wanted = {name: conditions[name].parse(label) for name, label in asked.items()}
        return self.model.joint.draw(numpy_random(seed, "label"), self.model.conditions, wanted)

    def remarks(self, asked: dict[str, str]) -> list[str]:
        """Sentences for a person on what is asked, such as words that it never heard."""
        conditions = [condition for condition in self.model.conditions if condition.name in asked]
        wanted = {condition.name: condition.parse(asked[condition.name]) for condition in conditions}
        said = [condition.remark(wanted[condition.name]) for condition in conditions]
        if self.model.joint.lacks(self.model.conditions, wanted):
            together = ", ".join(f"{name} {value}" for name, value in wanted.items())
            said.append(f"no sound that it learnt from is all of {together}; it mixes what it knows of each")
        return list(filter(None, said))

    def makers(self, asked: Sequence[dict[str, str]]) -> list[list[float]]:
        """How likely each of several generators makes what is asked; with one there is one number for each."""
        if not isinstance(self.generator, Mixture):
            return [[1.0] for _ in asked]
        with torch.inference_mode():
            return self.generator.shares(self.generator.code(self.model.encode(list(asked)).to(self.device))).tolist()

    def pictures(self, labels: Sequence[dict[str, str]], z: Tensor) -> Tensor:
        """Full labels and latents (B, Z) -> pictures (B, C, F, L) in [-1, 1], float32 on the CPU."""
        return self.draw(self.model.encode(list(labels)), z)

    def draw(self, condition: Tensor, z: Tensor) -> Tensor:
        """The same of encoded labels (B, N)."""
        with torch.inference_mode(), torch.autocast(self.device.type, torch.bfloat16, enabled=self._bfloat16):
            return self.generator(z.to(self.device), self.generator.code(condition.to(self.device))).float().cpu()

    def play(self, labels: Sequence[dict[str, str]], seeds: Sequence[int]) -> Iterator[tuple[NDArray[Any], NDArray[Any]]]:
        """Sound (C, T) and log levels (C, F, L) for each seed and full set of labels, in order.

        Drawn one by one: each then depends on its own seed and labels alone, to the last bit.
        """
        z_dim = self.model.network.z_dim
        return self.heard(self.pictures([one], latents([seed], z_dim)) for one, seed in zip(labels, seeds, strict=True))

    def heard(self, pictures: Iterable[Tensor]) -> Iterator[tuple[NDArray[np.float32], NDArray[np.float32]]]:
        """Pictures (1, K, F, L) -> sound (C, T) and log levels (C, F, L) of each.

        A core for each of them: its spectrum stays in the processor's cache through all iterations of the inversion.
        """

        def hear(picture: Tensor) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
            torch.set_num_threads(1)  # of this thread
            with torch.inference_mode():
                sound = self.model.representation.decode(picture)
                levels = self.model.representation.levels(picture)
            # The few sounds louder than LOUDEST are turned down as a whole.
            return (sound[0] * (LOUDEST / sound.abs().max().clamp_min(LOUDEST))).numpy(), levels[0].numpy()

        threads = torch.get_num_threads()
        torch.set_num_threads(1)  # drawing goes on beside them, and more threads than cores wait for each other
        try:
            yield from in_threads(hear, pictures, IN_FLIGHT)
        finally:
            torch.set_num_threads(threads)

    def sample(self, n: int = 1, *, label: Asked = None, seed: int = 0) -> NDArray[np.float32]:
        """`n` new sounds, float32 (n, channels, samples); sound k comes from seed + k.

        `label` is a text, a class, or a dict {condition: label} in which a pitch may be a number and tags a list;
        UsageError lists the known ones.
        """
        try:
            n = index(n)
        except TypeError:
            raise UsageError(f"cannot make {n!r} sounds; give a whole number") from None
        if n < 1:
            raise UsageError(f"cannot make {n} sounds; ask for at least 1")
        asked = self.asked(label)
        seeds = [seed + k for k in range(n)]
        labels = [self.choose(asked, seed=one) for one in seeds]
        return np.stack([sound for sound, _ in self.play(labels, seeds)])

    def asked(self, label: Asked) -> dict[str, str]:
        """Labels as they are written, by condition. One alone that is a class belongs there, another to the text condition
        or, where there is none, to the first."""
        if label is None:
            return {}
        if isinstance(label, Mapping):
            return {name: _written(value) for name, value in label.items() if value is not None}
        conditions, written = self.model.conditions, _written(label)
        if not conditions:
            raise UsageError("this instrument was trained without labels; ask without one")
        texts = [condition for condition in conditions if isinstance(condition, Text)]
        classes = [condition for condition in conditions if isinstance(condition, Category) and condition.has(written)]
        return {(*classes, *texts, *conditions)[0].name: written}

    def save(self, path: Path) -> None:
        """Writes the instrument file."""
        tensors, directions = tensors_of(self.model, self.generator), {}
        for stage, basis in self.directions.items():
            found, directions[stage] = tensors_of_basis(basis)
            tensors |= found
        header = {
            "what": "instrument",
            "model": self.described,
            "provenance": self.provenance,
            "fingerprint": self.fingerprint,
            "directions": directions,
        }
        write_tensors(path, tensors, header)


def load(name: str | Path, device: str = "cpu") -> Instrument:
    """The instrument in a file or in a run's folder."""
    path = Path(name)
    if path.is_dir():
        if not (path / INSTRUMENT_NAME).exists():
            raise UsageError(f"there is no instrument in the folder {path}; train one with `bowerbird train`")
        path = path / INSTRUMENT_NAME
    choose_device(device)  # a wrong name is the caller's mistake, not the file's
    tensors, header = read_tensors(path)
    found = {name: tensors.pop(name) for name in list(tensors) if name.startswith(PREFIX)}
    try:
        instrument = Instrument(model_from_json(header["model"]), tensors, header["provenance"], device, header["model"])
        if instrument.fingerprint != header.get("fingerprint"):
            raise BowerbirdError("it was changed after it was written (fingerprint differs); copy it again")
        for stage, values in header.get("directions", {}).items():
            instrument.directions[stage] = basis_of(stage, found, values)
    except (KeyError, TypeError) as error:
        raise BowerbirdError(f"{path} is a damaged instrument (no {error} in it); copy it again") from None
    except BowerbirdError as error:
        raise BowerbirdError(f"{path}: {error}") from None
    return instrument
