"""What ``make docs`` runs: errors of the definitions, also those of Python, without a traceback."""

from __future__ import annotations

from webhook_buffer.cli.main import run


def main() -> None:
    """Loads the definitions and regenerates the documents."""
    from webhook_buffer.cli import docs

    docs.main()


if __name__ == "__main__":
    run(main)
