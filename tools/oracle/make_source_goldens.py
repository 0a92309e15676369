"""Goldens of where a tokenizer's parts may stand: tests/goldens/sources.

Every case is a folder as people have it: the added tokens and the special tokens of a tiny model moved between
tokenizer.json, tokenizer_config.json, special_tokens_map.json and added_tokens.json, vocab.json and merges.txt in place
of tokenizer.json, classes named in tokenizer_config.json and config.json, templates in further files. What comes out is what transformers' AutoTokenizer makes of the folder.
"""
from __future__ import annotations

import json
import os
from pathlib import Path

os.environ.setdefault("HF_HUB_OFFLINE", "1")

from transformers import AutoTokenizer  # noqa: E402 (after the variable)

from common import GOLDENS, fresh_folder, write_json  # noqa: E402

FOLDER = GOLDENS / "sources"
PROMPTS = ["How do you feel about 2024?", "  <|eot_id|> a <|im_end|>b<tool_call> <note> x", "Zürich é e\u0301\n\nassistant",
           "<|endoftext|><|im_start|>user"]

CONVERSATIONS = [
    [{"role": "system", "content": "Be brief."}, {"role": "user", "content": "Hi"}],
    [{"role": "user", "content": "Hi"}, {"role": "assistant", "content": " Hello! "}, {"role": "user", "content": "And?"}],
    [{"role": "user", "content": "Count."}, {"role": "assistant", "content": "1, 2"}],
]


def read(folder: Path, name: str):
    return json.loads((folder / name).read_text("utf-8"))


class Case:
    """A folder to change: `tokenizer`, `config` and further files by name."""

    def __init__(self, name: str, base: str):
        self.name = name
        self.base = GOLDENS / "tiny" / base
        self.tokenizer = read(self.base, "tokenizer.json")
        self.config = read(self.base, "tokenizer_config.json")
        self.files = {"config.json": read(self.base, "config.json")}
        self.texts = {"chat_template.jinja": (self.base / "chat_template.jinja").read_text("utf-8")}

    def unlist(self) -> dict:
        """Takes `added_tokens_decoder` out of tokenizer_config.json."""
        return self.config.pop("added_tokens_decoder")

    def forget(self, contents: list[str]) -> list[dict]:
        """Takes added tokens out of tokenizer.json."""
        gone = [t for t in self.tokenizer["added_tokens"] if t["content"] in contents]
        self.tokenizer["added_tokens"] = [t for t in self.tokenizer["added_tokens"] if t["content"] not in contents]
        if self.tokenizer.get("post_processor", {}).get("type") == "Sequence":
            self.tokenizer["post_processor"] = None
        return gone

    def name_class(self, name: str | None, in_config: str | None = None) -> None:
        """Sets the class that tokenizer_config.json names, and the one of config.json."""
        self.config.pop("tokenizer_class", None)
        if name is not None:
            self.config["tokenizer_class"] = name
        if in_config is not None:
            self.files["config.json"]["tokenizer_class"] = in_config

    def split_vocabulary(self) -> None:
        """Puts vocab.json and merges.txt in the place of tokenizer.json."""
        model = self.tokenizer["model"]
        self.files["vocab.json"] = model["vocab"]
        merges = [m if isinstance(m, str) else " ".join(m) for m in model["merges"]]
        self.texts["merges.txt"] = "#version: 0.2\n" + "\n".join(merges) + "\n"
        self.tokenizer = None

    def write(self) -> None:
        folder = fresh_folder(FOLDER / self.name)
        files = {"tokenizer.json": self.tokenizer, "tokenizer_config.json": self.config, **self.files}
        for name, value in files.items():
            if value is not None:
                (folder / name).write_text(json.dumps(value, ensure_ascii=False), "utf-8")
        for name, text in self.texts.items():
            (folder / name).parent.mkdir(exist_ok=True)
            (folder / name).write_text(text, "utf-8")
        tokenizer = AutoTokenizer.from_pretrained(folder)
        prompts = []
        for prompt in PROMPTS:
            messages = [{"role": "user", "content": prompt}]
            text = tokenizer.apply_chat_template(messages, tokenize=False, add_generation_prompt=True)
            ids = tokenizer(text, add_special_tokens=False)["input_ids"]
            prompts.append({"prompt": prompt, "text": text, "ids": ids})
        conversations = []
        for messages in CONVERSATIONS:
            text = tokenizer.apply_chat_template(messages, tokenize=False, add_generation_prompt=True)
            ids = tokenizer(text, add_special_tokens=False)["input_ids"]
            conversations.append({"messages": messages, "text": text, "ids": ids})
        write_json(folder / "expected.json", {"class": type(tokenizer).__name__, "prompts": prompts,
                                              "conversations": conversations})
        print(self.name, type(tokenizer).__name__, len(tokenizer), prompts[0]["ids"][:4])


def cases():
    markers = ["<|im_start|>", "<|im_end|>", "<tool_call>"]

    case = Case("decoder_only_llama", "llama_tied")
    case.forget(["<|start_header_id|>", "<|end_header_id|>", "<|eot_id|>"])
    yield case

    case = Case("decoder_only_qwen2", "qwen2_bias")
    case.forget(markers)
    yield case

    case = Case("decoder_with_other_flags", "llama_tied")
    case.config["added_tokens_decoder"]["380"].update(lstrip=True, rstrip=True)
    case.config["added_tokens_decoder"]["400"] = {"content": "<note>"}
    yield case

    for name, base in (("added_tokens_file_llama", "llama_tied"), ("added_tokens_file_qwen2", "qwen2_bias")):
        case = Case(name, base)
        listed = case.unlist()
        contents = [t["content"] for t in listed.values()]
        case.forget(contents)
        case.files["added_tokens.json"] = {t["content"]: int(i) for i, t in listed.items()}
        case.files["added_tokens.json"]["<note>"] = 999
        yield case

    case = Case("bos_in_special_tokens_map", "llama_tied")
    case.unlist()
    case.files["special_tokens_map.json"] = {
        "bos_token": {"content": case.config.pop("bos_token"), "lstrip": False, "normalized": False, "rstrip": False,
                      "single_word": False},
        "eos_token": "<|eot_id|>"}
    yield case

    case = Case("map_over_config", "llama_tied")
    case.unlist()
    case.files["special_tokens_map.json"] = {"bos_token": "<|end_of_text|>", "additional_special_tokens": ["<note>"]}
    yield case

    case = Case("map_beside_decoder", "llama_tied")
    case.files["special_tokens_map.json"] = {"bos_token": "<|end_of_text|>"}
    yield case

    case = Case("named_tokens_only", "llama_tied")
    case.unlist()
    case.forget(["<|begin_of_text|>", "<|eot_id|>"])
    case.config["extra_special_tokens"] = ["<note>", "<|end_header_id|>"]
    case.config["image_token"] = "<tool_call>"
    yield case

    case = Case("no_tokenizer_config", "qwen2_bias")
    case.config = None
    yield case

    case = Case("another_pipeline_for_qwen2", "qwen2_bias")
    case.tokenizer["normalizer"] = None
    case.tokenizer["pre_tokenizer"]["pretokenizers"][0]["pattern"]["Regex"] = r"\p{N}{1,3}|\s+|[^\s\p{N}]+"
    yield case

    case = Case("vocabulary_files_qwen2", "qwen2_bias")
    case.split_vocabulary()
    yield case

    case = Case("qwen2_flags_are_reset", "qwen2_bias")
    case.config["added_tokens_decoder"]["378"].update(lstrip=True, rstrip=True, single_word=True)
    yield case

    case = Case("extra_tokens_by_name_and_list", "llama_tied")
    case.unlist()
    case.config["additional_special_tokens"] = ["<tool_call>"]
    case.config["extra_special_tokens"] = {"image_token": "<note>"}
    case.files["special_tokens_map.json"] = {"extra_special_tokens": ["<|im_end|>", "<note>"]}
    yield case

    case = Case("two_names_of_one_token", "llama_tied")
    case.unlist()
    case.forget(["<|eot_id|>"])
    case.files["special_tokens_map.json"] = {
        "pad_token": {"content": "<|eot_id|>", "lstrip": False, "normalized": False, "rstrip": True, "single_word": False}}
    yield case

    case = Case("template_in_config", "llama_tied")
    case.config["chat_template"] = case.texts.pop("chat_template.jinja")
    yield case

    case = Case("template_file_over_config", "llama_tied")
    case.config["chat_template"] = "{{ 'not this one' }}"
    yield case


def class_cases():
    """Which class a tokenizer gets, and what that class makes of the files."""
    for name, bos in (("llama_class_of_a_byte_level_file", False), ("llama_class_of_a_byte_level_file_with_bos", True)):
        case = Case(name, "llama_tied")
        case.name_class("LlamaTokenizerFast")
        if bos:
            case.config["extra_special_tokens"] = ["<note>"]  # its id shows whether others were added before it
        else:
            del case.config["bos_token"]
        yield case

    for name, base, in_config in (("class_in_config_qwen2", "llama_tied", "Qwen2Tokenizer"),
                                  ("class_in_config_gpt2", "llama_tied", "GPT2TokenizerFast"),
                                  ("class_in_config_gpt2_of_qwen3", "qwen3", "GPT2Tokenizer"),
                                  ("class_in_config_of_gemma2", "gemma2", "PreTrainedTokenizerFast"),
                                  ("class_in_config_of_gemma3", "gemma3_wrapper", "TokenizersBackend"),
                                  ("class_in_config_of_mistral", "mistral_window", "GPT2Tokenizer")):
        case = Case(name, base)
        case.name_class(None, in_config)
        yield case

    case = Case("class_in_both_configs", "llama_tied")
    case.name_class("PreTrainedTokenizerFast", "Qwen2Tokenizer")
    yield case

    for class_name in ("Qwen2Tokenizer", "GemmaTokenizer", "LlamaTokenizerFast"):
        case = Case("mistral_with_" + class_name.lower(), "mistral_window")
        case.name_class(class_name)
        yield case

    case = Case("mistral_with_its_own_code", "mistral_window")
    case.name_class("Qwen2Tokenizer")
    case.config["auto_map"] = {"AutoTokenizer": ["tokenization.Mine", None]}
    yield case

    case = Case("unknown_class_of_qwen3", "qwen3")
    case.name_class("MineTokenizer")
    yield case

    case = Case("gpt2_class", "llama_tied")
    case.name_class("GPT2Tokenizer")
    yield case

    case = Case("gpt2_class_with_its_own_tokens", "llama_tied")
    case.name_class("GPT2Tokenizer")
    case.unlist()
    for key in ("bos_token", "eos_token"):
        case.config.pop(key, None)
    yield case

    for name, base in (("gpt2_class_with_prefix_space", "llama_tied"), ("qwen2_class_with_prefix_space", "qwen2_bias")):
        case = Case(name, base)
        case.name_class("GPT2Tokenizer")
        case.config["add_prefix_space"] = True
        yield case

    case = Case("vocabulary_files_gpt2", "llama_tied")
    case.name_class("GPT2Tokenizer")
    case.split_vocabulary()
    yield case


def template_cases():
    """Further places of a chat template, and which one counts."""
    case = Case("template_in_folder", "llama_tied")
    case.texts["additional_chat_templates/default.jinja"] = case.texts.pop("chat_template.jinja")
    case.texts["additional_chat_templates/rag.jinja"] = "{{ 'not this one' }}"
    case.config["chat_template"] = "{{ 'not this one' }}"
    yield case

    case = Case("template_in_folder_over_file", "llama_tied")
    case.texts["additional_chat_templates/default.jinja"] = case.texts["chat_template.jinja"]
    case.texts["chat_template.jinja"] = "{{ 'not this one' }}"
    yield case

    case = Case("template_file_beside_others", "llama_tied")
    case.texts["additional_chat_templates/rag.jinja"] = "{{ 'not this one' }}"
    yield case

    case = Case("templates_by_name_in_config", "llama_tied")
    case.config["chat_template"] = {"rag": "{{ 'not this one' }}", "default": case.texts.pop("chat_template.jinja")}
    yield case

    case = Case("templates_in_a_list_in_config", "llama_tied")
    case.config["chat_template"] = [{"name": "default", "template": "{{ 'not this one' }}"},
                                    {"name": "default", "template": case.texts.pop("chat_template.jinja")},
                                    {"name": "rag", "template": "{{ 'not this one' }}"}]
    yield case

    case = Case("unused_templates_in_config", "llama_tied")
    case.config["chat_template"] = [{"name": "rag", "template": "{{ 'not this one' }}"}]
    yield case


if __name__ == "__main__":
    for make in (cases, class_cases, template_cases):
        for each in make():
            each.write()
