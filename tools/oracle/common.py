"""What the golden-making scripts share: seeded numbers, writing, taps of a Hugging Face model, dictionary_learning."""
from __future__ import annotations

import json
import re
import shutil
import sys
from pathlib import Path

import numpy as np
import torch
from safetensors.torch import save_file

REPO = Path(__file__).resolve().parent.parent.parent
GOLDENS = REPO / "tests" / "goldens"

sys.path.append(str(REPO / "tools"))
from python_stubs import stubbed_imports  # noqa: E402 (found on the path just added)


def import_dictionary_learning():
    """The package's modules `dictionary`, `trainers` (all trainer modules loaded) and `utils`, as one namespace."""
    with stubbed_imports():
        import dictionary_learning.dictionary
        import dictionary_learning.trainers.batch_top_k
        import dictionary_learning.trainers.gdm
        import dictionary_learning.trainers.jumprelu
        import dictionary_learning.trainers.matryoshka_batch_top_k
        import dictionary_learning.trainers.standard
        import dictionary_learning.trainers.top_k
        import dictionary_learning.utils
    return dictionary_learning


def rng_of(name: str) -> np.random.Generator:
    """A generator whose stream depends on the name alone, so that adding a golden leaves the others as they are."""
    return np.random.default_rng(list(name.encode()))


def normal(rng: np.random.Generator, *shape: int, scale: float = 1.0) -> torch.Tensor:
    return torch.from_numpy((rng.standard_normal(shape) * scale).astype(np.float32))


def fresh_folder(path: Path) -> Path:
    """An empty folder at `path`; what an earlier run left there is removed."""
    if path.exists():
        shutil.rmtree(path)
    path.mkdir(parents=True)
    return path


def write_json(path: Path, value) -> None:
    """Indented JSON with a list of numbers on one line. (Raw line feeds stand between values only, never in strings.)"""
    text = json.dumps(value, ensure_ascii=False, indent=1)
    text = re.sub(r"\[\n([-\d,\s]+)\]", lambda match: "[" + ", ".join(re.findall(r"-?\d+", match[1])) + "]", text)
    assert json.loads(text) == json.loads(json.dumps(value))
    path.write_text(text + "\n", "utf-8")


def write_tensors(path: Path, tensors: dict[str, torch.Tensor]) -> None:
    save_file({name: tensor.contiguous() for name, tensor in tensors.items()}, str(path))
    path.chmod(0o644)


def relative_error(found: torch.Tensor, expected: torch.Tensor) -> float:
    """Frobenius norm of the difference over that of `expected`, in double."""
    expected = expected.double()
    return ((found.double() - expected).norm() / expected.norm()).item()


def layer_outputs(model, ids: list[int], layers: list[int]) -> dict[int, torch.Tensor]:
    """The output of block L of the language model (no final norm) for one sequence, batch 1, no padding:
    {L: [tokens, d]}."""
    taken = {}
    inner = getattr(model.model, "language_model", model.model)  # of a wrapper with a vision model

    def tap(layer):
        def hook(module, args, output):
            taken[layer] = (output[0] if isinstance(output, tuple) else output)[0].clone()
        return hook

    hooks = [inner.layers[layer].register_forward_hook(tap(layer)) for layer in layers]
    try:
        with torch.inference_mode():
            inner(input_ids=torch.tensor([ids]), use_cache=False)
    finally:
        for hook in hooks:
            hook.remove()
    return taken


def load_model(folder: Path):
    """A checkpoint of a Hugging Face folder in float32 with the plain attention."""
    from transformers import AutoModelForCausalLM
    return AutoModelForCausalLM.from_pretrained(str(folder), dtype=torch.float32, attn_implementation="eager").eval()


def render(tokenizer, content: str) -> str:
    """The chat template's text for one user message and the generation prompt."""
    return tokenizer.apply_chat_template([{"role": "user", "content": content}], tokenize=False,
                                         add_generation_prompt=True)


def encode(tokenizer, text: str) -> list[int]:
    """Ids of rendered text: added tokens in the text are recognised, none is added."""
    return tokenizer(text, add_special_tokens=False).input_ids
