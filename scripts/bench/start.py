"""What a training run costs before its first step: gate, tokenising, splitting.

A house of synthetic works is made in a temporary folder. Each measurement is a process of its own:
cold with an empty cache, warm with what the first one kept. Seconds are processor time, which a
busy machine does not stretch, of all processes, and by the clock; memory is what the process has
gained while it holds the works, without the pages of the file that they are in, which the system
takes back when it needs them. Of the batches that are then drawn, it is what the later half adds.
"""

from __future__ import annotations

import os
import tempfile
import time
from collections import deque
from collections.abc import Iterator
from itertools import islice
from pathlib import Path
from typing import Any

from bench.machine import alone
from bench.provenance import make_house

WORKS = 10_000
BATCHES = 400


def run(args: Any) -> dict[str, Any]:
    """Start a run over `args.works` synthetic works (10,000 by default), cold and warm.

    Returns:
        works, events, and for cold and warm: seconds of the gate alone, of all, of all by the
        clock, milliseconds a work of all, bytes of memory a work, and bytes of memory that
        drawing batches goes on to take.
    """
    count = int(args.works or WORKS)
    with tempfile.TemporaryDirectory() as folder:
        house, _ = make_house(Path(folder) / "house", count)
        starts = [
            {"cache": cache, **alone(_start, house, Path(folder) / "cache", BATCHES)}
            for cache in ("cold", "warm")
        ]
    return {"works": count, "starts": starts}


def _start(house: Any, cache: Path, batches: int) -> dict[str, Any]:
    from gen.data.batches import DataConfig
    from gen.data.cache import CACHE_VARIABLE
    from gen.data.module import HouseData
    from gen.provenance.admission.gate import admit

    os.environ[CACHE_VARIABLE] = str(cache)
    begin = _processor_seconds()
    admit(house.folder, "general_model", pin=house.pin).require_clean()
    gate = _processor_seconds() - begin
    before, begin, clock = anonymous_bytes(), _processor_seconds(), time.perf_counter()
    data = HouseData(house.folder, house.pin, "general_model", DataConfig(512, 2))
    data.setup()
    seconds, clock = _processor_seconds() - begin, time.perf_counter() - clock
    works, held = len(data.works), max(anonymous_bytes() - before, 0)
    return {
        "gate_seconds": gate,
        "seconds": seconds,
        "clock_seconds": clock,
        "ms_per_work": 1000 * seconds / works,
        "events": sum(len(work.events) for work in data.works),
        "memory_bytes_per_work": held // works,
        "memory_bytes_of_batches": _drawn(iter(data.train_dataloader()), batches),
    }


def _drawn(stream: Iterator[Any], batches: int) -> int:
    """Memory gained while the second half of so many batches is drawn."""
    deque(islice(stream, batches // 2), maxlen=0)
    before = anonymous_bytes()
    deque(islice(stream, batches // 2), maxlen=0)
    return max(anonymous_bytes() - before, 0)


def _processor_seconds() -> float:
    """Of this process, and of those it has awaited in hundredths."""
    return time.process_time() + sum(os.times()[2:4])


def anonymous_bytes() -> int:
    """Memory of this process that no file stands behind; 0 where the platform does not tell."""
    try:
        lines = Path("/proc/self/status").read_text(encoding="ascii").splitlines()
    except FileNotFoundError:
        return 0
    found = next((line for line in lines if line.startswith("RssAnon:")), "RssAnon: 0 kB")
    return int(found.split()[1]) * 1024
