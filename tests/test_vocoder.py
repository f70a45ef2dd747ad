"""The learnt decoder: it learns, it travels with the instrument, and a run learns it once."""

from pathlib import Path

import numpy as np
import pytest
import torch

from bowerbird.config import ModelConfig, TrainConfig
from bowerbird.data.dataset import Dataset
from bowerbird.errors import BowerbirdError
from bowerbird.instrument import DECODER, Instrument, load
from bowerbird.instrument_file import read_tensors
from bowerbird.presets import configure
from bowerbird.training.loop import train
from bowerbird.training.vocoder import learn
from tests.conftest import TINY


def settings(dataset: Dataset, *more: str) -> tuple[ModelConfig, TrainConfig]:
    small = ["representation=vocoded", "representation.width=16", "representation.depth=1", "examples=64", "checks=0"]
    return configure(dataset, "quick", None, [*TINY, *small, *more])[:2]


def lost_db(representation: object, sounds: torch.Tensor) -> float:
    """Spectral convergence of sounds encoded and decoded, in dB."""
    again = representation.decode(representation.encode(sounds))  # type: ignore[attr-defined]
    a, b = (torch.stft(x[:, 0], 256, 64, window=torch.hann_window(256), return_complex=True).abs() for x in (sounds, again))
    return float(20 * torch.log10((a - b).norm() / a.norm()))


@pytest.mark.slow
def test_learning_brings_decoded_sounds_nearer(dataset: Dataset) -> None:
    form = settings(dataset, "representation.lessons=60")[0].representation
    sounds = torch.from_numpy(dataset.padded(dataset.part("train")))
    before = lost_db(form, sounds)
    learn(form, dataset, 0, quiet=True)  # type: ignore[arg-type]
    again = settings(dataset, "representation.lessons=60")[0].representation
    learn(again, dataset, 0, quiet=True)  # type: ignore[arg-type]
    assert torch.equal(form.decode(form.encode(sounds)), again.decode(again.encode(sounds))), "not a function of the seed"
    assert lost_db(form, sounds) < before - 1.0
    assert form.decode(torch.full((1, *form.shape), -1.0)).abs().max() < 1e-6  # rounding of the floor


def test_the_decoder_travels_with_the_instrument_and_is_learnt_once(dataset: Dataset, tmp_path: Path) -> None:
    model, config = settings(dataset, "representation.lessons=3")
    train(dataset, tmp_path / "run", model, config, "cpu", quiet=True)
    made = load(tmp_path / "run").sample(2, seed=5)
    kept = (tmp_path / "run" / "decoder.safetensors").read_bytes()
    tensors, header = read_tensors(tmp_path / "run" / "instrument.safetensors")
    assert any(name.startswith(DECODER) for name in tensors)
    model, config = settings(dataset, "representation.lessons=3", "examples=128")
    train(dataset, tmp_path / "run", model, config, "cpu", quiet=True)
    assert (tmp_path / "run" / "decoder.safetensors").read_bytes() == kept
    assert np.isfinite(made).all()
    turned = {name: torch.zeros_like(t) if name.startswith(DECODER) else t for name, t in tensors.items()}
    other = Instrument(settings(dataset)[0], turned, header["provenance"], "cpu").sample(2, seed=5)
    assert not np.allclose(made, other)
    without = {name: tensor for name, tensor in tensors.items() if not name.startswith(DECODER)}
    with pytest.raises(BowerbirdError, match="not those of its description"):
        Instrument(settings(dataset)[0], without, header["provenance"], "cpu")
