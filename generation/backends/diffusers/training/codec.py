"""A stock AutoencoderKLWan: an encoder whose weights are set, not learned, and room for a decoder that is trained.

The encoder is an exact linear projection of 16 x 16 patches on their principal components, in two steps: patches of
8 x 8 on the components of their own, and four neighbours of those together, in the convolution that halves the grid,
on the components of the whole. What lies behind is made transparent:
- that convolution writes (a c, -a c, C) for the code c, so that SiLU(u) - SiLU(-u) = u can be read off later;
- residual and attention blocks get a zero last layer, which leaves their input as it is;
- the constant C dominates every place's norm, so RMS normalisation divides by a constant.
The decoder is left as diffusers draws it; `decoder.py` trains it.
"""

from __future__ import annotations

import math
import random
from pathlib import Path
from typing import Any, NamedTuple

import torch
import torch.nn.functional as F
from diffusers import AutoencoderKLWan
from diffusers.models.autoencoders.autoencoder_kl_wan import patchify
from torch import Tensor, nn

from generation.backends.diffusers.training import world
from generation.backends.diffusers.training.drawing.clip import draw_clip
from generation.backends.diffusers.training.drawing.scenes import mood

PATCH = 16
CHANNELS = 30
_FINE_PATCH, _FINE = 8, 64  # the first step's patches, and how many of their 192 components it keeps
_DECODER_WIDTH = 80
_SCALE = 0.02  # a: small beside C, so that the norm stays constant
_CONSTANT = 10.0  # C
_LOG_VARIANCE = -12.0  # the encoder's distribution is a point in practice
_SAMPLE_CLIPS = 320


class Components(NamedTuple):
    """Mean patch (D), principal directions (D x D, best first) and their variances (D)."""

    mean: Tensor
    directions: Tensor
    variances: Tensor


class Projection(NamedTuple):
    """Codes of 16 x 16 patches p (768 values as `patchify` lays them): weight (30 x 768) p + offset (30)."""

    weight: Tensor
    offset: Tensor


def make_codec(folder: Path, *, seed: int) -> dict[str, float]:
    """Writes `folder/vae`, its decoder untrained; returns the PSNR in dB of the components on clips not seen."""
    rng = random.Random(seed)
    sample = _clips(_SAMPLE_CLIPS, rng)
    found = components(sample)
    projection = project(found)
    vae = build(projection, components(sample, _FINE_PATCH))
    set_latent_statistics(vae, torch.cat([raw_latents(vae, part) for part in sample.split(16)]))
    vae.save_pretrained(folder / "vae")
    unseen = _rows(patchify(_clips(24, rng), PATCH)) - found.mean
    basis = found.directions[:, :CHANNELS]
    error = (unseen - unseen @ basis @ basis.T).square().mean().item() / 4  # from -1..1 to 0..1
    return {"psnr_db": round(-10 * math.log10(error), 2)}


def components(clips: Tensor, size: int = PATCH) -> Components:
    """Principal components of the patches of clips (n x 3 x frames x 96 x 160 in -1..1)."""
    patches = torch.cat([_rows(patchify(part, size)) for part in clips.split(16)])
    mean = patches.mean(0)
    covariance = (patches - mean).T @ (patches - mean) / len(patches)
    directions, variances, _ = torch.linalg.svd(covariance.double())
    return Components(mean, directions.float(), variances.float())


def project(found: Components, channels: int = CHANNELS) -> Projection:
    """On the best `channels` components, in units of the first one's deviation."""
    weight = found.directions[:, :channels].T / found.variances[0].sqrt()
    return Projection(weight, -weight @ found.mean)


def build(projection: Projection, fine: Components) -> AutoencoderKLWan:
    """The codec with this projection as its encoder; its decoder is drawn from torch's global generator."""
    channels = len(projection.weight)
    vae = AutoencoderKLWan(
        base_dim=_FINE,
        decoder_base_dim=_DECODER_WIDTH,
        z_dim=channels,
        dim_mult=[1, 1],
        num_res_blocks=0,
        attn_scales=[],
        temperal_downsample=[False],
        latents_mean=[0.0] * channels,
        latents_std=[1.0] * channels,
        in_channels=3 * _FINE_PATCH**2,
        out_channels=3 * _FINE_PATCH**2,
        patch_size=_FINE_PATCH,
        scale_factor_temporal=1,
        scale_factor_spatial=PATCH,
    )
    with torch.no_grad():
        _make_transparent(vae.encoder)
        basis = fine.directions[:, :_FINE]
        _write(vae.encoder.conv_in, basis.T, -basis.T @ fine.mean)
        quarters = _quarters(projection.weight)
        offset = projection.offset + torch.einsum("kcij,c->k", quarters, fine.mean)
        _write_pairs(
            vae.encoder.down_blocks[0].resample[1], torch.einsum("kcij,cd->kdij", quarters, basis), offset
        )
        to_moments = torch.cat([torch.eye(channels), torch.zeros(channels, channels)])
        moment_bias = torch.cat([torch.zeros(channels), torch.full((channels,), _LOG_VARIANCE)])
        _read_pairs(vae.encoder.norm_out, vae.encoder.conv_out, to_moments, moment_bias)
        for conv in (vae.quant_conv, vae.post_quant_conv):
            _write(conv, torch.eye(conv.weight.shape[0]), torch.zeros(conv.weight.shape[0]))
    return vae.eval()


def raw_latents(vae: AutoencoderKLWan, clips: Tensor) -> Tensor:
    """What `vae.encode` gives, in two products (it is affine): n x channels x frames x 6 x 10, not normalised."""
    first, second, channels = vae.encoder.conv_in, vae.encoder.down_blocks[0].resample[1], vae.config.z_dim
    with torch.no_grad():
        fine = patchify(clips, _FINE_PATCH).transpose(1, 2).flatten(0, 1)
        fine = F.conv2d(fine, first.weight[:, :, -1, 1, 1][..., None, None], first.bias)
        coarse = F.conv2d(
            fine, second.weight[:channels, :, :2, :2] / _SCALE, second.bias[:channels] / _SCALE, 2
        )
    return coarse.unflatten(0, (len(clips), -1)).transpose(1, 2)


def set_latent_statistics(vae: AutoencoderKLWan, latents: Tensor) -> None:
    """Half-way between whitened and raw, unit variance over all: fine components keep a smaller say."""
    mean, deviation = latents.mean((0, 2, 3, 4)), latents.std((0, 2, 3, 4)).sqrt()
    scaled = (latents - mean.view(1, -1, 1, 1, 1)) / deviation.view(1, -1, 1, 1, 1)
    deviation = deviation * scaled.square().mean().sqrt()
    vae.register_to_config(latents_mean=mean.tolist(), latents_std=deviation.tolist())


def normalise(vae: AutoencoderKLWan, latents: Tensor) -> Tensor:
    """As the pipeline expects them: zero mean, unit variance over all channels together."""
    mean, deviation = _statistics(vae)
    return (latents - mean) / deviation


def restore(vae: AutoencoderKLWan, latents: Tensor) -> Tensor:
    """Back from `normalise`, as the decoder expects them."""
    mean, deviation = _statistics(vae)
    return latents * deviation + mean


def _statistics(vae: AutoencoderKLWan) -> tuple[Tensor, Tensor]:
    mean, deviation = torch.tensor(vae.config.latents_mean), torch.tensor(vae.config.latents_std)
    return mean.view(1, -1, 1, 1, 1), deviation.view(1, -1, 1, 1, 1)


def _clips(count: int, rng: random.Random) -> Tensor:
    drawn = [torch.from_numpy(draw_clip(world.sample(rng), mood(rng))[0]) for _ in range(count)]
    return torch.stack(drawn).permute(0, 4, 1, 2, 3) * 2 - 1


def _rows(patches: Tensor) -> Tensor:
    return patches.permute(0, 2, 3, 4, 1).flatten(0, 3)


def _quarters(weight: Tensor) -> Tensor:
    """Rows over a 16 x 16 patch as rows over four of 8 x 8: k x 192 x 2 (upper, lower) x 2 (left, right).

    `patchify` lays out a patch as colour, column, row.
    """
    parts = weight.unflatten(1, (3, 2, _FINE_PATCH, 2, _FINE_PATCH))
    return parts.permute(0, 1, 3, 5, 4, 2).flatten(1, 3)


def _zero(layer: Any) -> None:
    for parameter in layer.parameters():
        parameter.zero_()


def _make_transparent(part: nn.Module) -> None:
    for module in part.modules():
        if type(module).__name__ == "WanResidualBlock":
            _zero(module.conv2)
        if type(module).__name__ == "WanAttentionBlock":
            _zero(module.proj)


def _write(conv: Any, weight: Tensor, bias: Tensor) -> None:
    """One product for each place; the last tap in time is the frame itself, for the convolution is causal."""
    _zero(conv)
    middle = conv.weight.shape[-1] // 2
    conv.weight[: len(weight), :, -1, middle, middle] = weight
    conv.bias[: len(weight)] = bias


def _write_pairs(conv: Any, weight: Tensor, bias: Tensor) -> None:
    """Into a convolution over 2 x 2 places (its third row and column stay zero)."""
    channels = len(weight)
    _zero(conv)
    for rows, sign in ((slice(0, channels), _SCALE), (slice(channels, 2 * channels), -_SCALE)):
        conv.weight[rows, :, :2, :2] = sign * weight
        conv.bias[rows] = sign * bias
    conv.bias[2 * channels] = _CONSTANT


def _read_pairs(norm: Any, conv: Any, weight: Tensor, bias: Tensor) -> None:
    channels = weight.shape[1]
    norm.gamma.fill_(_CONSTANT / _SCALE / math.sqrt(norm.gamma.shape[0]))
    _zero(conv)
    conv.weight[:, :channels, -1, 1, 1] = weight
    conv.weight[:, channels : 2 * channels, -1, 1, 1] = -weight
    conv.bias.copy_(bias)
