"""The true count of tokens: OpenAI's o200k vocabulary, whole, from the package bpe-openai."""

import warnings
from functools import cache
from typing import Any


def count(text: str) -> int:
    return len(_encoding().encode_ordinary(text))


@cache
def _encoding() -> Any:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)  # it reads its data in an old way
        import bpe_openai

        return bpe_openai.get_encoding("o200k_base")
