"""The laptop: the embedded AWS emulator, the scripted backend, and the demo."""
