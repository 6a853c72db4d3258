"""The official huggingface_hub client, for comparison. It takes HF_HOME and HF_ENDPOINT from the environment.

usage: official.py download ORG/NAME    fetches a model and prints the path of its snapshot
       official.py local ORG/NAME       the same without the network
       official.py scan                 prints what scan_cache_dir sees, as JSON
"""

import json
import os
import sys
import warnings

import huggingface_hub

command, *rest = sys.argv[1:]
if command == "download":
    print(huggingface_hub.snapshot_download(rest[0]))
elif command == "local":
    print(huggingface_hub.snapshot_download(rest[0], local_files_only=True))
elif command == "scan":
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        cache = huggingface_hub.scan_cache_dir()
    models = {
        repo.repo_id: {
            "bytes": repo.size_on_disk,
            "revisions": {
                revision.commit_hash: {
                    "refs": sorted(revision.refs),
                    "files": {
                        os.path.relpath(file.file_path, revision.snapshot_path): file.size_on_disk for file in revision.files
                    },
                }
                for revision in repo.revisions
            },
        }
        for repo in cache.repos
    }
    incomplete = sum(file.size_on_disk for file in cache.incomplete_files) if hasattr(cache, "incomplete_files") else 0
    print(json.dumps({"models": models, "warnings": [str(w) for w in cache.warnings], "incomplete": incomplete}))
else:
    sys.exit(f"unknown command {command}")
