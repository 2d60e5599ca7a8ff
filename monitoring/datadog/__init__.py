"""What is published to Datadog, rendered from the signals: no network, no client."""
