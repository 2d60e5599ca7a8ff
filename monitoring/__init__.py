"""The machinery behind the signals: their model, and what is rendered from them."""
