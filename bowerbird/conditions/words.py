"""Words of a text, whoever wrote it: a person who asks, a file name, a folder, a cell of a table."""

import re
import unicodedata

__all__ = ["words"]

MOST_WORDS, LONGEST = 24, 40  # words of a text, letters of a word
CAMEL = re.compile(r"(?<=[^\W\d_A-Z])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][^\W\d_A-Z])")
TOKEN = re.compile(r"\d+|[^\W\d_](?:'?[^\W\d_])*")
COMBINES = "M"  # the Unicode category of what belongs to the letter before it, such as a vowel of Hindi


def words(text: str) -> list[str]:
    """`Door_woodOpen-03 (wood)` -> `door wood open 03`: casefolded, each once, numbers as words of their own.

    Letters of any script count, punctuation and emoji do not, nor do single Latin letters.
    """
    plain = unicodedata.normalize("NFKC", text).replace("’", "'")
    found: dict[str, None] = {}
    for token in _tokens(CAMEL.sub(" ", plain)):
        word = token.casefold()[:LONGEST]
        if len(word) > 1 or not word.isascii():
            found.setdefault(word)
        if len(found) == MOST_WORDS:
            break
    return list(found)


def _tokens(text: str) -> list[str]:
    """Runs of letters or of digits; for marks that combine with a letter a letter stands in meanwhile."""
    marks = [place for place, letter in enumerate(text) if unicodedata.category(letter)[0] == COMBINES]
    stood_in = list(text)
    for place in marks:
        stood_in[place] = "x"
    found = TOKEN.finditer("".join(stood_in))
    return [text[one.start() : one.end()] for one in found]
