"""All benchmarks, one after the other: what | figure | budget.

    python tests/bench/run.py

A few minutes on two cores. Figures are medians of this machine at this moment; nothing is judged,
and no test depends on them. The grid's own comparison with Textual's table is
``python -m tests.bench.bench_grid``.
"""

from __future__ import annotations

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[2]))

from tests.bench import bench_codec, bench_deck, bench_graph, bench_scale

if __name__ == "__main__":
    for part in (bench_deck, bench_graph, bench_scale, bench_codec):
        part.main([])
