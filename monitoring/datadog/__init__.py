"""What Datadog is to know, rendered from the signals: no network, no client."""
