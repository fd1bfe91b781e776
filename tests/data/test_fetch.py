"""Downloads from a server on this machine that behaves well, badly, or not at all."""

import hashlib
import io
import pickle
import tarfile
import threading
import zipfile
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import numpy as np
import pytest
from PIL import Image
from scipy.io import savemat
from torchvision.datasets import CIFAR10

from labkit.data import CamSeg, Flowers17, catalog, fetch
from labkit.errors import InputError

CONTENT = np.random.default_rng(0).bytes(1_000_000)


class Server(ThreadingHTTPServer):
    """Serves `content` at /file, up to byte `cut_at`, from where it is asked if it has `ranges`."""

    def __init__(self):
        super().__init__(("127.0.0.1", 0), Handler)
        self.content, self.ranges, self.cut_at = CONTENT, True, None
        self.asked = []  # the Range header of each request, None where it has none

    @property
    def url(self):
        return f"http://127.0.0.1:{self.server_port}/file"


class Handler(BaseHTTPRequestHandler):
    def do_GET(self):
        server, wanted = self.server, self.headers["Range"]
        server.asked.append(wanted)
        if self.path != "/file":
            self.send_error(404)
            return
        start = int(wanted.removeprefix("bytes=")[:-1]) if wanted and server.ranges else 0
        if start >= len(server.content):
            self.send_error(416)
            return
        self.send_response(206 if start else 200)
        self.send_header("Content-Length", str(len(server.content) - start))
        self.end_headers()
        self.wfile.write(server.content[start : server.cut_at])

    def log_message(self, *args):
        """Keep the tests' output clean."""


@pytest.fixture
def server():
    with Server() as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        yield server
        server.shutdown()
        thread.join()


@pytest.fixture(autouse=True)
def cache(tmp_path, monkeypatch):
    monkeypatch.setenv("LABKIT_CACHE", str(tmp_path / "cache"))
    return tmp_path / "cache"


def archive(server, content=CONTENT, url=None):
    checksum = "md5:" + hashlib.md5(content).hexdigest()
    return catalog.Archive("file.bin", url or server.url, checksum, "none", "nobody")


def files(folder):
    return sorted(path.name for path in folder.iterdir())


def test_a_download_is_kept_and_not_repeated(server, cache, capfd):
    path = fetch.fetch(archive(server))
    assert path == cache / "file.bin" and path.read_bytes() == CONTENT
    assert "1.00M/1.00M" in capfd.readouterr().err
    assert fetch.fetch(archive(server)) == path
    assert server.asked == [None] and files(cache) == ["file.bin"]


def test_a_cut_download_keeps_its_part_and_goes_on_from_there(server, cache):
    server.cut_at = 600_000
    with pytest.raises(InputError, match=r"file\.bin\.part keeps what came.*goes on from there"):
        fetch.fetch(archive(server))
    assert files(cache) == ["file.bin.part"]
    have = (cache / "file.bin.part").stat().st_size
    assert 0 < have <= 600_000

    server.cut_at = None
    assert fetch.fetch(archive(server)).read_bytes() == CONTENT
    assert server.asked == [None, f"bytes={have}-"] and files(cache) == ["file.bin"]


def test_a_server_without_ranges_starts_over(server, cache):
    server.ranges = False
    cache.mkdir()
    (cache / "file.bin.part").write_bytes(CONTENT[:5000])
    assert fetch.fetch(archive(server)).read_bytes() == CONTENT
    assert server.asked == ["bytes=5000-"]


def test_a_part_that_is_already_whole_is_taken(server, cache):
    cache.mkdir()
    (cache / "file.bin.part").write_bytes(CONTENT)
    assert fetch.fetch(archive(server)).read_bytes() == CONTENT
    assert files(cache) == ["file.bin"]


def test_a_wrong_checksum_leaves_nothing(server, cache):
    with pytest.raises(InputError, match=r"not the known one \(expected md5:.*nothing of it was"):
        fetch.fetch(archive(server, content=b"something else"))
    assert files(cache) == []


def test_a_part_of_another_file_is_thrown_away(server, cache):
    cache.mkdir()
    (cache / "file.bin.part").write_bytes(b"x" * 5000)
    with pytest.raises(InputError, match="not the known one"):
        fetch.fetch(archive(server))
    assert files(cache) == []
    assert fetch.fetch(archive(server)).read_bytes() == CONTENT


def test_a_missing_page_is_reported_with_what_to_do(server, cache):
    gone = archive(server, url=server.url + "-gone")
    with pytest.raises(InputError, match=r"cannot be downloaded \(404") as caught:
        fetch.fetch(gone)
    assert f"fetch {gone.url} by other means and put file.bin into {cache}" in str(caught.value)
    assert files(cache) == []


def test_without_a_network_one_sentence_says_what_to_do(server, cache):
    server.server_close()  # nobody listens any more
    with pytest.raises(InputError) as caught:
        fetch.fetch(archive(server))
    message = str(caught.value)
    assert server.url in message and f"put file.bin into {cache}" in message
    assert "\n" not in message and ".part" not in message


def test_a_cache_that_cannot_be_written_is_named(server, cache):
    cache.write_text("a file, not a folder")
    with pytest.raises(InputError, match="set LABKIT_CACHE to another folder"):
        fetch.fetch(archive(server))


def test_the_cache_is_the_systems_unless_told(monkeypatch, cache):
    assert fetch.cache_folder() == cache
    monkeypatch.delenv("LABKIT_CACHE")
    assert "labkit" in str(fetch.cache_folder())


@pytest.fixture
def small_cifar(server, monkeypatch):
    """A made-up archive in CIFAR-10's format: two training batches of ten and one for testing."""
    rng = np.random.default_rng(0)
    names = ["data_batch_1", "data_batch_2", "test_batch"]
    parts = {
        name: {
            "data": rng.integers(0, 256, (10, 3072), dtype=np.uint8),
            "labels": rng.permutation(10).tolist(),
        }
        for name in names
    }
    packed = {name: pickle.dumps(part) for name, part in parts.items()}
    packed["batches.meta"] = pickle.dumps({"label_names": list("abcdefghij")})
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w:gz") as tar:
        for name, content in packed.items():
            entry = tarfile.TarInfo(f"cifar-10-batches-py/{name}")
            entry.size = len(content)
            tar.addfile(entry, io.BytesIO(content))
    server.content = buffer.getvalue()

    md5 = {name: hashlib.md5(content).hexdigest() for name, content in packed.items()}
    whole = hashlib.md5(server.content).hexdigest()
    monkeypatch.setattr(CIFAR10, "train_list", [[name, md5[name]] for name in names[:2]])
    monkeypatch.setattr(CIFAR10, "test_list", [[names[2], md5[names[2]]]])
    monkeypatch.setattr(CIFAR10, "meta", {**CIFAR10.meta, "md5": md5["batches.meta"]})
    monkeypatch.setattr(CIFAR10, "tgz_md5", whole)
    entry = catalog.Archive(catalog.CIFAR10.name, server.url, f"md5:{whole}", "none", "nobody")
    monkeypatch.setattr(catalog, "CIFAR10", entry)
    return parts


def test_cifar10_becomes_the_documents_folder(small_cifar, tmp_path):
    fetch.cam_seg_from_cifar10(tmp_path / "set")
    train, test = (CamSeg(tmp_path / "set", split) for split in ("train", "test"))
    assert len(train) == 20 and len(test) == 10
    batch = small_cifar["data_batch_2"]
    assert train.labels[10:].tolist() == batch["labels"]
    expected = batch["data"][4].reshape(3, 32, 32).transpose(1, 2, 0)
    assert np.array_equal(train.picture(14), expected)
    assert test.classes[0] == "plane"
    with pytest.raises(InputError, match="put one test picture a class into test_seg_source/"):
        test.sources()


def test_a_target_that_exists_is_refused_before_the_download(small_cifar, server, tmp_path):
    (tmp_path / "set").mkdir()
    with pytest.raises(InputError, match="exists already"):
        fetch.cam_seg_from_cifar10(tmp_path / "set")
    assert server.asked == [] and files(tmp_path / "set") == []


def test_the_catalogue_holds_what_the_authors_publish():
    assert CIFAR10.tgz_md5 == catalog.CIFAR10.checksum.removeprefix("md5:")
    assert CIFAR10.url == catalog.CIFAR10.url and CIFAR10.filename == catalog.CIFAR10.name


class TestFacades:
    """Two archives with a few small facades, in place of the 606."""

    @pytest.fixture
    def archives(self, tmp_path, cache, monkeypatch):
        def archive(name, n, bad=False):
            content = io.BytesIO()
            with zipfile.ZipFile(content, "w") as bundle:
                bundle.writestr("label_names.txt", "1 background")
                for i in range(n):
                    for suffix, mode, kind in ((".jpg", "RGB", "JPEG"), (".png", "L", "PNG")):
                        picture = io.BytesIO()
                        value = 13 if bad and i == n - 1 else 5
                        Image.new(mode, (30, 20), (value,) * len(mode)).save(picture, kind)
                        bundle.writestr(f"{name}/cmp_{i:04d}{suffix}", picture.getvalue())
            cache.mkdir(exist_ok=True)
            found = catalog.Archive(
                f"{name}.zip", "http://127.0.0.1:9/none", None, "none", "nobody"
            )
            (cache / found.name).write_bytes(content.getvalue())
            return found

        def install(**options):
            sets = (
                (archive("base", 3), "base", 3),
                (archive("extended", 2, **options), "extended", 2),
            )
            monkeypatch.setattr(fetch, "FACADES", sets)

        return install

    def test_both_sets_become_one_folder(self, archives, tmp_path):
        archives()
        fetch.cmp_facade(tmp_path / "cmp")
        assert len(files(tmp_path / "cmp" / "base")) == 6
        assert len(files(tmp_path / "cmp" / "extended")) == 4
        assert files(tmp_path / "cmp") == ["base", "extended"]

    def test_a_wrong_label_leaves_nothing(self, archives, tmp_path, cache):
        archives(bad=True)
        with pytest.raises(InputError, match=r"the 2 facades of extended .*holds the index 13"):
            fetch.cmp_facade(tmp_path / "cmp")
        assert files(cache) == ["base.zip"] and files(tmp_path) == ["cache"]

    def test_a_damaged_archive_leaves_nothing(self, archives, tmp_path, cache):
        archives()
        content = bytearray((cache / "base.zip").read_bytes())
        content[60:70] = bytes(10)
        (cache / "base.zip").write_bytes(content)
        with pytest.raises(InputError, match="something else than the 3 facades of base"):
            fetch.cmp_facade(tmp_path / "cmp")
        assert files(tmp_path) == ["cache"]

    def test_nothing_is_overwritten(self, archives, tmp_path):
        archives()
        (tmp_path / "cmp").mkdir()
        with pytest.raises(InputError, match="cmp"):
            fetch.cmp_facade(tmp_path / "cmp")


class TestFlowers:
    """A small archive and its splits, in place of 1,360 pictures, from a server of their own."""

    @pytest.fixture
    def archives(self, server, cache, monkeypatch):
        def install(missing=None, broken=False):
            content = io.BytesIO()
            with tarfile.open(fileobj=content, mode="w:gz") as bundle:
                for name, data in [("jpg/files.txt", b"image_0001.jpg")] + [
                    (f"jpg/image_{i:04d}.jpg", picture(i)) for i in range(1, 35) if i != missing
                ]:
                    member = tarfile.TarInfo(name)
                    member.size = len(data)
                    bundle.addfile(member, io.BytesIO(data))
            server.content = content.getvalue()[: 900 if broken else None]
            lists = io.BytesIO()
            numbers = np.arange(1, 35)[None]
            split = {"trn": numbers[:, ::2], "val": numbers[:, 1:9:2], "tst": numbers[:, 9::2]}
            savemat(lists, {f"{name}{p}": n for name, n in split.items() for p in (1, 2, 3)})
            cache.mkdir(exist_ok=True)
            (cache / "datasplits.mat").write_bytes(lists.getvalue())
            for constant, name, content in (
                ("FLOWERS17", "17flowers.tgz", server.content),
                ("FLOWERS17_SPLITS", "datasplits.mat", lists.getvalue()),
            ):
                checksum = "md5:" + hashlib.md5(content).hexdigest()
                made = catalog.Archive(name, server.url, checksum, "none", "nobody")
                monkeypatch.setattr(catalog, constant, made)

        def picture(i):
            made = io.BytesIO()
            Image.new("RGB", (12, 9), (7 * i,) * 3).save(made, "JPEG")
            return made.getvalue()

        return install

    def test_a_folder_that_can_be_read(self, archives, tmp_path, server):
        archives()
        fetch.flowers17(tmp_path / "flowers")
        assert files(tmp_path / "flowers") == ["datasplits.mat", "jpg"]
        assert len(files(tmp_path / "flowers" / "jpg")) == 34
        train = Flowers17(tmp_path / "flowers", size=8)
        assert len(train) == 17 and train.labels.tolist() == list(range(17))
        assert server.asked == [None]

    @pytest.mark.parametrize(
        ("options", "message"),
        [({"missing": 20}, "image_0020"), ({"broken": True}, "cannot be unpacked")],
    )
    def test_a_wrong_archive_leaves_nothing(self, archives, tmp_path, options, message):
        archives(**options)
        with pytest.raises(InputError, match=message):
            fetch.flowers17(tmp_path / "flowers")
        assert files(tmp_path) == ["cache"]

    def test_nothing_is_overwritten(self, archives, tmp_path, server):
        archives()
        (tmp_path / "flowers").mkdir()
        with pytest.raises(InputError, match="exists already"):
            fetch.flowers17(tmp_path / "flowers")
        assert server.asked == []
