"""The fuller text that the mixtures of released tokenizers are inferred from.

    python -m benchmarks.mixture_texts CORPORA FLORES OUT

CORPORA holds the folders `languages`, `code` and `domains` with one NAME.txt.xz per category, FLORES the
archives of FLORES-200. Writes OUT/GROUP/NAME.txt, one group a folder:

- `languages`: every language of CORPORA or of the list below but English. Documents of CORPORA and blocks of
  20 sentences of FLORES are shuffled, so that any prefix holds both.
- `english`: FLORES, the documentation of CORPORA/languages/en, and the kinds of English in CORPORA/domains.
- `code`: the programming languages, and what is written around text: html, xml, tex, markdown.
- `windows`: five of them with the line ends of Windows.

The same inputs give the same bytes.
"""

from __future__ import annotations

import argparse
import lzma
import random
import tarfile
from pathlib import Path

#: Bytes written of a category at most: more than any run here reads.
MOST_BYTES = 3_000_000
#: Sentences of FLORES that make a document.
BLOCK = 20
#: Name of a language here -> its file in FLORES-200.
_FLORES_FILES = """
ar=arb_Arab as=asm_Beng be=bel_Cyrl bg=bul_Cyrl bn=ben_Beng bs=bos_Latn ca=cat_Latn cs=ces_Latn
da=dan_Latn de=deu_Latn dz=dzo_Tibt el=ell_Grek eo=epo_Latn es=spa_Latn et=est_Latn eu=eus_Latn
fa=pes_Arab fi=fin_Latn fr=fra_Latn gl=glg_Latn gu=guj_Gujr he=heb_Hebr hi=hin_Deva hr=hrv_Latn
hu=hun_Latn hy=hye_Armn id=ind_Latn is=isl_Latn it=ita_Latn ja=jpn_Jpan ka=kat_Geor kk=kaz_Cyrl
km=khm_Khmr kn=kan_Knda ko=kor_Hang lt=lit_Latn lv=lvs_Latn mk=mkd_Cyrl ml=mal_Mlym mn=khk_Cyrl
mr=mar_Deva my=mya_Mymr nb=nob_Latn ne=npi_Deva nl=nld_Latn nn=nno_Latn pa=pan_Guru pl=pol_Latn
pt=por_Latn ro=ron_Latn ru=rus_Cyrl si=sin_Sinh sk=slk_Latn sl=slv_Latn sq=als_Latn sr=srp_Cyrl
sv=swe_Latn sw=swh_Latn ta=tam_Taml te=tel_Telu th=tha_Thai tl=tgl_Latn tr=tur_Latn uk=ukr_Cyrl
ur=urd_Arab vi=vie_Latn zh-cn=zho_Hans zh-tw=zho_Hant
"""
FLORES = dict(pair.split("=") for pair in _FLORES_FILES.split())
#: Kinds of English in CORPORA/domains; the others are code, or made of it.
ENGLISH = ("legal", "literature", "manpages", "programming-docs", "reference-dictionary", "speeches")
#: What is given with the line ends of Windows too.
WINDOWS = ("c", "csharp", "html", "javascript", "python")


def main() -> None:
    """Read, put together and write."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("corpora", type=Path)
    parser.add_argument("flores", type=Path)
    parser.add_argument("out", type=Path)
    arguments = parser.parse_args()
    corpora, out = arguments.corpora, arguments.out
    languages = {file.name.partition(".")[0] for file in (corpora / "languages").glob("*.txt.xz")}
    sentences = _flores(arguments.flores)
    for name in sorted((languages | set(FLORES)) - {"en"}):
        documents = _documents(corpora / "languages" / f"{name}.txt.xz") if name in languages else []
        documents += sentences.get(FLORES.get(name, ""), [])
        random.Random(name).shuffle(documents)
        _write(out / "languages" / f"{name}.txt", documents)
    _write(out / "english" / "flores.txt", sentences["eng_Latn"])
    _write(out / "english" / "documentation.txt", _documents(corpora / "languages" / "en.txt.xz"))
    for name in ENGLISH:
        _write(out / "english" / f"{name}.txt", _documents(corpora / "domains" / f"{name}.txt.xz"))
    _write(out / "code" / "markdown.txt", _documents(corpora / "domains" / "markdown-docs.txt.xz"))
    for file in sorted((corpora / "code").glob("*.txt.xz")):
        name, documents = file.name.partition(".")[0], _documents(file)
        _write(out / "code" / f"{name}.txt", documents)
        if name in WINDOWS:
            _write(out / "windows" / f"{name}.txt", documents, end="\r\n")


def _documents(file: Path) -> list[str]:
    """Return the documents of a compressed file, which blank lines separate."""
    with lzma.open(file, "rt", encoding="utf-8") as stream:
        text = stream.read(2 * MOST_BYTES)
    return [document for document in text.split("\n\n") if document.strip()]


def _flores(folder: Path) -> dict[str, list[str]]:
    """Return language -> blocks of sentences."""
    blocks: dict[str, list[str]] = {}
    for archive in sorted(folder.glob("*.tar.xz")):
        with tarfile.open(archive) as files:
            for member in files:
                language = Path(member.name).stem
                if language in (*FLORES.values(), "eng_Latn") and (file := files.extractfile(member)):
                    lines = file.read().decode("utf-8").splitlines()
                    starts = range(0, len(lines), BLOCK)
                    blocks.setdefault(language, []).extend("\n".join(lines[s : s + BLOCK]) for s in starts)
    return blocks


def _write(path: Path, documents: list[str], end: str = "\n") -> None:
    """Write as many whole documents as `MOST_BYTES` hold."""
    path.parent.mkdir(parents=True, exist_ok=True)
    written = 0
    with path.open("wb") as file:
        for document in documents:
            data = (document + "\n\n").replace("\n", end).encode("utf-8")
            if written + len(data) > MOST_BYTES:
                break
            written += file.write(data)


if __name__ == "__main__":
    main()
