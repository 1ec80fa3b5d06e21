"""Text for people that any terminal and any file takes."""

from __future__ import annotations


def writable(text: str) -> str:
    """The text, with half of a surrogate pair shown as its escape: legal in JSON, and in no encoding of text.

    Services send such halves when they cut a text in the middle of an emoji.
    """
    return text if text.isascii() else text.encode("utf-8", "backslashreplace").decode("utf-8")
