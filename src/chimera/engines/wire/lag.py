"""How long data lay in the kernel before the client read it: a histogram in powers of two."""

from __future__ import annotations

_BINS = 64


class LagHistogram:
    """Counts of lags by their number of bits: exact within a factor of two, and cheap."""

    def __init__(self) -> None:
        self.bins = [0] * _BINS
        self.most = 0

    def add(self, lag_ns: int) -> None:
        self.bins[lag_ns.bit_length()] += 1
        if lag_ns > self.most:  # noqa: PLR1730 - once for every piece that arrives
            self.most = lag_ns

    def merge(self, bins: list[int], most: int) -> None:
        """Add the counts of another histogram."""
        for bits, count in enumerate(bins):
            self.bins[bits] += count
        self.most = max(self.most, most)

    @property
    def count(self) -> int:
        return sum(self.bins)

    def quantile_ns(self, share: float) -> int | None:
        """A bound below which ``share`` of all lags lie; None without any."""
        total = self.count
        if not total:
            return None
        seen = 0
        for bits, count in enumerate(self.bins):
            seen += count
            if seen >= share * total:
                return min((1 << bits) - 1, self.most)
        return self.most
