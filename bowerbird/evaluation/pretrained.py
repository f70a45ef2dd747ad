"""An embedding that was trained elsewhere, by its name on a model hub or a local folder: CLAP."""

from typing import Any

import numpy as np
import soxr
import torch
from numpy.typing import NDArray

from bowerbird.errors import BowerbirdError, UsageError

__all__ = ["Pretrained"]

AT_ONCE = 16

Sounds = NDArray[np.float32]


class Pretrained:
    """Embeds sounds (B, C, T) -> (B, E) with a CLAP audio model (Wu et al. 2023) of the `transformers` library."""

    def __init__(self, name: str, rate_hz: int) -> None:
        """`name` is a hub id such as laion/clap-htsat-unfused or a folder; UsageError where the library is missing."""
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
        self.rate_hz = rate_hz

    def __call__(self, sounds: Sounds) -> NDArray[np.float32]:
        """Sounds (B, C, T) at `rate_hz` -> embeddings (B, E)."""
        parts = []
        for start in range(0, len(sounds), AT_ONCE):
            mono = [
                soxr.resample(s.mean(0), self.rate_hz, self.extract.sampling_rate) for s in sounds[start : start + AT_ONCE]
            ]
            inputs = self.extract(mono, sampling_rate=self.extract.sampling_rate, return_tensors="pt")
            with torch.inference_mode():
                parts.append(self.model(**inputs).audio_embeds.numpy())
        return np.concatenate(parts).astype(np.float32)
