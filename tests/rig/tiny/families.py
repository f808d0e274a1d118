"""Every family that we run, with who writes its tiny checkpoint."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from types import MappingProxyType
from typing import Final

from tests.rig.tiny import cogvideox, hunyuan, ltx, mochi, wan

Writes = Callable[[Path], None]

# Run with the other tests.
COMMON: Final[Mapping[str, Writes]] = MappingProxyType(
    {
        "Wan 2.1": wan.save_tiny_wan,
        "Wan 2.1 from pictures": wan.save_tiny_wan_picture,
        "Wan 2.2 TI2V 5B": wan.save_tiny_wan_5b,
        "Wan 2.2 A14B": wan.save_tiny_wan_a14b,
        "LTX-Video": ltx.save_tiny_ltx,
        "LTX-Video 0.9.5 and later": ltx.save_tiny_ltx_095,
        "CogVideoX": cogvideox.save_tiny_cogvideox,
    }
)
# Run by `make test-models`.
OTHERS: Final[Mapping[str, Writes]] = MappingProxyType(
    {
        "Wan 2.2 A14B from pictures": wan.save_tiny_wan_a14b_picture,
        "LTX-Video 0.9.1": ltx.save_tiny_ltx_091,
        "LTX-2": ltx.save_tiny_ltx_2,
        "HunyuanVideo": hunyuan.save_tiny_hunyuan,
        "HunyuanVideo 1.5": hunyuan.save_tiny_hunyuan_15,
        "HunyuanVideo 1.5 from pictures": hunyuan.save_tiny_hunyuan_15_picture,
        "CogVideoX from pictures": cogvideox.save_tiny_cogvideox_picture,
        "CogVideoX 1.5": cogvideox.save_tiny_cogvideox_15,
        "CogVideoX 1.5 from pictures": cogvideox.save_tiny_cogvideox_15_picture,
        "Mochi": mochi.save_tiny_mochi,
    }
)
