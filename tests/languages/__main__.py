"""make catalogues: take new sentences into the catalogues, and those that are gone out of them."""

from __future__ import annotations

from tests.languages.catalogues import FILES, read, written
from tests.languages.sentences import collected

if __name__ == "__main__":
    texts = collected()
    for language, path in FILES.items():
        known = read(path)
        path.write_text(written(known, texts), encoding="utf-8")
        new = [text.english for text in texts if text.english not in known]
        print(f"{language}: {len(texts)} sentences, {len(new)} to be translated", *new, sep="\n  ")
