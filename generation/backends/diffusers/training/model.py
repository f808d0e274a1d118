"""The video model: a stock WanTransformer3DModel of 8 M parameters, its start, and a forward that shows its middle."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

import torch
from diffusers import WanTransformer3DModel
from torch import Tensor, nn

from generation.backends.diffusers.training import codec, text
from generation.backends.diffusers.training.drawing.canvas import FRAMES, HEIGHT, WIDTH

PATCH = (1, 2, 2)
HIDDEN, HEADS, FEED_FORWARD, LAYERS = 384, 4, 576, 4
ROWS, COLUMNS = HEIGHT // codec.PATCH, WIDTH // codec.PATCH
# The grid of tokens of a whole clip: 16 x 3 x 5.
GRID = (FRAMES // PATCH[0], ROWS // PATCH[1], COLUMNS // PATCH[2])


class Middle(NamedTuple):
    """Hidden states (n x tokens x 384) after the second block, where places are read, and after the third, the mask."""

    places: Tensor
    mask: Tensor


def build_transformer() -> WanTransformer3DModel:
    """With weights that begin near something useful; draws from torch's global generator."""
    transformer = WanTransformer3DModel(
        patch_size=PATCH,
        num_attention_heads=HEADS,
        attention_head_dim=HIDDEN // HEADS,
        in_channels=codec.CHANNELS,
        out_channels=codec.CHANNELS,
        text_dim=text.WIDTH,
        freq_dim=256,
        ffn_dim=FEED_FORWARD,
        num_layers=LAYERS,
        cross_attn_norm=True,
        rope_max_seq_len=64,
    )
    with torch.no_grad():
        _begin_as_identity(transformer)
        _begin_blind_to_null(transformer)
    return transformer


def _begin_as_identity(transformer: WanTransformer3DModel) -> None:
    """Patches go in through orthonormal columns and come out through the same: noise passes from the start."""
    inward = transformer.patch_embedding
    size = inward.weight[0].numel()
    inward.weight.copy_(torch.linalg.qr(torch.randn(HIDDEN, size))[0].view_as(inward.weight))
    inward.bias.zero_()
    outward = inward.weight.permute(2, 3, 4, 1, 0).reshape(size, HIDDEN)
    transformer.proj_out.weight.copy_((size / HIDDEN) ** 0.5 * outward)
    transformer.proj_out.bias.zero_()


def _begin_blind_to_null(transformer: WanTransformer3DModel) -> None:
    """Words and padding carry the null vector: they start silent, and the four slots speak four times as loud."""
    null = text.codes()[1] / text.WIDTH**0.5
    embedder = transformer.condition_embedder.text_embedder
    embedder.linear_1.weight.sub_(embedder.linear_1.weight @ null[:, None] * null[None])
    embedder.linear_1.bias.zero_()
    embedder.linear_2.bias.zero_()
    for block in transformer.blocks:
        block.attn2.to_k.bias.zero_()
        block.attn2.to_v.bias.zero_()
        block.attn2.to_v.weight.mul_(4)


def widen_in_time(weights: dict[str, Tensor]) -> dict[str, Tensor]:
    """Weights of a model with patches of 2 x 2 x 2 for one of 1 x 2 x 2: each frame goes where its pair went."""
    wider = dict(weights)
    inward, outward, bias = (
        weights[name] for name in ("patch_embedding.weight", "proj_out.weight", "proj_out.bias")
    )
    wider["patch_embedding.weight"] = inward.sum(2, keepdim=True)
    wider["proj_out.weight"] = outward.unflatten(0, (2, -1)).mean(0)
    wider["proj_out.bias"] = bias.unflatten(0, (2, -1)).mean(0)
    return wider


def run_block(
    block: nn.Module,
    hidden: Tensor,
    context: Tensor,
    projection: Tensor,
    rotary: tuple[Tensor, Tensor],
    clean: tuple[Tensor, Tensor] | None,
) -> Tensor:
    """One block of the stock model, with a time for each token where some are clean; made to be compiled."""
    if clean is not None:
        first, at_zero = clean
        projection = torch.where(first[..., None, None], at_zero[:, None], projection[:, None])
    result: Tensor = block(hidden, context, projection, rotary)
    return result


def forward(
    transformer: WanTransformer3DModel,
    noisy: Tensor,
    time: Tensor,
    context: Tensor,
    from_picture: Tensor | None = None,
    *,
    run: Callable[..., Tensor] = run_block,
) -> tuple[Tensor, Middle]:
    """WanTransformer3DModel.forward, which also hands out the hidden states that the helper losses need.

    noisy: n x 30 x frames x 6 x 10; time: n in 0..1000; context: n x words x 128. Where `from_picture` (n, bool) says
    so, the first frame is clean and its tokens are at time 0. `run` is `run_block`, or that compiled. The velocity is
    shaped as noisy.
    """
    rotary = transformer.rope(noisy)
    hidden = transformer.patch_embedding(noisy).flatten(2).transpose(1, 2).contiguous()
    if from_picture is not None:
        time = torch.cat([time, torch.zeros_like(time[:1])])
    embedding, projection, context, _ = transformer.condition_embedder(time, context, None)
    projection = projection.unflatten(1, (6, -1))
    clean = None
    if from_picture is not None:
        first = torch.zeros(hidden.shape[:2], dtype=torch.bool)
        first[:, : GRID[1] * GRID[2]] = from_picture[:, None]
        clean = (first, projection[-1:])
        projection = projection[:-1]
        embedding = torch.where(first[..., None], embedding[-1:, None], embedding[:-1, None])
    states = []
    for block in transformer.blocks:
        hidden = run(block, hidden, context, projection, rotary, clean)
        states.append(hidden)
    table = transformer.scale_shift_table + embedding.unsqueeze(-2)
    shift, scale = (
        part if part.ndim == 3 and clean is None else part.squeeze(-2) for part in table.chunk(2, dim=-2)
    )
    hidden = (transformer.norm_out(hidden.float()) * (1 + scale) + shift).type_as(hidden)
    return unpatch(transformer.proj_out(hidden), noisy.shape[2]), Middle(states[1], states[2])


def unpatch(tokens: Tensor, frames: int) -> Tensor:
    """Tokens (n x tokens x values of a patch) to n x channels x frames x 6 x 10."""
    t, h, w = frames // PATCH[0], GRID[1], GRID[2]
    patches = tokens.reshape(len(tokens), t, h, w, *PATCH, -1)
    return patches.permute(0, 7, 1, 4, 2, 5, 3, 6).flatten(6, 7).flatten(4, 5).flatten(2, 3)


class Helpers(nn.Module):
    """Linear heads that are thrown away after training.

    Wan has relative positions only, so at high noise a token does not know which frame it is in; asked for frame, row
    and column early, the model learns to keep count, and from then on the motions come out right. The mask head asks
    which cells the subject covers.
    """

    def __init__(self) -> None:
        super().__init__()
        self.frame, self.row, self.column = (nn.Linear(HIDDEN, count) for count in GRID)
        self.mask = nn.Linear(HIDDEN, PATCH[0] * PATCH[1] * PATCH[2])

    def place_loss(self, places: Tensor) -> Tensor:
        """Cross-entropies of row, column and, for more than one frame of tokens, frame."""
        grid = places.unflatten(1, (-1, *GRID[1:]))
        heads = [(self.row, 2), (self.column, 3)] + ([(self.frame, 1)] if grid.shape[1] > 1 else [])
        losses = []
        for head, axis in heads:
            shape = [1, 1, 1, 1]
            shape[axis] = -1
            truth = torch.arange(grid.shape[axis]).view(shape).expand(grid.shape[:-1])
            losses.append(nn.functional.cross_entropy(head(grid).float().movedim(-1, 1), truth))
        return torch.stack(losses).sum()

    def mask_loss(self, mask: Tensor, cover: Tensor) -> Tensor:
        """Binary cross-entropy of the cover of each cell (n x frames x 6 x 10)."""
        seen = unpatch(self.mask(mask).float(), cover.shape[1])[:, 0]
        return nn.functional.binary_cross_entropy_with_logits(seen, cover)
