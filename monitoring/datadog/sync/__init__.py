"""Publishing to Datadog: what differs, and making it so."""
