import json

from forensics.sources.tokenizer_files.chat_templates import ChatTemplate, read_chat_templates
from forensics.sources.tokenizer_files.open_tokenizer import open_tokenizer
from tests.sources.written_tokenizers import byte_level_json, smollm2, write_gguf_tokenizer


def folder_with(tmp_path, **files):
    (tmp_path / "tokenizer.json").write_text(byte_level_json())
    for name, content in files.items():
        (tmp_path / f"{name}.json").write_text(json.dumps(content, indent=1))
    return tmp_path


def test_every_copy_and_every_name_with_its_line(tmp_path):
    named = [{"name": "default", "template": "A"}, {"name": "rag", "template": "B"}, {"name": "broken"}]
    folder_with(
        tmp_path,
        tokenizer_config={"bos_token": "x", "chat_template": named},
        chat_template={"chat_template": "C"},
    )
    (tmp_path / "chat_template.jinja").write_text("D\r\n", newline="")
    (tmp_path / "additional_chat_templates").mkdir()
    (tmp_path / "additional_chat_templates" / "tool_use.jinja").write_text("E")
    assert read_chat_templates(open_tokenizer(tmp_path)) == (
        ChatTemplate("default", "A", "tokenizer_config.json", 3),
        ChatTemplate("rag", "B", "tokenizer_config.json", 3),
        ChatTemplate("default", "C", "chat_template.json", 2),
        ChatTemplate("default", "D\r\n", "chat_template.jinja", 1),
        ChatTemplate("tool_use", "E", "additional_chat_templates/tool_use.jinja", 1),
    )


def test_templates_of_a_gguf_file(tmp_path):
    source = open_tokenizer(smollm2())
    (template,) = read_chat_templates(source)
    assert template.text == source.chat_template
    assert template.file.endswith(".gguf: tokenizer.chat_template")
    path = write_gguf_tokenizer(
        tmp_path / "x.gguf", "gpt2", ["a", "b", "ab"], chat_template="T", token_type=[1, 1, 1], merges=["a b"]
    )
    assert [one.text for one in read_chat_templates(open_tokenizer(path))] == ["T"]


def test_no_template_is_none(tmp_path):
    assert (
        read_chat_templates(open_tokenizer(folder_with(tmp_path, tokenizer_config={"chat_template": 7})))
        == ()
    )
    assert read_chat_templates(open_tokenizer(tmp_path / "tokenizer.json")) == ()
