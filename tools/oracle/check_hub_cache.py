"""Checks that a hub cache written by run_sae_analysis loads in huggingface_hub without a request.

    python check_hub_cache.py CACHE_FOLDER

Every file of every snapshot that refs/main names is asked for with HF_HUB_OFFLINE=1 and compared with
its blob, the absent files are found absent, and scan_cache_dir must find nothing wrong.
"""

import hashlib
import os
import sys
from pathlib import Path

os.environ["HF_HUB_OFFLINE"] = "1"

import huggingface_hub  # noqa: E402
from huggingface_hub import hf_hub_download, scan_cache_dir, try_to_load_from_cache  # noqa: E402


def blob_name(content: bytes, etag: str) -> str:
    if len(etag) == 64:
        return hashlib.sha256(content).hexdigest()
    return hashlib.sha1(b"blob %d\0" % len(content) + content).hexdigest()


def check_repo(folder: Path, cache: Path) -> int:
    repo = folder.name.removeprefix("models--").replace("--", "/")
    commit = (folder / "refs" / "main").read_text()
    snapshot = folder / "snapshots" / commit
    files = [path for path in snapshot.rglob("*") if not path.is_dir()]
    for path in files:
        name = path.relative_to(snapshot).as_posix()
        found = hf_hub_download(repo, name, cache_dir=cache)
        assert found == str(path), (found, path)
        assert try_to_load_from_cache(repo, name, cache_dir=cache) == str(path)
        etag = path.resolve().name
        assert blob_name(path.read_bytes(), etag) == etag, path
    absent = folder / ".no_exist" / commit
    for path in absent.rglob("*"):
        if path.is_file():
            answer = try_to_load_from_cache(repo, path.relative_to(absent).as_posix(), cache_dir=cache)
            assert answer is huggingface_hub.file_download._CACHED_NO_EXIST, path
    print(f"{repo}: {len(files)} files at {commit}")
    return len(files)


def main() -> None:
    cache = Path(sys.argv[1]).resolve()
    checked = sum(check_repo(folder, cache) for folder in sorted(cache.glob("models--*")))
    assert checked > 0, "no files in this cache"
    info = scan_cache_dir(cache)
    assert not info.warnings, info.warnings
    print(f"huggingface_hub {huggingface_hub.__version__} reads all {checked} files offline")


if __name__ == "__main__":
    main()
