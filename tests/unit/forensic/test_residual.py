"""What of a file's pictures is looked at by itself."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pytest

from generation.forensic.residual import Frame, residuals


def _frames(rows: slice) -> Iterator[Frame]:
    """A page of which some rows move."""
    random = np.random.default_rng(3)
    page = random.integers(0, 256, (540, 2000), np.uint8)
    for index in range(3):
        page[rows] = random.integers(0, 256, page[rows].shape, np.uint8)
        yield Frame(page.copy(), index / 24)


@pytest.mark.parametrize(("rows", "apart"), [(slice(200, 400), True), (slice(200, 270), False)])
def test_what_moves_is_looked_at_apart_unless_it_is_a_ribbon(rows: slice, apart: bool) -> None:
    assert (residuals(_frames(rows)).moving is not None) is apart
