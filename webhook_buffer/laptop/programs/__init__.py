"""The laptop's programs: how one is started, recorded and stopped, and how it listens safely."""
