"""A stock AutoencoderKLWan whose weights are set, not learned: an exact linear codec of 16 x 16 patches.

The principal components of the world's patches become its two linear ends. What lies between is made transparent:
- the first convolution writes (a c, -a c, C) for the code c, so that SiLU(u) - SiLU(-u) = u can be read off later;
- residual and attention blocks get a zero last layer, which leaves their input as it is;
- the constant C dominates every pixel's norm, so RMS normalisation divides by a constant.
"""

from __future__ import annotations

import math
import random
from pathlib import Path
from typing import Any, NamedTuple

import torch
from diffusers import AutoencoderKLWan
from diffusers.models.autoencoders.autoencoder_kl_wan import patchify
from torch import Tensor, nn

from generation.backends.diffusers.training import world
from generation.backends.diffusers.training.drawing.clip import draw_clip
from generation.backends.diffusers.training.drawing.scenes import mood

PATCH = 16
CHANNELS = 30
_SCALE = 0.02  # a: small beside C, so that the norm stays constant
_CONSTANT = 10.0  # C
_LOG_VARIANCE = -12.0  # the encoder's distribution is a point in practice
_SAMPLE_CLIPS = 320


class Components(NamedTuple):
    """Mean patch (D), principal directions (D x D, best first) and their variances (D)."""

    mean: Tensor
    directions: Tensor
    variances: Tensor


def make_codec(folder: Path, *, seed: int) -> dict[str, float]:
    """Writes `folder/vae`; returns its PSNR in dB on clips that it has not seen."""
    rng = random.Random(seed)
    sample = _clips(_SAMPLE_CLIPS, rng)
    found = components(sample)
    vae = build(found)
    set_latent_statistics(vae, torch.cat([raw_latents(vae, part) for part in sample.split(16)]))
    vae.save_pretrained(folder / "vae")
    unseen = _clips(24, rng)[:, :, :13]  # the stock encoder takes 1 + 4k frames
    with torch.no_grad():
        seen = vae.decode(vae.encode(unseen).latent_dist.mode()).sample
    error = (seen - unseen).square().mean().item() / 4  # from -1..1 to 0..1
    return {"psnr_db": round(-10 * math.log10(error), 2)}


def components(clips: Tensor) -> Components:
    """Principal components of the patches of clips (n x 3 x frames x 96 x 160 in -1..1)."""
    patches = torch.cat([_rows(patchify(part, PATCH)) for part in clips.split(16)])
    mean = patches.mean(0)
    covariance = (patches - mean).T @ (patches - mean) / len(patches)
    directions, variances, _ = torch.linalg.svd(covariance.double())
    return Components(mean, directions.float(), variances.float())


def build(found: Components, channels: int = CHANNELS) -> AutoencoderKLWan:
    """The codec of the best `channels` components, with latents scaled by the first one's deviation."""
    width = 3 * PATCH * PATCH
    vae = AutoencoderKLWan(
        base_dim=2 * channels + 1,
        decoder_base_dim=2 * channels + 1,
        z_dim=channels,
        dim_mult=[1],
        num_res_blocks=1,
        attn_scales=[],
        temperal_downsample=[],
        latents_mean=[0.0] * channels,
        latents_std=[1.0] * channels,
        in_channels=width,
        out_channels=width,
        patch_size=PATCH,
        scale_factor_temporal=1,
        scale_factor_spatial=PATCH,
    )
    basis, unit = found.directions[:, :channels], found.variances[0].sqrt()
    with torch.no_grad():
        for part in (vae.encoder, vae.decoder):
            _make_transparent(part)
        _write_pairs(vae.encoder.conv_in, basis.T / unit, -(basis.T @ found.mean) / unit)
        to_moments = torch.cat([torch.eye(channels), torch.zeros(channels, channels)])
        moment_bias = torch.cat([torch.zeros(channels), torch.full((channels,), _LOG_VARIANCE)])
        _read_pairs(vae.encoder.norm_out, vae.encoder.conv_out, to_moments, moment_bias)
        for conv in (vae.quant_conv, vae.post_quant_conv):
            _zero(conv)
            conv.weight[:, :, 0, 0, 0] = torch.eye(conv.weight.shape[0])
        _write_pairs(vae.decoder.conv_in, torch.eye(channels), torch.zeros(channels))
        _read_pairs(vae.decoder.norm_out, vae.decoder.conv_out, basis * unit, found.mean)
    return vae.eval()


def raw_latents(vae: AutoencoderKLWan, clips: Tensor) -> Tensor:
    """What `vae.encode` gives, in one product (it is affine): n x channels x frames x 6 x 10, not normalised."""
    conv, channels = vae.encoder.conv_in, vae.config.z_dim
    weight = conv.weight[:channels, :, -1, 1, 1].detach() / _SCALE
    bias = conv.bias[:channels].detach() / _SCALE
    product: Tensor = torch.einsum("kc,ncthw->nkthw", weight, patchify(clips, PATCH))
    shifted: Tensor = product + bias.view(1, -1, 1, 1, 1)
    return shifted


def set_latent_statistics(vae: AutoencoderKLWan, latents: Tensor) -> None:
    """Half-way between whitened and raw, unit variance over all: fine components keep a smaller say."""
    mean, deviation = latents.mean((0, 2, 3, 4)), latents.std((0, 2, 3, 4)).sqrt()
    scaled = (latents - mean.view(1, -1, 1, 1, 1)) / deviation.view(1, -1, 1, 1, 1)
    deviation = deviation * scaled.square().mean().sqrt()
    vae.register_to_config(latents_mean=mean.tolist(), latents_std=deviation.tolist())


def normalise(vae: AutoencoderKLWan, latents: Tensor) -> Tensor:
    """As the pipeline expects them: zero mean, unit variance over all channels together."""
    mean = torch.tensor(vae.config.latents_mean).view(1, -1, 1, 1, 1)
    deviation = torch.tensor(vae.config.latents_std).view(1, -1, 1, 1, 1)
    return (latents - mean) / deviation


def _clips(count: int, rng: random.Random) -> Tensor:
    drawn = [torch.from_numpy(draw_clip(world.sample(rng), mood(rng))[0]) for _ in range(count)]
    return torch.stack(drawn).permute(0, 4, 1, 2, 3) * 2 - 1


def _rows(patches: Tensor) -> Tensor:
    return patches.permute(0, 2, 3, 4, 1).flatten(0, 3)


def _zero(layer: Any) -> None:
    for parameter in layer.parameters():
        parameter.zero_()


def _make_transparent(part: nn.Module) -> None:
    for module in part.modules():
        if type(module).__name__ == "WanResidualBlock":
            _zero(module.conv2)
        if type(module).__name__ == "WanAttentionBlock":
            _zero(module.proj)


def _write_pairs(conv: Any, weight: Tensor, bias: Tensor) -> None:
    channels = len(weight)
    _zero(conv)
    for rows, sign in ((slice(0, channels), _SCALE), (slice(channels, 2 * channels), -_SCALE)):
        conv.weight[rows, :, -1, 1, 1] = sign * weight  # causal in time: the last tap is the frame itself
        conv.bias[rows] = sign * bias
    conv.bias[2 * channels] = _CONSTANT


def _read_pairs(norm: Any, conv: Any, weight: Tensor, bias: Tensor) -> None:
    channels = weight.shape[1]
    norm.gamma.fill_(_CONSTANT / _SCALE / math.sqrt(2 * channels + 1))
    _zero(conv)
    conv.weight[:, :channels, -1, 1, 1] = weight
    conv.weight[:, channels : 2 * channels, -1, 1, 1] = -weight
    conv.bias.copy_(bias)
