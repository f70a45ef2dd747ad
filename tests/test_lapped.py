"""The lapped transform: nothing lost, nothing seen of the patches."""

import torch

from bowerbird.networks.lapped import PATCH, Lapped


def test_there_and_back() -> None:
    lapped, picture = Lapped(2), torch.randn(3, 2, 64, 48)
    bands = lapped.analyse(picture)
    assert bands.shape == (3, 2 * PATCH**2, 16, 12)
    inner = slice(2 * PATCH, -2 * PATCH)
    torch.testing.assert_close(lapped.synthesise(bands)[..., inner, inner], picture[..., inner, inner], atol=1e-5, rtol=0)


def test_an_even_picture_is_its_first_band() -> None:
    lapped = Lapped(1)
    bands = lapped.analyse(torch.full((1, 1, 32, 32), 0.5))
    assert (bands[:, 0] - 0.5).abs().max() < 1e-3
    assert bands[:, 1:].abs().max() < 0.03
    slowest = torch.zeros(1, PATCH**2, 8, 8)
    slowest[:, 0] = 0.5
    assert (lapped.synthesise(slowest) - 0.5).abs().max() < 0.03


def test_the_slowest_band_shows_no_patches() -> None:
    bands = torch.zeros(8, PATCH**2, 16, 16)
    bands[:, 0] = torch.randn(8, 16, 16, generator=torch.Generator().manual_seed(0))
    jumps = Lapped(1).synthesise(bands).diff(dim=3).abs().mean((0, 1, 2))
    across = jumps[PATCH - 1 :: PATCH].mean()
    within = torch.stack([jumps[place::PATCH].mean() for place in range(PATCH - 1)]).max()
    assert across < 2 * within  # of plain patches all jumps are across
