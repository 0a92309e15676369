"""The texts a Debian machine offers. Each reader returns its items in a fixed order; of an absent source it returns none."""
from __future__ import annotations

import ast
import gettext
import glob
import gzip
import html
import re
import sysconfig
import warnings
from dataclasses import dataclass
from pathlib import Path

# gettext domains of the translated program messages
MESSAGE_DOMAINS = ("glib20", "gtk20", "coreutils", "PackageKit", "gdk-pixbuf", "Linux-PAM", "shared-mime-info",
                   "at-spi2-core", "software-properties")


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


def word_list() -> list[str]:
    path = Path("/usr/share/dict/american-english")
    return [w for w in path.read_text().split() if "'" not in w] if path.exists() else []


@dataclass
class Sources:
    entries: list[dict]  # WordNet
    quotes: dict[str, list[str]]  # by language
    library: list[dict]  # Python functions
    commands: list[tuple[str, str]]
    prose: list[str]
    books: dict[str, list[str]]  # paragraphs by language
    countries: dict[str, dict[str, str]]  # language -> {English name: name}
    tongues: dict[str, dict[str, str]]  # the same of languages
    messages: dict[str, dict[str, dict[str, str]]]  # domain -> language -> {English message: translation}
    words: list[str]

    def entries_of(self, pos: str) -> list[dict]:
        return [e for e in self.entries if e["pos"] == pos]

    def sizes(self) -> dict[str, int]:
        """Description with a place for the size -> size."""
        return {
            "WordNet (package `wordnet-base`, {:,} words)": len(self.entries),
            "quotations (`fortunes*`, {:,})": sum(map(len, self.quotes.values())),
            "functions of the Python standard library ({:,})": len(self.library),
            "manual pages ({:,} commands)": len(self.commands),
            "files of `/usr/share/doc` ({:,} paragraphs)": len(self.prose),
            "the Debian administrator's handbook in many languages (`debian-handbook`, {:,} paragraphs)":
                sum(map(len, self.books.values())),
            "names of countries and languages in their own languages (`iso-codes`, {:,})":
                sum(map(len, self.countries.values())) + sum(map(len, self.tongues.values())),
            "translated program messages (`/usr/share/locale`, {:,})":
                sum(len(c) for d in self.messages.values() for c in d.values()),
            "a word list (`wamerican`, {:,} words)": len(self.words)}


def read_sources() -> Sources:
    return Sources(entries=wordnet(), quotes=fortunes(), library=python_library(), commands=commands(), prose=documents(),
                   books=handbook(), countries=translations("iso_3166-1"), tongues=translations("iso_639-2"),
                   messages={domain: translations(domain) for domain in MESSAGE_DOMAINS}, words=word_list())
