"""Loading and checking takes at most half of what PyYAML's C loader takes to read the same file (benchmarks/data.py)."""

from __future__ import annotations

import importlib.util
import time
from pathlib import Path

import yaml

from gfdocs.data.load import load_dataset

BENCHMARK = Path(__file__).resolve().parents[2] / "benchmarks" / "data.py"


def test_half_the_time_of_a_bare_loader(tmp_path: Path) -> None:
    spec = importlib.util.spec_from_file_location("benchmark_data", BENCHMARK)
    assert spec is not None
    assert spec.loader is not None
    benchmark = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(benchmark)
    file = benchmark.write_project(tmp_path, 2000, "full")

    ours = theirs = float("inf")
    for _ in range(2):
        start = time.process_time()
        assert len(load_dataset(tmp_path).companies) == 2000
        ours = min(ours, time.process_time() - start)
        start = time.process_time()
        yaml.load(file.read_text(encoding="utf-8"), Loader=yaml.CSafeLoader)
        theirs = min(theirs, time.process_time() - start)

    assert ours <= theirs / 2
