"""The model of the signals, and everything that is rendered from it."""
