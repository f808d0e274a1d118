"""Muon: momentum whose matrices are orthogonalised before they are applied, batched over equal shapes.

Method: Keller Jordan, "Muon: an optimizer for hidden layers" (2024); the coefficients for each of the four
Newton-Schulz steps follow You Jiacheng's tuned schedule for a short run in bfloat16.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable

import torch
from torch import Tensor

_COEFFICIENTS = (
    (4.0848, -6.8946, 2.9270),
    (3.9505, -6.3029, 2.6377),
    (3.7418, -5.5913, 2.3037),
    (2.8769, -3.1427, 1.2046),
)
_UPDATE_SIZE = 0.2  # root mean square of an update at learning rate 1, as AdamW's


class Muon:
    """For matrices, and for convolutions as matrices of one row an output; one Newton-Schulz run for each shape."""

    def __init__(self, weights: Iterable[Tensor], *, momentum: float = 0.95, decay: float = 0.02) -> None:
        self._momentum, self._decay = momentum, decay
        self._groups: dict[tuple[int, int], list[Tensor]] = defaultdict(list)
        for weight in weights:
            rows, columns = sorted(weight.flatten(1).shape)
            self._groups[rows, columns].append(weight)
        self._moments = {shape: torch.zeros(len(group), *shape) for shape, group in self._groups.items()}

    @torch.no_grad()
    def step(self, learning_rate: float) -> None:
        """Applies the gradients; those of every weight must be there."""
        for shape, group in self._groups.items():
            gradients = torch.stack([_lying(weight, _gradient(weight)) for weight in group])
            moment = self._moments[shape].mul_(self._momentum).add_(gradients)
            updates = orthogonalise(gradients.add(moment, alpha=self._momentum))
            size = learning_rate * _UPDATE_SIZE * max(shape) ** 0.5
            for weight, update in zip(group, updates, strict=True):
                change = _lying(weight, update).view_as(weight)
                weight.mul_(1 - learning_rate * self._decay).add_(change, alpha=-size)

    def zero_grad(self) -> None:
        """Drops the gradients."""
        for group in self._groups.values():
            for weight in group:
                weight.grad = None

    def state_dict(self) -> dict[tuple[int, int], Tensor]:
        """The moments, by shape."""
        return self._moments

    def load_state_dict(self, moments: dict[tuple[int, int], Tensor]) -> None:
        """Takes up moments of the same weights."""
        for shape, moment in moments.items():
            self._moments[shape].copy_(moment)


def orthogonalise(matrices: Tensor) -> Tensor:
    """n matrices of no more rows than columns, moved near the closest ones with orthonormal rows."""
    x = matrices.bfloat16()
    x = x / (x.norm(dim=(1, 2), keepdim=True) + 1e-7)
    for a, b, c in _COEFFICIENTS:
        gram = x @ x.mT
        x = a * x + (b * gram + c * gram @ gram) @ x
    turned: Tensor = x.float()
    return turned


def _lying(weight: Tensor, matrix: Tensor) -> Tensor:
    """A matrix that belongs to `weight`, turned to have no more rows than columns, or turned back."""
    return matrix if len(weight) <= weight[0].numel() else matrix.T


def _gradient(weight: Tensor) -> Tensor:
    if weight.grad is None:
        raise RuntimeError("Muon needs a gradient for each of its weights.")
    return weight.grad.flatten(1)
