"""What goes wrong in a user's hands: every error the command shows, in one tree."""

from __future__ import annotations


class AlarmproofError(Exception):
    """Base of every error that is for the user to read; it says what, where and the remedy."""

    exit_code = 1


class InputError(AlarmproofError):
    """When an argument or a file can't be used."""

    exit_code = 2
