"""Words of a text, whoever wrote it: a person who asks, a file name, a folder, a cell of a table."""

import re
import unicodedata

__all__ = ["words"]

MOST_WORDS, LONGEST = 24, 40  # words of a text, letters of a word
CAMEL = re.compile(r"(?<=[^\W\d_A-Z])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][^\W\d_A-Z])")
TOKEN = re.compile(r"[^\W\d_]+(?:['’][^\W\d_]+)*|\d+")


def words(text: str) -> list[str]:
    """`Door_woodOpen-03 (wood)` -> `door wood open 03`: casefolded, each once, numbers as words of their own.

    Letters of any script count, punctuation and emoji do not, nor do single Latin letters.
    """
    found: dict[str, None] = {}
    for token in TOKEN.findall(CAMEL.sub(" ", unicodedata.normalize("NFKC", text))):
        word = token.casefold().replace("’", "'")[:LONGEST]
        if len(word) > 1 or not word.isascii():
            found.setdefault(word)
        if len(found) == MOST_WORDS:
            break
    return list(found)
