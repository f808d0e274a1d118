"""Reads all attributes out of a clip's pixels; knows neither the prompt nor the seed.

One small network finds the scene and the subject's mask in each frame. A second one names the subject and its colour in
a cut-out that follows the mask. The motion is the class of tracks (centre and size over time) that lies nearest, and so
are size and place, among the tracks of that motion. All are fitted on drawn clips only, spoilt with blur and
noise, so that they read what a person would recognise.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple, cast

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from generation.backends.diffusers.training.drawing.canvas import HEIGHT, WIDTH
from generation.backends.diffusers.training.words import ATTRIBUTES, MANNER, VALUES

CELL = 4  # pixels of one cell of the mask
ROWS, COLUMNS = HEIGHT // CELL, WIDTH // CELL
CUT = 32  # pixels of a cut-out
_WINDOW = 6.0  # cells: how far from its centre a subject is followed
_SEEN_AREA, _SEEN_SHARE = 2.5, 0.6  # cells a frame, of how many of the frames


class Track(NamedTuple):
    """The subject in each frame: centre and radius of a disc of its area, in pixels; and how many cells it covers."""

    x: Tensor
    y: Tensor
    radius: Tensor
    area: Tensor


class Places(nn.Module):
    """Frames at half size (n x 3 x 48 x 80) to scenes (n x 8) and masks (n x 24 x 40), both as logits."""

    def __init__(self) -> None:
        super().__init__()
        self.fine = nn.Sequential(_layer(3, 24, 2), _layer(24, 24, 1), _layer(24, 56, 2), _layer(56, 56, 1))
        self.coarse = nn.Sequential(_layer(56, 80, 2), _layer(80, 80, 1))
        self.scene = nn.Linear(80, len(VALUES["scene"]))
        self.widen = nn.Conv2d(80, 56, 1)
        self.mask = nn.Sequential(_layer(56, 32, 1), nn.Conv2d(32, 4, 1), nn.PixelShuffle(2))

    def forward(self, frames: Tensor) -> tuple[Tensor, Tensor]:
        """See the class."""
        fine = self.fine(frames - 0.5)
        coarse = self.coarse(fine)
        together = fine + F.interpolate(self.widen(coarse), scale_factor=2.0)
        return self.scene(coarse.mean((2, 3))), self.mask(together)[:, 0]


class Subjects(nn.Module):
    """Cut-outs (n x 3 x 32 x 32) to subjects (n x 12) and colours (n x 10), as logits."""

    def __init__(self) -> None:
        super().__init__()
        self.body = nn.Sequential(
            _layer(3, 24, 2), _layer(24, 48, 2), _layer(48, 64, 1), _layer(64, 96, 2), nn.Flatten()
        )
        self.subject = nn.Linear(96 * 16, len(VALUES["subject"]))
        self.colour = nn.Linear(96 * 16, len(VALUES["colour"]))

    def forward(self, cuts: Tensor) -> tuple[Tensor, Tensor]:
        """See the class."""
        features = self.body(cuts - 0.5)
        return self.subject(features), self.colour(features)


class Nearest(nn.Module):
    """Tracks as rows (n x 48) to classes: normal distributions of one covariance, fitted in closed form."""

    def __init__(self, classes: int, features: int = 48) -> None:
        super().__init__()
        self.weight = nn.Buffer(torch.zeros(features, classes))
        self.bias = nn.Buffer(torch.zeros(classes))

    def fit(self, rows: Tensor, labels: Tensor) -> None:
        """Method: linear discriminant analysis with a covariance shrunk towards its diagonal."""
        means = torch.stack([rows[labels == k].mean(0) for k in range(len(self.bias))])
        apart = rows - means[labels]
        covariance = apart.T @ apart / len(rows)
        covariance = (
            0.97 * covariance + 0.03 * torch.diag(covariance.diagonal()) + 1e-5 * torch.eye(len(covariance))
        )
        self.weight.copy_(torch.linalg.solve(covariance, means.T))
        self.bias.copy_(-0.5 * (means * self.weight.T).sum(1))

    def forward(self, rows: Tensor) -> Tensor:
        """Likeness to each class, n x classes."""
        return rows @ self.weight + self.bias


class Ways(nn.Module):
    """What tracks tell: the motion, and then size and place among the tracks of that motion."""

    def __init__(self) -> None:
        super().__init__()
        motions, subjects = len(VALUES["motion"]), len(VALUES["subject"])
        self.motion = Nearest(motions)
        self.manner = nn.ModuleDict({name: Nearest(motions * len(VALUES[name])) for name in MANNER})
        # Of each subject: centre of its mask (in radii) and radius of a disc of the mask's area, beside the path's.
        self.offset = nn.Buffer(torch.zeros(subjects, 3))

    def fit(self, tracks: Sequence[Track], paths: Sequence[Track], facts: Tensor) -> None:
        """`facts`: indices of all attributes, n x 6."""
        subject, motion = (facts[:, ATTRIBUTES.index(name)] for name in ("subject", "motion"))
        apart = torch.stack([_apart(track, path) for track, path in zip(tracks, paths, strict=True)])
        self.offset.copy_(torch.stack([apart[subject == k].mean(0) for k in range(len(self.offset))]))
        rows = torch.stack(
            [as_row(self.settle(track, int(k))) for track, k in zip(tracks, subject, strict=True)]
        )
        self.motion.fit(rows, motion)
        for name, nearest in self.manner.items():
            cast("Nearest", nearest).fit(rows, motion * len(VALUES[name]) + facts[:, ATTRIBUTES.index(name)])

    def settle(self, track: Track, subject: int) -> Track:
        """The track of the subject's own centre and radius."""
        aside, down, factor = self.offset[subject]
        radius = track.radius / factor.exp()
        return track._replace(x=track.x - aside * radius, y=track.y - down * radius, radius=radius)

    def read(self, track: Track, subject: int) -> dict[str, str | None]:
        """Motion, size and place."""
        row = as_row(self.settle(track, subject))[None]
        motion = int(self.motion(row)[0].argmax())
        found: dict[str, str | None] = {"motion": VALUES["motion"][motion]}
        for name, nearest in self.manner.items():
            found[name] = _best(name, nearest(row)[0].unflatten(0, (-1, len(VALUES[name])))[motion])
        return found


def _apart(track: Track, path: Track) -> Tensor:
    return torch.stack(
        [
            ((track.x - path.x) / path.radius).mean(),
            ((track.y - path.y) / path.radius).mean(),
            (track.radius / path.radius).log().mean(),
        ]
    )


class Reader(nn.Module):
    """All three together."""

    def __init__(self) -> None:
        super().__init__()
        self.places, self.subjects, self.ways = Places(), Subjects(), Ways()

    @torch.no_grad()
    def read(self, frames: Tensor) -> dict[str, str | None]:
        """One clip (frames x 3 x 96 x 160 in 0..1) to a value for each attribute.

        All but the scene are None where no subject is seen in most of the frames.
        """
        scene, mask = self.places(F.avg_pool2d(frames, 2))
        track = follow(torch.sigmoid(mask))
        names: dict[str, str | None] = dict.fromkeys(ATTRIBUTES)
        names["scene"] = _best("scene", scene.softmax(1).mean(0))
        if (track.area > _SEEN_AREA).float().mean() < _SEEN_SHARE:
            return names
        subject, colour = self.subjects(cut_out(frames, track))
        weight = track.area.clamp(max=40)[:, None]
        names["subject"] = _best("subject", (subject.log_softmax(1).clamp(min=-6) * weight).sum(0))
        names["colour"] = _best("colour", (colour.log_softmax(1).clamp(min=-6) * weight).sum(0))
        return names | self.ways.read(track, VALUES["subject"].index(names["subject"]))

    def save(self, file: Path) -> None:
        """Whole or not at all."""
        part = file.with_suffix(".part")
        torch.save(self.state_dict(), part)
        part.replace(file)


def load_reader(file: Path) -> Reader:
    """A reader that was saved."""
    reader = Reader()
    reader.load_state_dict(torch.load(file, weights_only=True))
    return reader.eval()


def follow(mask: Tensor) -> Track:
    """The track of the strongest blob of each mask (n x 24 x 40 in 0..1); what lies far from it does not count."""
    ys = (torch.arange(ROWS) + 0.5)[None, :, None]
    xs = (torch.arange(COLUMNS) + 0.5)[None, None, :]
    sure = mask * (mask > 0.3)
    peak = F.avg_pool2d(sure[:, None], 5, 1, 2)[:, 0].flatten(1).argmax(1)
    y, x = (peak // COLUMNS + 0.5), (peak % COLUMNS + 0.5)
    area = near = sure
    for _ in range(3):
        far = (ys - y[:, None, None]) ** 2 + (xs - x[:, None, None]) ** 2
        near = sure * (far < (1.7 * _WINDOW) ** 2)
        area = near.sum((1, 2)) + 1e-6
        y, x = (near * ys).sum((1, 2)) / area, (near * xs).sum((1, 2)) / area
    return Track(x * CELL, y * CELL, (area / torch.pi).sqrt() * CELL, area)


def cut_out(frames: Tensor, track: Track) -> Tensor:
    """A square about the subject in each frame, about twice as wide as it, as n x 3 x 32 x 32."""
    half = 2.1 * track.radius + 3
    steps = torch.linspace(-1, 1, CUT)
    x = (track.x[:, None] + half[:, None] * steps) / (WIDTH / 2) - 1
    y = (track.y[:, None] + half[:, None] * steps) / (HEIGHT / 2) - 1
    grid = torch.stack([x[:, None, :].expand(-1, CUT, -1), y[:, :, None].expand(-1, -1, CUT)], -1)
    return F.grid_sample(frames, grid, padding_mode="border", align_corners=False)


def as_row(track: Track) -> Tensor:
    """What tells motions apart: centre and radius of each frame, in units of about one."""
    return torch.cat([track.x / 40, track.y / 24, track.radius.clamp(min=1).log() * 2])


def _best(attribute: str, likeness: Tensor) -> str:
    return VALUES[attribute][int(likeness.argmax())]


def _layer(inward: int, outward: int, stride: int) -> nn.Module:
    conv = nn.Conv2d(inward, outward, 3, stride, 1, bias=False)
    return cast("nn.Module", nn.Sequential(conv, nn.BatchNorm2d(outward), nn.ReLU()))
