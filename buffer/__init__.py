"""The core stack: HTTP API → publish → FIFO queue → subscribe → backend, and the record."""

import os

# jsii greets every Node release past its end of life with a banner on each synth. We check
# Node's version ourselves; 20 still works.
os.environ.setdefault("JSII_SILENCE_WARNING_END_OF_LIFE_NODE_VERSION", "20,21,23")
