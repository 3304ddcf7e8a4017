"""How transformers' tokenizer classes turn the files of a folder into token ids, as a table.

A row says which entries a class puts before, in place of and behind those of the vocabulary file, which
tokens it takes for its roles where the folder names none, and what it does to text. Read off transformers
5.23, whose classes the tests build from small files and compare id by id. One row differs from it on purpose,
because the released matrices do: NLLB's `<mask>` comes after the language codes, as in transformers 4.

Left out: classes whose cutting of text is code and not data (jieba, Moses, MeCab, phonemes, characters); they
are in `UNREAD_CLASSES` with the reason.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from forensics.sources.interface import TokenizerModel
from forensics.sources.tokenizer_files.class_names import (
    M2M100_CODES,
    MBART50_CODES,
    MBART_CODES,
    NLLB_CODES,
)

__all__ = ["RECIPES", "UNREAD_CLASSES", "Recipe"]

BPE, UNIGRAM, WORDPIECE = TokenizerModel.BPE, TokenizerModel.UNIGRAM, TokenizerModel.WORDPIECE

#: Names of vocabulary files: SentencePiece models under any of their names, see `class_folder`.
SPM = ("*.model",)
JSON_BPE = ("vocab.json", "merges.txt")
TXT = ("vocab.txt",)
#: A SentencePiece model whose pieces have the ids of a table beside it; Marian has one for each language.
SPM_AND_VOCAB = ("vocab.json", "*.model")
MARIAN = ("vocab.json", "source.spm", "target.spm")


@dataclass(frozen=True)
class Recipe:
    """How one class reads its files; `{role}` in an entry stands for the text of that role's token."""

    #: The files it needs.
    files: tuple[str, ...]
    #: The algorithm; None as the SentencePiece model says.
    model: TokenizerModel | None
    #: What is done to text: a key of `class_parts.PARTS`.
    parts: str
    #: Role (`bos`, ...) or other name (`mask_token_sent`) -> the token it has where no file says.
    roles: Mapping[str, str]
    #: Entries that take the place of the first ones of the file.
    first: tuple[str, ...] = ()
    #: How many of the file's entries they replace.
    skip: int = 0
    #: Entries behind those of the file.
    last: tuple[str, ...] = ()
    #: Whether entries of the file that stand in `first` too are left out, wherever they are.
    without_repeats: bool = False
    #: Special tokens that are added whatever the files say, after the roles.
    extra: tuple[str, ...] = ()
    #: Number of `<extra_id_N>` entries, counted down, where no file says (T5).
    extra_ids: int = 0
    #: Whether `<mask>` takes the space before it (and is looked for in normalized text, as it comes).
    greedy_mask: bool = False
    #: Whether every role's token takes the spaces around it.
    greedy_roles: bool = False
    #: The unknown token's id in Unigram: a number, or None for the place of the `unk` role's token, else what
    #: the SentencePiece model says.
    unk_id: int | None = None
    #: Whether BPE has an unknown token, joins its runs and spells with `<0xNN>`.
    has_unk: bool = False
    fuse_unk: bool = False
    byte_fallback: bool = False
    #: What ends a word (CLIP's `</w>`).
    end_of_word: str = ""
    #: Roles around a text, `$A` standing for it.
    template: tuple[str, ...] = ()
    #: Whether the class lets SentencePiece itself cut text, so that control pieces never come of it.
    native: bool = False
    #: Remarks for a reader of the report.
    notes: tuple[str, ...] = field(default=())

    @property
    def byte_level(self) -> bool:
        """Whether pieces are spelt in GPT-2's byte alphabet."""
        return self.files == JSON_BPE and self.parts not in ("herbert", "openai")


_FAIRSEQ = {
    "bos": "<s>",
    "eos": "</s>",
    "unk": "<unk>",
    "sep": "</s>",
    "pad": "<pad>",
    "cls": "<s>",
    "mask": "<mask>",
}
_NO_MASK = {role: text for role, text in _FAIRSEQ.items() if role != "mask"}
_SQUARE = {"unk": "[UNK]", "sep": "[SEP]", "pad": "[PAD]", "cls": "[CLS]", "mask": "[MASK]"}
_SQUARE_ALL = {"bos": "[CLS]", "eos": "[SEP]", **_SQUARE}
_ALBERT = {**_SQUARE_ALL, "unk": "<unk>", "pad": "<pad>"}
_T5 = {"eos": "</s>", "unk": "<unk>", "pad": "<pad>"}
_ENDOFTEXT = dict.fromkeys(("bos", "eos", "unk"), "<|endoftext|>")
_GEMMA = {"bos": "<bos>", "eos": "<eos>", "unk": "<unk>", "pad": "<pad>", "mask": "<mask>"}
_SHIFTED = ("{bos}", "{pad}", "{eos}", "{unk}")
_AROUND = ("cls", "$A", "sep")
_ENDED = ("$A", "eos")
_IN_S = ("bos", "$A", "eos")

_XLM_R = Recipe(
    SPM, UNIGRAM, "words", _FAIRSEQ, first=_SHIFTED, skip=3, last=("{mask}",), unk_id=3, template=_IN_S
)
_MBART = replace(
    _XLM_R,
    parts="words-no-map",
    last=(*MBART_CODES, "{mask}"),
    extra=MBART_CODES,
    greedy_mask=True,
    template=(),
)
_ALBERT_RECIPE = Recipe(SPM, UNIGRAM, "albert", _ALBERT, unk_id=1, template=_AROUND)
_T5_RECIPE = Recipe(SPM, UNIGRAM, "words-always", _T5, extra_ids=100, unk_id=2, template=_ENDED)
_LLAMA = Recipe(
    SPM,
    BPE,
    "llama",
    {"bos": "<s>", "eos": "</s>", "unk": "<unk>"},
    fuse_unk=True,
    byte_fallback=True,
)
_GEMMA_RECIPE = Recipe(SPM, BPE, "gemma", _GEMMA, has_unk=True, fuse_unk=True, byte_fallback=True)
_GPT2 = Recipe(JSON_BPE, BPE, "gpt2", _ENDOFTEXT)
_ROBERTA = Recipe(JSON_BPE, BPE, "gpt2", _FAIRSEQ, template=("cls", "$A", "sep"))
_QWEN2 = Recipe(JSON_BPE, BPE, "qwen2", {**dict.fromkeys(("eos", "unk", "pad"), "<|endoftext|>")})
_BERT = Recipe(TXT, WORDPIECE, "bert", _SQUARE, template=_AROUND)
_MASKED_ROBERTA = replace(_ROBERTA, greedy_mask=True)

_SENTENCEPIECE: Mapping[str, Recipe] = {
    "XLMRobertaTokenizer": _XLM_R,
    "LayoutXLMTokenizer": replace(_XLM_R, parts="layoutxlm", greedy_mask=True),
    "MBartTokenizer": _MBART,
    "MBart50Tokenizer": replace(
        _MBART,
        parts="map-two-spaces",
        roles={role: text for role, text in _FAIRSEQ.items() if role != "bos"},
        first=("{cls}", "{pad}", "{eos}", "{unk}"),
        last=(*MBART50_CODES, "{mask}"),
        extra=MBART50_CODES,
    ),
    "NllbTokenizer": Recipe(
        SPM,
        BPE,
        "map-metaspace",
        _FAIRSEQ,
        first=_SHIFTED,
        last=(*NLLB_CODES, "{mask}"),
        without_repeats=True,
        extra=NLLB_CODES,
        greedy_mask=True,
        has_unk=True,
        fuse_unk=True,
    ),
    "SeamlessM4TTokenizer": Recipe(
        SPM,
        BPE,
        "seamless",
        _NO_MASK,
        first=("{pad}", "{unk}", "{bos}", "{eos}"),
        without_repeats=True,
        has_unk=True,
        fuse_unk=True,
    ),
    "XGLMTokenizer": replace(
        _XLM_R,
        parts="map-two-spaces",
        roles=_NO_MASK,
        last=tuple(f"<madeupword{number}>" for number in range(7)),
        extra=tuple(f"<madeupword{number}>" for number in range(7)),
        template=("eos", "$A"),
    ),
    "T5Tokenizer": _T5_RECIPE,
    "VideoPrismTokenizer": replace(_T5_RECIPE, template=()),
    "LasrTokenizer": replace(
        _T5_RECIPE, extra_ids=0, extra=tuple(f"<extra_id_{n}>" for n in range(100)), unk_id=3
    ),
    "UdopTokenizer": Recipe(SPM, UNIGRAM, "words-no-map", {**_T5, "sep": "</s>"}, template=_ENDED),
    "AlbertTokenizer": _ALBERT_RECIPE,
    "FNetTokenizer": _ALBERT_RECIPE,
    "CamembertTokenizer": Recipe(
        SPM,
        UNIGRAM,
        "words",
        _FAIRSEQ,
        first=("<s>NOTUSED", "{pad}", "</s>NOTUSED", "{unk}", "<unk>NOTUSED"),
        skip=1,
        last=("{mask}",),
        greedy_mask=True,
        template=_IN_S,
    ),
    "BarthezTokenizer": Recipe(SPM, UNIGRAM, "barthez", _FAIRSEQ, greedy_mask=True, unk_id=3),
    "MLukeTokenizer": Recipe(
        SPM,
        UNIGRAM,
        "mluke",
        _FAIRSEQ,
        extra=("\u2581<ent>", "\u2581<ent2>", "[UNK]", "[PAD]", "[MASK]", "[MASK2]"),
        greedy_mask=True,
        unk_id=0,
    ),
    "PegasusTokenizer": Recipe(
        SPM,
        UNIGRAM,
        "pegasus",
        {"eos": "</s>", "unk": "<unk>", "pad": "<pad>", "mask": "<mask_2>", "mask_token_sent": "<mask_1>"},
        first=("{pad}", "{eos}", "{mask_token_sent}", "{mask}", *(f"<unk_{n}>" for n in range(2, 103))),
        skip=2,
        extra=tuple(f"<unk_{number}>" for number in range(2, 103)),
        template=_ENDED,
    ),
    "XLNetTokenizer": Recipe(
        SPM,
        UNIGRAM,
        "xlnet",
        {**_FAIRSEQ, "sep": "<sep>", "cls": "<cls>"},
        greedy_mask=True,
        template=("$A", "sep", "cls"),
    ),
    "RemBertTokenizer": Recipe(SPM, UNIGRAM, "rembert", _ALBERT, unk_id=2),
    "DebertaV2Tokenizer": Recipe(SPM, UNIGRAM, "deberta-v2", _SQUARE_ALL, template=_AROUND),
    "BigBirdTokenizer": Recipe(
        SPM,
        UNIGRAM,
        "big-bird",
        {**_FAIRSEQ, "sep": "[SEP]", "cls": "[CLS]", "mask": "[MASK]"},
        greedy_mask=True,
        template=_AROUND,
    ),
    "ReformerTokenizer": Recipe(
        SPM, BPE, "map-metaspace", {"eos": "</s>", "unk": "<unk>"}, has_unk=True, fuse_unk=True
    ),
    "LlamaTokenizer": _LLAMA,
    "CodeLlamaTokenizer": replace(
        _LLAMA,
        has_unk=True,
        extra=("\u2581<PRE>", "\u2581<MID>", "\u2581<SUF>", "\u2581<EOT>", "<FILL_ME>"),
    ),
    "GemmaTokenizer": _GEMMA_RECIPE,
    "Siglip2Tokenizer": _GEMMA_RECIPE,
    "Tipsv2Tokenizer": Recipe(
        SPM, BPE, "tipsv2", {"unk": "<unk>", "pad": "<pad>"}, fuse_unk=True, byte_fallback=True
    ),
}
_VOCAB_AND_MERGES: Mapping[str, Recipe] = {
    "GPT2Tokenizer": _GPT2,
    "CodeGenTokenizer": _GPT2,
    "WhisperTokenizer": _GPT2,
    "RobertaTokenizer": _ROBERTA,
    "BartTokenizer": _ROBERTA,
    "LongformerTokenizer": _ROBERTA,
    "LEDTokenizer": _ROBERTA,
    "MvpTokenizer": _ROBERTA,
    "LayoutLMv3Tokenizer": replace(_ROBERTA, parts="gpt2-prefixed"),
    "BlenderbotTokenizer": replace(_ROBERTA, parts="gpt2-prefixed", greedy_mask=True, template=()),
    "MarkupLMTokenizer": _MASKED_ROBERTA,
    "LukeTokenizer": replace(
        _ROBERTA,
        roles={
            **_FAIRSEQ,
            "entity_unk_token": "[UNK]",
            "entity_pad_token": "[PAD]",
            "entity_mask_token": "[MASK]",
            "entity_mask2_token": "[MASK2]",
        },
        extra=("<ent>", "<ent2>"),
    ),
    "DebertaTokenizer": Recipe(JSON_BPE, BPE, "gpt2", _SQUARE_ALL, template=_AROUND),
    "GPTNeoXTokenizer": replace(_GPT2, parts="gpt-neox", roles={**_ENDOFTEXT, "pad": "<|padding|>"}),
    "CohereTokenizer": Recipe(
        JSON_BPE,
        BPE,
        "cohere",
        {
            "bos": "<BOS_TOKEN>",
            "eos": "<|END_OF_TURN_TOKEN|>",
            "unk": "<UNK>",
            "sep": "<SEP>",
            "pad": "<PAD>",
            "cls": "<CLS>",
            "mask": "<MASK_TOKEN>",
        },
    ),
    "NougatTokenizer": Recipe(
        JSON_BPE, BPE, "nougat", {"bos": "<s>", "eos": "</s>", "unk": "<unk>", "pad": "<pad>"}
    ),
    "Qwen2Tokenizer": _QWEN2,
    "Qwen3_5Tokenizer": replace(_QWEN2, parts="qwen3.5"),
    "CLIPTokenizer": Recipe(
        JSON_BPE,
        BPE,
        "clip",
        {"bos": "<|startoftext|>", **dict.fromkeys(("eos", "unk", "pad"), "<|endoftext|>")},
        has_unk=True,
        end_of_word="</w>",
        template=_IN_S,
    ),
    "HerbertTokenizer": Recipe(
        JSON_BPE,
        BPE,
        "herbert",
        {"unk": "<unk>", "sep": "</s>", "pad": "<pad>", "cls": "<s>", "mask": "<mask>"},
        has_unk=True,
        end_of_word="</w>",
        template=_AROUND,
    ),
    "OpenAIGPTTokenizer": Recipe(JSON_BPE, BPE, "openai", {"unk": "<unk>"}, has_unk=True, end_of_word="</w>"),
}
_BERT_LIKE = (
    "BertTokenizer DistilBertTokenizer ConvBertTokenizer DPRContextEncoderTokenizer "
    "DPRQuestionEncoderTokenizer DPRReaderTokenizer ElectraTokenizer LayoutLMTokenizer LayoutLMv2Tokenizer "
    "LxmertTokenizer MobileBertTokenizer RealmTokenizer RetriBertTokenizer SqueezeBertTokenizer "
    "BertTokenizerLegacy"
)
_VOCAB_TXT: Mapping[str, Recipe] = {
    **dict.fromkeys(_BERT_LIKE.split(), _BERT),
    "SplinterTokenizer": replace(_BERT, roles={**_SQUARE, "question_token": "[QUESTION]"}),
    "FunnelTokenizer": replace(
        _BERT,
        roles={
            "bos": "<s>",
            "eos": "</s>",
            "unk": "<unk>",
            "sep": "<sep>",
            "pad": "<pad>",
            "cls": "<cls>",
            "mask": "<mask>",
        },
    ),
    "MPNetTokenizer": replace(_BERT, roles={**_FAIRSEQ, "unk": "[UNK]"}, greedy_mask=True),
}

_NATIVE = Recipe(
    SPM, None, "native", {"bos": "<s>", "eos": "</s>", "unk": "<unk>", "pad": "<pad>"}, native=True
)
_PLBART_CODES = ("__java__", "__python__", "__en_XX__")
_SENTENCEPIECE_ITSELF: Mapping[str, Recipe] = {
    "BertGenerationTokenizer": replace(_NATIVE, roles={**_NATIVE.roles, "sep": "<::::>"}),
    "SpeechT5Tokenizer": _NATIVE,
    "GPTSw3Tokenizer": replace(_NATIVE, parts="gpt-sw3", roles={**_NATIVE.roles, "eos": "<|endoftext|>"}),
    "SiglipTokenizer": replace(
        _NATIVE,
        parts="siglip",
        roles={"eos": "</s>", "unk": "<unk>", "pad": "</s>"},
        greedy_roles=True,
        template=_ENDED,
        notes=("how SigLIP's code cleans texts with punctuation is repeated roughly",),
    ),
    "PLBartTokenizer": replace(
        _NATIVE,
        roles=_FAIRSEQ,
        first=_SHIFTED,
        skip=3,
        last=(*_PLBART_CODES, "{mask}"),
        extra=_PLBART_CODES,
        greedy_mask=True,
    ),
    "M2M100Tokenizer": replace(
        _NATIVE,
        files=SPM_AND_VOCAB,
        roles={role: text for role, text in _NO_MASK.items() if role != "cls"},
        last=tuple(f"__{code}__" for code in M2M100_CODES),
        extra=tuple(f"__{code}__" for code in M2M100_CODES),
    ),
    "Speech2TextTokenizer": replace(_NATIVE, files=SPM_AND_VOCAB),
    "MarianTokenizer": replace(
        _NATIVE,
        files=MARIAN,
        roles={"eos": "</s>", "unk": "<unk>", "pad": "<pad>"},
        template=_ENDED,
        notes=(
            "pieces of the target language alone are cut as target.spm does, in one encoder with those of "
            "source.spm, which comes first where both have a piece",
        ),
    ),
}

#: Class name without `Fast` -> how it reads a folder.
RECIPES: Mapping[str, Recipe] = {
    **_SENTENCEPIECE,
    **_SENTENCEPIECE_ITSELF,
    **_VOCAB_AND_MERGES,
    **_VOCAB_TXT,
}

_CODE = "cuts text with code of its own"
#: Class name -> why a folder of it without tokenizer.json is refused.
UNREAD_CLASSES: Mapping[str, str] = {
    "BartphoTokenizer": "maps a SentencePiece model through a dictionary of its own",
    "BertJapaneseTokenizer": f"{_CODE} (MeCab, Sudachi, Juman++)",
    "BertweetTokenizer": f"{_CODE} (tweets), over bpe.codes",
    "BioGptTokenizer": f"{_CODE} (Moses)",
    "BlenderbotSmallTokenizer": f"{_CODE}, over pieces that end in @@",
    "ByT5Tokenizer": "has bytes for tokens and no vocabulary file",
    "CanineTokenizer": "has code points for tokens and no vocabulary file",
    "ClvpTokenizer": f"{_CODE} (English normalisation)",
    "CpmAntTokenizer": f"{_CODE} (jieba)",
    "CpmTokenizer": f"{_CODE} (jieba)",
    "CTRLTokenizer": f"{_CODE}, over pieces that end in @@",
    "DiaTokenizer": "has bytes for tokens and no vocabulary file",
    "EsmTokenizer": f"{_CODE} (every entry is cut out first)",
    "EsmcTokenizer": "builds its vocabulary in code",
    "FSMTTokenizer": f"{_CODE} (Moses)",
    "FastSpeech2ConformerTokenizer": f"{_CODE} (phonemes)",
    "FlaubertTokenizer": f"{_CODE} (Moses)",
    "GPTNeoXJapaneseTokenizer": f"{_CODE} (Japanese normalisation)",
    "MgpstrTokenizer": f"{_CODE} (characters)",
    "MyT5Tokenizer": "rewrites bytes with a table of its own",
    "PerceiverTokenizer": "has bytes for tokens and no vocabulary file",
    "PhobertTokenizer": f"{_CODE}, over bpe.codes",
    "Pop2PianoTokenizer": "has notes for tokens",
    "ProphetNetTokenizer": "reads prophetnet.tokenizer",
    "RoCBertTokenizer": f"{_CODE} (shape and sound of characters)",
    "RoFormerTokenizer": f"{_CODE} (jieba)",
    "TapasTokenizer": f"{_CODE} (tables)",
    "VitsTokenizer": f"{_CODE} (phonemes)",
    "Wav2Vec2CTCTokenizer": f"{_CODE} (characters)",
    "Wav2Vec2PhonemeCTCTokenizer": f"{_CODE} (phonemes)",
    "XLMTokenizer": f"{_CODE} (Moses)",
}
