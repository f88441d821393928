"""What the processors of a host can do, read from their names: vendor, generation, features."""

from __future__ import annotations

import re

INTEL, AMD = "GenuineIntel", "AuthenticAMD"
_XEON = re.compile(r"(?:Bronze|Silver|Gold|Platinum) \d(\d)\d\d")
_EPYC = re.compile(r"EPYC \d\d\d(\d)")
_CORE = re.compile(r"Core\(TM\) i\d-(\d\d)\d\d\d?")

_STEPS: dict[str, tuple[tuple[str, ...], ...]] = {
    INTEL: (
        ("sse4.2", "avx2", "avx512f", "avx512bw"),
        ("avx512_vnni",),
        ("sha_ni", "vaes", "gfni", "avx512_vbmi2"),
        ("amx_tile", "amx_int8", "avx512_fp16", "serialize"),
        ("amx_fp16",),
    ),
    AMD: (
        ("sse4.2", "avx2", "sha_ni", "sse4a"),
        ("clwb", "rdpid"),
        ("vaes", "pku", "invpcid"),
        ("avx512f", "avx512_vnni", "gfni"),
        ("avx512_vp2intersect", "movdiri"),
    ),
}
"""What each generation has beyond the one before it."""


def vendor(name: str) -> str:
    return AMD if "AMD" in name else INTEL


def generation(name: str) -> int:
    """1 to 5 within the vendor's servers; what is not known counts as the first."""
    for pattern in (_XEON, _EPYC):
        found = pattern.search(name)
        if found is not None:
            return max(1, min(5, int(found[1])))
    return 3 if _CORE.search(name) else 1


def features(name: str) -> frozenset[str]:
    """What a machine started on such a processor may use."""
    steps = _STEPS[vendor(name)][: generation(name)]
    return frozenset(feature for step in steps for feature in step)
