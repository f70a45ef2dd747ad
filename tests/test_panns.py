"""CNN14 of PANNs beside its authors' implementation, and files that hold none of it."""

import math
from pathlib import Path

import numpy as np
import pytest
import torch

from bowerbird.errors import BowerbirdError
from bowerbird.evaluation.panns import RATE_HZ, Cnn14
from bowerbird.evaluation.pretrained import Pretrained

SECONDS = torch.arange(RATE_HZ // 2) / RATE_HZ
SOUND = torch.stack([(2 * math.pi * hz * SECONDS).sin() * (-9 * SECONDS).exp() for hz in (440.0, 1250.0)])


def filled(network: Cnn14) -> Cnn14:
    """The same weights anywhere, each layer's about as loud as a fresh one's."""
    with torch.no_grad():
        for number, (name, tensor) in enumerate(sorted(network.state_dict().items())):
            if not tensor.is_floating_point():
                continue
            places = torch.arange(tensor.numel(), dtype=torch.float64) % 99991
            scrambled = torch.sin(places * 12.9898 + number) * 43758.5453
            wave = (2 * (scrambled - scrambled.floor()) - 1).float().view(tensor.shape)
            if name == "mels":
                apart = torch.arange(len(tensor))[:, None] / 8 - torch.arange(tensor.shape[1])
                tensor.copy_((-apart.square()).exp())
            elif name.startswith("bn0.running"):  # decibels
                tensor.fill_(-60.0 if "mean" in name else 900.0)
            elif "var" in name or (".bn" in name and "weight" in name):
                tensor.copy_(1 + wave / 4)
            else:
                tensor.copy_(wave * math.sqrt(8 / tensor[0].numel()) if tensor.dim() > 1 else wave / 100)
    return network.eval()


def test_it_embeds_as_its_authors_network_does() -> None:
    """Numbers of panns_inference 0.1.1 with the same weights, to 1e-4; all 2,048 agreed within 2e-6."""
    theirs = [[0.0039, 0.0452, 0.0071, 0.0663], [0.0056, 0.0461, 0.0073, 0.0651]]
    with torch.inference_mode():
        embedded = filled(Cnn14())(SOUND)
    np.testing.assert_allclose(embedded[:, 4 * 211 : 8 * 211 : 211], theirs, atol=1e-4)


def test_a_file_of_weights_is_loaded_and_nothing_in_it_is_run(tmp_path: Path) -> None:
    network = Cnn14()
    flat = {name: torch.tensor(0.01).expand(tensor.shape) for name, tensor in network.state_dict().items()}
    flat["logmel_extractor.melW"] = flat.pop("mels")
    how = {"indexes": np.arange(3), "pointer": np.int64(2), "seed": np.random.RandomState(0).get_state()}
    torch.save({"model": flat, "sampler": how, "iteration": 3}, tmp_path / "Cnn14.pth")
    embedded = Pretrained(str(tmp_path / "Cnn14.pth"), 8000)(np.ones((3, 2, 900), np.float32))
    assert embedded.shape == (3, 2048)
    assert np.isfinite(embedded).all()


class _Trap:
    def __reduce__(self) -> tuple[object, tuple[str]]:
        return (exec, ("raise SystemExit('run')",))


@pytest.mark.parametrize("holds", [None, b"not weights", {"model": {}}, {"model": _Trap()}, [1]])
def test_files_that_are_no_weights_are_refused(tmp_path: Path, holds: object) -> None:
    path = tmp_path / "some.pth"
    if isinstance(holds, bytes):
        path.write_bytes(holds)
    elif holds is not None:
        torch.save(holds, path)
    with pytest.raises(BowerbirdError, match=r"some\.pth holds no weights of CNN14"):
        Pretrained(str(path), 8000)
