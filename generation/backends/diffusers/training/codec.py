"""A stock AutoencoderKLWan whose weights are set to an exact linear codec of 16 x 16 patches, and then half let go.

The principal components of the world's patches become its two linear ends. What lies between begins transparent:
- the first convolution writes (a c, -a c, C) for the code c, so that SiLU(u) - SiLU(-u) = u can be read off later;
- residual and attention blocks get a zero last layer, which leaves their input as it is;
- the constant C dominates every place's norm, so RMS normalisation divides by a constant.
The encoder stays so. The decoder begins so, with residual branches that see the code at unit scale, and `decoder.py`
teaches it what the world looks like.
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
_DECODER_WIDTH = 68
_SCALE, _DECODER_SCALE = 0.02, 0.1  # a: small beside C, so that the norm stays constant
_CONSTANT = 10.0  # C
_LOG_VARIANCE = -12.0  # the encoder's distribution is a point in practice
_SAMPLE_CLIPS = 320


class Components(NamedTuple):
    """Mean patch (D), principal directions (D x D, best first) and their variances (D)."""

    mean: Tensor
    directions: Tensor
    variances: Tensor


class Projection(NamedTuple):
    """Codes of patches p (768 values as `patchify` lays them): (p - mean) basis / unit; basis is 768 x 30."""

    mean: Tensor
    basis: Tensor
    unit: Tensor


def make_codec(folder: Path, *, seed: int) -> dict[str, float]:
    """Writes `folder/vae`, its decoder linear still; returns its PSNR in dB on clips that it has not seen."""
    rng = random.Random(seed)
    torch.manual_seed(seed)
    sample = _clips(_SAMPLE_CLIPS, rng)
    projection = project(components(sample))
    vae = build(projection)
    set_latent_statistics(vae, torch.cat([raw_latents(vae, part) for part in sample.split(16)]))
    make_linear(vae, projection)
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


def project(found: Components, channels: int = CHANNELS) -> Projection:
    """On the best `channels` components, in units of the first one's deviation."""
    return Projection(found.mean, found.directions[:, :channels], found.variances[0].sqrt())


def build(projection: Projection) -> AutoencoderKLWan:
    """The codec with this projection as its encoder; the decoder is drawn from torch's global generator."""
    channels = projection.basis.shape[1]
    vae = AutoencoderKLWan(
        base_dim=2 * channels + 1,
        decoder_base_dim=_DECODER_WIDTH,
        z_dim=channels,
        dim_mult=[1],
        num_res_blocks=0,
        attn_scales=[],
        temperal_downsample=[],
        latents_mean=[0.0] * channels,
        latents_std=[1.0] * channels,
        in_channels=3 * PATCH * PATCH,
        out_channels=3 * PATCH * PATCH,
        patch_size=PATCH,
        scale_factor_temporal=1,
        scale_factor_spatial=PATCH,
    )
    weight = projection.basis.T / projection.unit
    with torch.no_grad():
        _make_transparent(vae.encoder)
        _write_pairs(vae.encoder.conv_in, weight, -weight @ projection.mean, _SCALE)
        to_moments = torch.cat([torch.eye(channels), torch.zeros(channels, channels)])
        moment_bias = torch.cat([torch.zeros(channels), torch.full((channels,), _LOG_VARIANCE)])
        _read_pairs(vae.encoder.norm_out, vae.encoder.conv_out, to_moments, moment_bias, _SCALE)
        _zero(vae.quant_conv)
        vae.quant_conv.weight[:, :, 0, 0, 0] = torch.eye(2 * channels)
    return vae.eval()


def make_linear(vae: AutoencoderKLWan, projection: Projection) -> None:
    """Sets the decoder to the projection's inverse. Its trunk carries codes as the video model sees them."""
    channels = vae.config.z_dim
    mean, deviation = (values.flatten() for values in _statistics(vae))
    with torch.no_grad():
        _make_transparent(vae.decoder)
        _zero(vae.post_quant_conv)
        vae.post_quant_conv.weight[:, :, 0, 0, 0] = torch.diag(1 / deviation)
        vae.post_quant_conv.bias.copy_(-mean / deviation)
        _write_pairs(vae.decoder.conv_in, torch.eye(channels), torch.zeros(channels), _DECODER_SCALE)
        basis = projection.basis * projection.unit
        _read_pairs(
            vae.decoder.norm_out,
            vae.decoder.conv_out,
            basis * deviation,
            projection.mean + basis @ mean,
            _DECODER_SCALE,
        )
        for module in vae.decoder.modules():
            if type(module).__name__ == "WanResidualBlock":
                module.norm1.gamma.copy_(vae.decoder.norm_out.gamma)
                module.norm1.gamma[2 * channels] = 1 / math.sqrt(_DECODER_WIDTH)


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


def _zero(layer: Any) -> None:
    for parameter in layer.parameters():
        parameter.zero_()


def _make_transparent(part: nn.Module) -> None:
    for module in part.modules():
        if type(module).__name__ == "WanResidualBlock":
            _zero(module.conv2)
        if type(module).__name__ == "WanAttentionBlock":
            _zero(module.proj)


def _write_pairs(conv: Any, weight: Tensor, bias: Tensor, scale: float) -> None:
    channels = len(weight)
    _zero(conv)
    for rows, factor in ((slice(0, channels), scale), (slice(channels, 2 * channels), -scale)):
        conv.weight[rows, :, -1, 1, 1] = factor * weight  # causal in time: the last tap is the frame itself
        conv.bias[rows] = factor * bias
    conv.bias[2 * channels] = _CONSTANT


def _read_pairs(norm: Any, conv: Any, weight: Tensor, bias: Tensor, scale: float) -> None:
    channels = weight.shape[1]
    norm.gamma.fill_(_CONSTANT / scale / math.sqrt(len(norm.gamma)))
    _zero(conv)
    conv.weight[:, :channels, -1, 1, 1] = weight
    conv.weight[:, channels : 2 * channels, -1, 1, 1] = -weight
    conv.bias.copy_(bias)
