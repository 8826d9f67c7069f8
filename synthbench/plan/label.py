"""Labels as words."""

from __future__ import annotations

import re

NULL = re.compile(r"=null(?=[ )\]]|$)")


def label_words(label: str) -> list[str]:
    """The words of a label, the name first; what is in brackets is one.

    >>> label_words("mlp width=8 start=(mlp width=4)@500")
    ['mlp', 'width=8', 'start=(mlp width=4)@500']
    """
    words, depth = [""], 0
    for character in label:
        depth += (character == "(") - (character == ")")
        if character == " " and depth == 0:
            words.append("")
        else:
            words[-1] += character
    return words


def typed_label(label: str) -> str:
    """A label in the words of the command line, where nothing is `none`.

    >>> typed_label("transformer layers=2 clip=null")
    'transformer layers=2 clip=none'
    """
    return NULL.sub("=none", label)
