"""What a person sees while archives are downloaded."""

from __future__ import annotations

import sys
import time
from typing import TextIO

from tqdm import tqdm


class Bar:
    """One download: a bar on a terminal, one line at its end elsewhere."""

    def __init__(self, label: str, total: int, stream: TextIO | None) -> None:
        self.label, self.stream = label, stream
        self.got, self.began = 0, time.monotonic()
        self.bar = None
        if stream is not None and stream.isatty():
            self.bar = tqdm(total=total, desc=label, unit="B", unit_scale=True, file=stream, leave=False)

    def update(self, count: int) -> None:
        """``count`` more bytes are here; negative when some had to be thrown away."""
        self.got += count
        if self.bar is not None:
            self.bar.update(count)

    def close(self, done: bool) -> None:
        if self.bar is not None:
            self.bar.close()
        if done and self.stream is not None:
            seconds = time.monotonic() - self.began
            line = f"{self.label}: {self.got / 1e6:.1f} MB in {seconds:.1f} s"
            tqdm.write(line, file=self.stream)


class Progress:
    """Makes the bars; ``enabled`` false shows nothing."""

    def __init__(self, enabled: bool, stream: TextIO | None = None) -> None:
        self.stream = (stream or sys.stderr) if enabled else None

    def bar(self, label: str, total: int) -> Bar:
        return Bar(label, total, self.stream)
