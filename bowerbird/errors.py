"""Errors meant for people: one sentence that says what happened, where, and what to do.

The command line prints the sentence and leaves with `exit_code`; anything else that escapes is a bug of ours.
"""

import errno

__all__ = ["BowerbirdError", "UsageError"]


class BowerbirdError(Exception):
    """The work could not be done (bad files, full disk, diverged training)."""

    exit_code = 1


class UsageError(BowerbirdError):
    """The request itself was wrong (unknown name, value out of range, path that does not exist)."""

    exit_code = 2


def way_out(error: Exception) -> str:
    """What to do where writing failed."""
    full = getattr(error, "errno", None) in (None, errno.ENOSPC, errno.EDQUOT, errno.EFBIG)  # None: a library does not say
    return "free some space or choose another folder" if full else "choose another folder"


def known(names: object) -> str:
    """`names` as a readable list for the end of an error sentence: "known: a, b, 2, 10"."""
    every = [str(name) for name in names]  # type: ignore[attr-defined]
    listed = sorted(every, key=lambda name: (name.isdecimal(), int(name) if name.isdecimal() else 0, name))
    shown = ", ".join(listed[:40]) + (f" and {len(listed) - 40} more" if len(listed) > 40 else "")
    return f"known: {shown or 'none'}"
