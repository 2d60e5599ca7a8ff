"""The core stack: HTTP API → publish → FIFO queue → subscribe → backend, and the record."""
