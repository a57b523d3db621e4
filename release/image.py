"""Writes an image that `docker load` takes, to standard output: the same input gives the same bytes, and no Docker is needed.

What the image is (user, command, labels) is read from its stage of the Dockerfile, so that both ways of building agree. The format is that of
`docker save` with one layer (https://github.com/moby/moby/blob/master/image/spec/spec.md).
"""

import argparse
import gzip
import hashlib
import io
import json
import os
import shlex
import sys
import tarfile

EPOCH = int(os.environ.get("SOURCE_DATE_EPOCH", "0"))


def stage(dockerfile, name, arguments):
    """The instructions of the stage `name`, as (keyword, rest), with `${ARGUMENT}` replaced and continued lines joined."""
    text = open(dockerfile).read().replace("\\\n", " ")
    inside, found = False, []
    for line in text.splitlines():
        keyword, _, rest = line.strip().partition(" ")
        if keyword == "FROM":
            inside = rest.split() == ["scratch", "AS", name]
        elif inside and keyword and not keyword.startswith("#"):
            for argument, value in arguments.items():
                rest = rest.replace("${%s}" % argument, value)
            found.append((keyword, rest.strip()))
    if not found:
        sys.exit(f"image.py: {dockerfile} has no stage `FROM scratch AS {name}`")
    return found


def config_of(instructions):
    """What `docker build` would make of them. An instruction that is not known here stops the release."""
    config = {"Env": ["PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"], "Labels": {}}
    for keyword, rest in instructions:
        if keyword == "LABEL":
            config["Labels"].update(pair.split("=", 1) for pair in shlex.split(rest))
        elif keyword == "ENV":
            config["Env"] += shlex.split(rest)
        elif keyword == "USER":
            config["User"] = rest
        elif keyword == "WORKDIR":
            config["WorkingDir"] = rest
        elif keyword == "EXPOSE":
            config["ExposedPorts"] = {rest: {}}
        elif keyword in ("ENTRYPOINT", "CMD"):
            config["Entrypoint" if keyword == "ENTRYPOINT" else "Cmd"] = json.loads(rest)
        elif keyword not in ("ARG", "COPY"):
            sys.exit(f"image.py: {keyword} is not known")
    return config


def entry(path, mode, uid=0, gid=0):
    info = tarfile.TarInfo(path)
    info.mode, info.uid, info.gid, info.mtime = mode, uid, gid, EPOCH
    return info


def layer_of(files, folders):
    """One tar: each regular file of the folder `files`, and the folders with owners, in the order of their names."""
    entries = {}
    for line in folders:
        mode, uid, gid, path = line.split()
        parts = path.split("/")
        for depth in range(1, len(parts)):
            entries.setdefault("/".join(parts[:depth]), (entry("/".join(parts[:depth]), 0o755), None))
        entries[path] = (entry(path, int(mode, 8), int(uid), int(gid)), None)
    for name in os.listdir(files):
        with open(os.path.join(files, name), "rb") as file:
            content = file.read()
        mode = 0o755 if content.startswith(b"\x7fELF") else 0o644
        entries[name] = (entry(name, mode), content)
    layer = io.BytesIO()
    with tarfile.open(fileobj=layer, mode="w", format=tarfile.USTAR_FORMAT) as tar:
        for _, (info, content) in sorted(entries.items()):
            add(tar, info, content)
    return layer.getvalue()


def add(tar, info, content):
    if content is None:
        info.type = tarfile.DIRTYPE
        tar.addfile(info)
    else:
        info.size = len(content)
        tar.addfile(info, io.BytesIO(content))


def main():
    parser = argparse.ArgumentParser()
    for flag in ("dockerfile", "stage", "files", "folders", "arch", "tag", "version"):
        parser.add_argument(f"--{flag}", required=True)
    given = parser.parse_args()
    arguments = {"AGENT_VERSION": given.version, "CONTROLLER_VERSION": given.version}
    with open(given.folders) as folders:
        layer = layer_of(given.files, folders.read().splitlines())
    digest = hashlib.sha256(layer).hexdigest()
    image = {
        "architecture": given.arch,
        "os": "linux",
        "created": "1970-01-01T00:00:00Z",
        "config": config_of(stage(given.dockerfile, given.stage, arguments)),
        "rootfs": {"type": "layers", "diff_ids": [f"sha256:{digest}"]},
        "history": [{"created": "1970-01-01T00:00:00Z", "created_by": "release/image.py"}],
    }
    config = json.dumps(image, sort_keys=True).encode()
    name = hashlib.sha256(config).hexdigest()
    manifest = [{"Config": f"{name}.json", "RepoTags": [given.tag], "Layers": [f"{digest}.tar"]}]
    parts = {f"{name}.json": config, f"{digest}.tar": layer, "manifest.json": json.dumps(manifest, sort_keys=True).encode()}
    with gzip.GzipFile(fileobj=sys.stdout.buffer, mode="wb", compresslevel=9, mtime=EPOCH, filename="") as packed:
        with tarfile.open(fileobj=packed, mode="w", format=tarfile.USTAR_FORMAT) as tar:
            for path, content in sorted(parts.items()):
                add(tar, entry(path, 0o644), content)


main()
