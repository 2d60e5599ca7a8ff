"""Recorded conversations with Datadog's API, played: ``python -m tests.datadog_recordings FILE``.

The file is gzipped, and holds one JSON object a line: ``name`` and ``calls``, each with ``kind``,
``method``, ``path``, ``query``, ``body``, ``status`` and ``reply``.
"""
