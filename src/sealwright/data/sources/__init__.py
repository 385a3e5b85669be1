"""Where rows come from: CSV, Parquet and Arrow files, SQL queries."""

from sealwright.data.sources.model import RejectedRow, Source, SourceBatch, SourceSpec
from sealwright.data.sources.opening import open_source

__all__ = ["RejectedRow", "Source", "SourceBatch", "SourceSpec", "open_source"]
