"""The network of PANNs that most papers on sound report distances by, for weights of its authors."""

from itertools import pairwise
from pathlib import Path
from pickle import UnpicklingError
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional

from bowerbird.errors import BowerbirdError

__all__ = ["Cnn14"]

RATE_HZ, WINDOW, HOP, MELS = 32000, 1024, 320, 64
LEAST_POWER = 1e-10
WIDTHS = (1, 64, 128, 256, 512, 1024, 2048)
LEAST_SAMPLES = HOP * 2**5  # what five halvings of the frames leave one of


class _Block(nn.Module):
    def __init__(self, inputs: int, outputs: int) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(inputs, outputs, 3, padding=1, bias=False)
        self.conv2 = nn.Conv2d(outputs, outputs, 3, padding=1, bias=False)
        self.bn1, self.bn2 = nn.BatchNorm2d(outputs), nn.BatchNorm2d(outputs)

    def forward(self, x: Tensor) -> Tensor:
        x = functional.relu(self.bn1(self.conv1(x)))
        return functional.relu(self.bn2(self.conv2(x)))


class Cnn14(nn.Module):
    """Sounds (B, T) at RATE_HZ -> embeddings (B, 2048) of CNN14 (Kong et al. 2020, table 1), trained on AudioSet."""

    mels: Tensor  # (WINDOW // 2 + 1, MELS)

    def __init__(self) -> None:
        super().__init__()
        self.register_buffer("mels", torch.zeros(WINDOW // 2 + 1, MELS))
        self.bn0 = nn.BatchNorm2d(MELS)
        for number, (inputs, outputs) in enumerate(pairwise(WIDTHS), 1):
            self.add_module(f"conv_block{number}", _Block(inputs, outputs))
        self.fc1 = nn.Linear(WIDTHS[-1], WIDTHS[-1])

    @classmethod
    def load(cls, path: Path) -> "Cnn14":
        """From a file such as Cnn14_mAP=0.431.pth; BowerbirdError where it is none. Nothing in it is run."""
        # They hold, beside the weights, numpy arrays of how they were trained.
        reconstruct: Any = np.zeros(1).__reduce__()[0]
        scalar: Any = np.float64(0).__reduce__()[0]
        arrays = ("numpy.core.multiarray", "numpy._core.multiarray")
        kinds = {type(np.dtype(code)) for code in np.typecodes["All"]}
        named = [(reconstruct, f"{module}._reconstruct") for module in arrays] + [(scalar, f"{m}.scalar") for m in arrays]
        try:
            with torch.serialization.safe_globals([*named, np.ndarray, np.dtype, *kinds]):
                weights = torch.load(path, map_location="cpu", weights_only=True)["model"]
            weights["mels"] = weights["logmel_extractor.melW"]
            network = cls().eval()
            network.load_state_dict({name: weights[name] for name in network.state_dict()})
        except (OSError, RuntimeError, KeyError, TypeError, UnpicklingError, EOFError) as error:
            raise BowerbirdError(
                f"{path} holds no weights of CNN14 ({str(error).strip().partition(chr(10))[0]}); "
                "give the file Cnn14_mAP=0.431.pth of PANNs"
            ) from None
        return network

    def forward(self, sounds: Tensor) -> Tensor:
        sounds = functional.pad(sounds, (0, max(0, LEAST_SAMPLES - sounds.shape[1])))
        window = torch.hann_window(WINDOW)
        spectrum = torch.stft(sounds, WINDOW, HOP, window=window, pad_mode="reflect", return_complex=True)
        power = spectrum.abs().square().transpose(1, 2) @ self.mels  # (B, frames, MELS)
        x = 10 * power.clamp_min(LEAST_POWER).log10()[:, None]
        x = self.bn0(x.transpose(1, 3)).transpose(1, 3)
        blocks = [self.get_submodule(f"conv_block{number}") for number in range(1, len(WIDTHS))]
        for block in blocks[:-1]:
            x = functional.avg_pool2d(block(x), 2)
        x = blocks[-1](x).mean(3)
        return functional.relu(self.fc1(x.amax(2) + x.mean(2)))
