"""The image, as far as it can be told without building one: what the Dockerfile says, and that hack/image's archives are sound.

`hack/image` itself takes minutes and root: it builds the whole image and starts the binary in it.
"""
import io
import json
import os
import re
import shutil
import subprocess
import sys
import tarfile
import time

import pytest
import yaml

from harness import BINARY, ROOT
from manifests import kustomized, of_kind

sys.path.insert(0, str(ROOT / "hack/lib/image"))
import check  # noqa: E402
import write  # noqa: E402
from dockerfile import final_stage, instructions  # noqa: E402

DOCKERFILE = (ROOT / "Dockerfile").read_text()
EPOCH = 1_700_000_000


def test_the_image_is_built_in_two_stages_on_a_slim_base():
    bases = [argument for _, word, argument in instructions(DOCKERFILE) if word == "FROM"]
    assert bases == ["swift:6.3-bookworm AS build", "debian:bookworm-slim"]
    commands = " ".join(argument for stage, word, argument in instructions(DOCKERFILE) if stage == 0 and word == "RUN")
    assert "swift build -c release --static-swift-stdlib --product pilotlight" in commands


def test_what_is_copied_is_let_into_the_context_and_is_there():
    let_in = {line[1:] for line in (ROOT / ".dockerignore").read_text().splitlines() if line.startswith("!")}
    copied = {argument.split()[0] for _, word, argument in instructions(DOCKERFILE) if word == "COPY" and "--from" not in argument}
    assert let_in == copied and all((ROOT / name).exists() for name in copied)


def test_the_image_runs_the_binary_as_the_user_that_the_manifests_name():
    image = final_stage(DOCKERFILE)
    assert image["entrypoint"] == ["/usr/bin/pilotlight"]
    uid, gid = map(int, image["user"].split(":"))
    for deployment in of_kind(kustomized("default"), "Deployment"):
        context = deployment["spec"]["template"]["spec"]["securityContext"]
        assert (context["runAsUser"], context["runAsGroup"]) == (uid, gid)


def test_one_version_everywhere():
    version = final_stage(DOCKERFILE)["labels"]["org.opencontainers.image.version"]
    chart = yaml.safe_load((ROOT / "Charts/pilotlight/Chart.yaml").read_text())
    binary = subprocess.run([BINARY, "version"], capture_output=True, text=True, check=True).stdout
    (default,) = yaml.safe_load((ROOT / "Manifests/default/kustomization.yaml").read_text())["images"]
    assert {version} == {chart["version"], chart["appVersion"], binary.split()[1], default["newTag"]}


def test_the_image_has_the_packages_that_the_binary_links_to():
    if not shutil.which("readelf") or not shutil.which("dpkg-query"):
        pytest.skip("readelf (binutils) and dpkg say which packages the binary links to")
    headers = subprocess.run(["readelf", "-d", BINARY], capture_output=True, text=True, check=True).stdout
    libraries = re.findall(r"\(NEEDED\).*\[(.+?)\]", headers)
    owners = {
        line.split(":")[0]
        for library in libraries
        for line in subprocess.run(["dpkg-query", "-S", f"*/{library}"], capture_output=True, text=True).stdout.splitlines()
    }
    # Every Debian has these two.
    needed = {package for package in owners if re.fullmatch(r"lib\w.*", package) and not package.endswith(("-dev", "-cross"))} - {"libc6", "libgcc-s1"}
    assert {"libcurl4", "libssl3"} <= needed <= set(final_stage(DOCKERFILE)["packages"])


@pytest.fixture
def layers(tmp_path):
    base, binary = tmp_path / "base", tmp_path / "binary"
    (base / "etc").mkdir(parents=True)
    (base / "etc/name").write_text("x" * 1000)
    (base / "etc/alias").symlink_to("name")
    (base / "etc/other").hardlink_to(base / "etc/name")
    (binary / "usr/bin").mkdir(parents=True)
    (binary / "usr/bin/pilotlight").write_bytes(b"\x7fELF")
    (binary / "usr/bin/pilotlight").chmod(0o755)
    return [str(base), str(binary)]


def test_an_archive_is_sound_and_the_same_each_time(tmp_path, layers, monkeypatch):
    one, two = tmp_path / "one.tar", tmp_path / "two.tar"
    write.image(layers, EPOCH, "amd64").write(one, EPOCH)
    # Another time of the day, and files that were made later than before.
    monkeypatch.setattr(time, "time", lambda: EPOCH + 100_000)
    for number, path in enumerate(sorted(tmp_path.glob("b*/**/*"))):
        if not path.is_symlink():
            os.utime(path, (EPOCH + 1000 + number, EPOCH + 1000 + number))
    write.image(layers, EPOCH, "amd64").write(two, EPOCH)
    assert one.read_bytes() == two.read_bytes()
    config, plain, _ = check.checked(one)
    assert config["config"]["Entrypoint"] == ["/usr/bin/pilotlight"] and config["created"] == "2023-11-14T22:13:20Z"
    assert len(plain) == 2
    for layer in plain:
        with tarfile.open(fileobj=io.BytesIO(layer)) as archive:
            entries = archive.getmembers()
        # Parents first, by name, whatever the file system's order; owners are numbers.
        assert [entry.name.split("/") for entry in entries] == sorted(entry.name.split("/") for entry in entries)
        assert {(entry.uname, entry.gname) for entry in entries} == {("", "")} and max(entry.mtime for entry in entries) <= EPOCH
    if not hasattr(tarfile, "data_filter"):
        pytest.skip("this Python's tarfile has no filters")
    check.unpack(plain, tmp_path / "root")
    assert (tmp_path / "root/etc/alias").read_text() == (tmp_path / "root/etc/other").read_text() == "x" * 1000
    assert (tmp_path / "root/usr/bin/pilotlight").stat().st_mode & 0o777 == 0o755


def damaged_blob(files):
    name = next(name for name in files if name.startswith("blobs/"))
    files[name] = files[name][:-1] + bytes([files[name][-1] ^ 1])


def of_root(files):
    def change(config):
        config["config"]["User"] = "0:0"

    rewrite_config(files, change)


def other_layers(files):
    def change(config):
        config["rootfs"]["diff_ids"].reverse()

    rewrite_config(files, change)


def rewrite_config(files, change):
    """Changes the config, and all that names its digest, so that nothing but the change is wrong."""
    def replace(descriptor, data):
        files.pop(f"blobs/sha256/{descriptor['digest'].removeprefix('sha256:')}")
        descriptor.update(digest=write.digest(data), size=len(data))
        files[f"blobs/sha256/{descriptor['digest'].removeprefix('sha256:')}"] = data

    def load(descriptor):
        return json.loads(files[f"blobs/sha256/{descriptor['digest'].removeprefix('sha256:')}"])

    index = json.loads(files["index.json"])
    manifest = load(index["manifests"][0])
    config = load(manifest["config"])
    change(config)
    replace(manifest["config"], write.text(config))
    replace(index["manifests"][0], write.text(manifest))
    files["index.json"] = write.text(index)


@pytest.mark.parametrize("damage, message", [
    (damaged_blob, "another digest"),
    (of_root, "the user 0:0 may be root"),
    (other_layers, "diff_ids"),
    (lambda files: files.update({"oci-layout": b"{}"}), "oci-layout"),
    (lambda files: files.update({"blobs/sha256/" + "0" * 64: b""}), "blobs that nothing names"),
])
def test_a_broken_archive_is_refused(tmp_path, layers, damage, message):
    archive = write.image(layers, EPOCH, "amd64")
    damage(archive.files)
    archive.write(tmp_path / "broken.tar", EPOCH)
    with pytest.raises(check.Invalid, match=message):
        check.checked(tmp_path / "broken.tar")
