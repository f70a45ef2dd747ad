"""An embedding that was trained elsewhere: CLAP by its name on a model hub or a local folder, PANNs by its file."""

from pathlib import Path
from typing import Any

import numpy as np
import soxr
import torch
from numpy.typing import NDArray

from bowerbird.errors import BowerbirdError, UsageError
from bowerbird.evaluation import panns
from bowerbird.evaluation.fidelity import frechet, kad
from bowerbird.seeds import numpy_random

__all__ = ["Pretrained"]

AT_ONCE = 16

Sounds = NDArray[np.float32]


class Pretrained:
    """Embeds sounds (B, C, T) -> (B, E)."""

    def __init__(self, name: str, rate_hz: int) -> None:
        """`name` is a hub id such as laion/clap-htsat-unfused or a folder with a CLAP audio model (Wu et al. 2023) of the
        `transformers` library, or a file of PANNs' weights; UsageError where that library is missing.
        """
        self.rate_hz = rate_hz
        self.listen: Any = _Panns(Path(name)) if Path(name).suffix == ".pth" else _Clap(name)

    def __call__(self, sounds: Sounds) -> NDArray[np.float32]:
        """Sounds (B, C, T) at `rate_hz` -> embeddings (B, E)."""
        parts = []
        for start in range(0, len(sounds), AT_ONCE):
            mono = [soxr.resample(s.mean(0), self.rate_hz, self.listen.rate_hz) for s in sounds[start : start + AT_ONCE]]
            with torch.inference_mode():
                parts.append(self.listen(mono).numpy())
        return np.concatenate(parts).astype(np.float32)

    def scores(self, real: Sounds, made: Sounds) -> dict[str, float]:
        """Distances `pretrained/…` of generated sounds (B, C, T) from real ones, beside those of two halves of these."""
        a, b = self(real), self(made)
        order = numpy_random(0, "halves").permutation(len(a))
        one, other = a[order[: len(a) // 2]], a[order[len(a) // 2 :]]
        value, low, high = kad(a, b)
        return {
            "pretrained/kad": value,
            "pretrained/kad_low": low,
            "pretrained/kad_high": high,
            "pretrained/kad_floor": kad(one, other, draws=0)[0],
            "pretrained/frechet": frechet(a, b),
            "pretrained/frechet_floor": frechet(one, other),
        }


class _Clap:
    def __init__(self, name: str) -> None:
        try:
            from transformers import ClapAudioModelWithProjection, ClapFeatureExtractor
        except ImportError:
            raise UsageError('--embedding needs another library: pip install "bowerbird[clap]"') from None
        try:
            self.extract: Any = ClapFeatureExtractor.from_pretrained(name)
            self.model: Any = ClapAudioModelWithProjection.from_pretrained(name).eval()
        except (OSError, ValueError) as error:
            raise BowerbirdError(
                f"no CLAP model at {name}: {str(error).splitlines()[0]}; give a hub id or a folder with one"
            ) from None
        self.rate_hz = int(self.extract.sampling_rate)

    def __call__(self, sounds: list[Sounds]) -> torch.Tensor:
        inputs = self.extract(sounds, sampling_rate=self.rate_hz, return_tensors="pt")
        embedded: torch.Tensor = self.model(**inputs).audio_embeds
        return embedded


class _Panns:
    rate_hz = panns.RATE_HZ

    def __init__(self, path: Path) -> None:
        self.network = panns.Cnn14.load(path)

    def __call__(self, sounds: list[Sounds]) -> torch.Tensor:
        embedded: torch.Tensor = self.network(torch.from_numpy(np.stack(sounds)))
        return embedded
