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

from tests.bench import (
    bench_codec,
    bench_deck,
    bench_graph,
    bench_history,
    bench_scale,
    bench_tables,
)

PARTS = (bench_deck, bench_graph, bench_tables, bench_scale, bench_history, bench_codec)

if __name__ == "__main__":
    for part in PARTS:
        part.main([])
