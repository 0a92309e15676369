"""Writes the goldens of the chat template interpreter, tests/goldens/templates/.

  expressions.json  small templates with their context, rendered by transformers' own environment
  models.json       conversations rendered with real chat templates: those of the tokenizers that
                    tools/fetch_tokenizers.sh fetches (without them this file stays as it is) and of a
                    GGUF file, which the golden holds itself

`strftime_now` is fixed. Needs transformers and gguf.
"""

import argparse
import json
import os
import sys
from pathlib import Path

from template_cases import CASES
from template_conversations import CONVERSATIONS, TOOLS
from transformers.utils.chat_template_utils import _compile_jinja_template

ROOT = Path(__file__).resolve().parents[2] / "tests" / "goldens" / "templates"
TOKENIZERS = ["llama3_1", "llama3_2", "qwen2_5", "qwen3", "mistral_nemo", "gemini", "gemma3"]
# What a model's template reads besides: each is rendered without them, then with them.
VARIABLES = {"qwen3": {"enable_thinking": False}}
NOW = "26 Jul 2024"


def render(template: str, context: dict) -> dict:
    """The output, or that it is an error: what kind of error differs by implementation."""
    try:
        compiled = _compile_jinja_template(template)
        variables = dict(context)
        now = variables.pop("strftime_now", None)
        if now is not None:
            variables["strftime_now"] = lambda _format: now
        output = compiled.render(**variables)
        # a printed generator or function: no defined text, so ours refuses it
        return {"error": True} if " at 0x" in output else {"output": output}
    except Exception:  # noqa: BLE001 - any Python exception is an error of the template
        return {"error": True}


def expressions() -> list:
    return [
        {"template": template, "context": context, **render(template, context)}
        for template, context in CASES
    ]


def special_tokens(config: dict) -> dict:
    """What apply_chat_template passes from the tokenizer: its special tokens that are set."""
    tokens = {}
    for name in ("bos_token", "eos_token", "unk_token", "pad_token"):
        value = config.get(name)
        if isinstance(value, dict):
            value = value["content"]
        if value is not None:
            tokens[name] = value
    return tokens


def read_gguf(path: str) -> tuple[str, dict]:
    from gguf import GGUFReader

    reader = GGUFReader(path)

    def field(name):
        found = reader.get_field(name)
        return None if found is None else found.contents()

    tokens = field("tokenizer.ggml.tokens")
    special = {}
    for name in ("bos", "eos", "unknown", "padding"):
        index = field(f"tokenizer.ggml.{name}_token_id")
        if index is not None:
            key = {"unknown": "unk", "padding": "pad"}.get(name, name)
            special[f"{key}_token"] = tokens[int(index)]
    return field("tokenizer.chat_template"), special


def model_cases(template: str, special: dict, variables: dict | None = None) -> list:
    cases = []
    for name, messages, uses_tools in CONVERSATIONS:
        for generation in (True, False):
            context = {
                "messages": messages,
                "tools": TOOLS if uses_tools else None,
                "documents": None,
                "add_generation_prompt": generation,
                **special,
                **(variables or {}),
                "strftime_now": NOW,
            }
            result = render(template, context)
            # the same again without what every case shares
            case = {"conversation": name, "add_generation_prompt": generation, **result}
            cases.append(case | {"variables": variables} if variables else case)
    return cases


def models(tokenizers: str, gguf: str) -> dict:
    goldens = {"strftime_now": NOW, "tools": TOOLS, "models": []}
    goldens["conversations"] = [
        {"name": name, "messages": messages, "uses_tools": uses_tools}
        for name, messages, uses_tools in CONVERSATIONS
    ]
    for name in TOKENIZERS:
        config = json.loads((Path(tokenizers) / name / "tokenizer_config.json").read_text("utf-8"))
        special = special_tokens(config)
        cases = model_cases(config["chat_template"], special)
        if name in VARIABLES:
            cases += model_cases(config["chat_template"], special, VARIABLES[name])
        goldens["models"].append({"name": name, "special_tokens": special, "cases": cases})
    template, special = read_gguf(gguf)
    goldens["models"].append(
        {
            "name": "smollm2",
            "template": template,
            "special_tokens": special,
            "cases": model_cases(template, special),
        }
    )
    return goldens


def write(name: str, goldens) -> None:
    ROOT.mkdir(parents=True, exist_ok=True)
    text = json.dumps(goldens, ensure_ascii=False, indent=0, separators=(",", ":"))
    (ROOT / name).write_text(text + "\n", encoding="utf-8")


def tokenizers_folder() -> str:
    cache = os.environ.get("XDG_CACHE_HOME") or os.path.expanduser("~/.cache")
    return os.environ.get("SAESCOPE_TOKENIZERS") or os.path.join(cache, "saescope", "tokenizers")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--gguf", required=True, help="SmolLM2-135M-Instruct.Q4_1.gguf")
    parser.add_argument("--tokenizers", default=tokenizers_folder())
    arguments = parser.parse_args()
    write("expressions.json", expressions())
    if not all((Path(arguments.tokenizers) / name).is_dir() for name in TOKENIZERS):
        print("no tokenizers (tools/fetch_tokenizers.sh): models.json is kept", file=sys.stderr)
        return
    write("models.json", models(arguments.tokenizers, arguments.gguf))


if __name__ == "__main__":
    main()
