"""A map of the space: many of its sounds laid out so that those that sound alike lie together, to point at and hear."""

from io import BytesIO
from pathlib import Path

import numpy as np
import soundfile
import torch
from torch.nn import functional

from bowerbird.conditions.category import ancestry
from bowerbird.errors import UsageError
from bowerbird.latent.space import Space
from bowerbird.progress import progress
from bowerbird.scatter import Panel, write_scatter

__all__ = ["draw_map"]

CELLS = (16, 8)  # rows and frames that a picture is averaged to
FEWEST, MOST = 8, 2000
HEARD_S = 2.0  # of each sound on the page


def draw_map(
    space: Space, path: Path, count: int, asked: dict[str, str], seed: int = 0, *, quiet: bool = False
) -> list[str]:
    """Writes `path`.html and `path`.png: `count` places by t-SNE (van der Maaten & Hinton 2008) of what they sound like.

    Returns what is said at each point: its seed and labels.
    """
    from sklearn.decomposition import PCA
    from sklearn.manifold import TSNE

    if not FEWEST <= count <= MOST:
        raise UsageError(f"a map of {count} sounds is not drawn; take {FEWEST} to {MOST}")
    spots = [space.spot(seed + number, asked) for number in range(count)]
    cells, files = [], []
    with progress("sounds", count, quiet=quiet) as advance:
        for sound, levels in space.play(spots):
            cells.append(functional.adaptive_avg_pool2d(torch.from_numpy(levels), CELLS).flatten().numpy())
            heard = BytesIO()
            start = sound[:, : int(HEARD_S * space.instrument.sample_rate)]
            soundfile.write(heard, start.T, space.instrument.sample_rate, format="OGG", subtype="VORBIS")
            files.append(heard.getvalue())
            advance(len(files))
    few = PCA(min(30, count - 1), random_state=0).fit_transform(np.stack(cells))
    places = TSNE(2, perplexity=min(30.0, (count - 1) / 3), init="pca", random_state=0).fit_transform(few)
    first = next(iter(space.instrument.labels), "")
    marks = ["".join(ancestry(spot.labels.get(first, ""))[:1]) for spot in spots]
    said = [f"seed {seed + k}: {', '.join(filter(None, spot.labels.values()))}" for k, spot in enumerate(spots)]
    told = "What sounds alike lies together. Click once, then point at a circle to hear it; press a label to hide it."
    panel = Panel("", places, f"{count} sounds, named by seed: bowerbird make … --seed SEED -n 1")
    write_scatter(path, f"a map of {space.instrument.fingerprint}", told, [panel], said, marks, count, files)
    return said
