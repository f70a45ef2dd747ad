"""Sentence encoders that know meaning: any sentence-transformers model, by hub id or local folder."""

import hashlib
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from bowerbird.encoders.interface import Encoder
from bowerbird.errors import BowerbirdError, UsageError

__all__ = ["Sentences"]


class Sentences(Encoder):
    """Reimers & Gurevych 2019. `all-MiniLM-L6-v2` is small and good."""

    def __init__(self, source: str) -> None:
        try:
            import torch
            from sentence_transformers import SentenceTransformer
            from transformers.utils import logging
        except ImportError:
            raise UsageError('sentence encoders are an extra: pip install "bowerbird[text]"') from None
        logging.disable_progress_bar()
        try:
            self.model = SentenceTransformer(source, device="cpu", model_kwargs={"use_safetensors": True})
        except (OSError, ValueError, RuntimeError) as error:
            raise BowerbirdError(
                f'no sentence encoder "{source}" ({str(error).partition(chr(10))[0]}); give a hub id or a local folder, '
                "for what learnt with one that is elsewhere now by BOWERBIRD_ENCODER=sentence:FOLDER"
            ) from None
        self.width = int(self(["a"]).shape[1])
        digest = hashlib.sha256()
        for name, tensor in sorted(self.model.state_dict().items()):
            digest.update(name.encode())
            digest.update(tensor.contiguous().reshape(-1).view(torch.uint8).numpy().tobytes())
        self.fingerprint = digest.hexdigest()[:16]

    def __call__(self, texts: Sequence[str]) -> NDArray[np.float32]:
        found = self.model.encode(list(texts), normalize_embeddings=True, show_progress_bar=False)
        return np.asarray(found, np.float32)
