"""What signing writes, and what it refuses."""

from __future__ import annotations

import base64
import os
import resource
import signal
import socket
import stat
import threading
from collections.abc import Callable
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from generation.credentials import keys
from generation.credentials.chain import Chain
from generation.credentials.errors import CredentialsError
from generation.credentials.manifest import Provenance
from generation.credentials.reader import read
from generation.credentials.signer import Signer
from generation.errors import Transient
from tests.rig.clips import boxes_of

Say = Callable[..., Provenance]
KINDS = ["video/mp4", "image/jpeg", "image/png"]
GENERATED = "http://cv.iptc.org/newscodes/digitalsourcetype/trainedAlgorithmicMedia"


@pytest.mark.parametrize("kind", KINDS)
def test_signed_file_is_trusted_with_our_root_and_valid_without(
    kind: str, signed: dict[str, Path], own_chain: Chain
) -> None:
    known, unknown = read(signed[kind], own_chain.root), read(signed[kind], None)
    assert (known.state, known.failures) == ("trusted", ())
    assert (unknown.state, unknown.failures) == ("valid", ("signingCredential.untrusted",))


@pytest.mark.parametrize("kind", KINDS)
def test_signed_file_says_how_it_was_made(kind: str, signed: dict[str, Path], own_chain: Chain) -> None:
    claims = read(signed[kind], own_chain.root).claims
    assert claims is not None
    assert (claims.generator, claims.title) == ("Private View 0.1.0", "Harbour at dawn")
    assert (claims.model, claims.variant, claims.source_type) == ("example-video", "full-1", GENERATED)
    assert claims.actions == ("c2pa.created", "c2pa.watermarked.bound")
    assert claims.soft_bindings == (base64.b64encode(bytes(range(32))).decode(),)
    assert claims.signer_organisation == "Private View"
    assert claims.signer_name == "Private View Content Credentials signer"
    assert (claims.signed_at, claims.ingredients, claims.author) == (None, (), "")


def test_fast_start_survives_signing(originals: dict[str, Path], signed: dict[str, Path]) -> None:
    kind = "video/mp4"
    assert boxes_of(originals[kind])[:2] == ["ftyp", "moov"]
    assert boxes_of(signed[kind])[:3] == ["ftyp", "uuid", "moov"]
    assert boxes_of(signed[kind]).index("moov") < boxes_of(signed[kind]).index("mdat")


@pytest.mark.parametrize("kind", KINDS)
def test_credentials_add_no_thumbnail(kind: str, originals: dict[str, Path], signed: dict[str, Path]) -> None:
    assert signed[kind].stat().st_size - originals[kind].stat().st_size < 16_000


def test_key_behind_a_callback_signs(
    own_chain: Chain, originals: dict[str, Path], say: Say, tmp_path: Path
) -> None:
    asked: list[bytes] = []
    local = keys.local_key(own_chain.key)

    def service(data: bytes) -> bytes:
        asked.append(data)
        return local(data)

    Signer(own_chain.certificates, service).sign(originals["video/mp4"], tmp_path / "a.mp4", say())
    assert read(tmp_path / "a.mp4", own_chain.root).state == "trusted"
    assert len(asked) == 1


def test_fault_of_the_key_service_comes_through(
    own_chain: Chain, originals: dict[str, Path], say: Say, tmp_path: Path
) -> None:
    def service(data: bytes) -> bytes:
        raise Transient("The key service is busy.")

    with pytest.raises(Transient, match="key service is busy"):
        Signer(own_chain.certificates, service).sign(
            originals["image/png"], tmp_path / "a.png", say("image/png")
        )
    assert list(tmp_path.iterdir()) == []


def test_key_service_out_of_reach_is_worth_another_try(
    own_chain: Chain, originals: dict[str, Path], say: Say, tmp_path: Path
) -> None:
    def service(data: bytes) -> bytes:
        raise ConnectionError("no route to the key")

    with pytest.raises(Transient, match="gave no signature: no route to the key") as raised:
        Signer(own_chain.certificates, service).sign(
            originals["image/png"], tmp_path / "a.png", say("image/png")
        )
    assert isinstance(raised.value.__cause__, ConnectionError)
    assert list(tmp_path.iterdir()) == []


def test_signer_made_before_a_fork_signs_in_the_child(
    signer: Signer, own_chain: Chain, originals: dict[str, Path], say: Say, tmp_path: Path
) -> None:
    signer.sign(originals["video/mp4"], tmp_path / "parent.mp4", say())
    child = os.fork()
    if child == 0:  # leaves without pytest's own ending
        code = 1
        try:
            signal.alarm(30)
            signer.sign(originals["video/mp4"], tmp_path / "child.mp4", say())
            code = 0 if read(tmp_path / "child.mp4", own_chain.root).state == "trusted" else 2
        finally:
            os._exit(code)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
    assert read(tmp_path / "child.mp4", own_chain.root).state == "trusted"


def test_threads_share_a_signer(
    signer: Signer, own_chain: Chain, originals: dict[str, Path], say: Say, tmp_path: Path
) -> None:
    files = [tmp_path / f"{number}.jpg" for number in range(6)]
    work = [
        threading.Thread(target=signer.sign, args=(originals["image/jpeg"], file, say("image/jpeg")))
        for file in files
    ]
    for thread in work:
        thread.start()
    for thread in work:
        thread.join()
    assert {read(file, own_chain.root).state for file in files} == {"trusted"}


def test_never_signs_in_place(signer: Signer, originals: dict[str, Path], say: Say, tmp_path: Path) -> None:
    file, other_name = tmp_path / "a.png", tmp_path / "b.png"
    file.write_bytes(originals["image/png"].read_bytes())
    other_name.hardlink_to(file)
    for destination in (file, tmp_path / "." / "a.png", other_name):
        with pytest.raises(CredentialsError, match="in place"):
            signer.sign(file, destination, say("image/png"))
    assert file.read_bytes() == originals["image/png"].read_bytes()


def test_refuses_signed_file(signer: Signer, signed: dict[str, Path], say: Say, tmp_path: Path) -> None:
    for kind, file in signed.items():
        with pytest.raises(CredentialsError, match="has credentials already"):
            signer.sign(file, tmp_path / "again", say(kind))
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("content", [b"", b"no picture", os.urandom(4096)])
@pytest.mark.parametrize("kind", KINDS)
def test_refuses_file_of_another_kind(
    kind: str, content: bytes, signer: Signer, say: Say, tmp_path: Path
) -> None:
    source, destination = tmp_path / "source", tmp_path / "destination"
    source.write_bytes(content)
    destination.write_bytes(b"what was there")
    with pytest.raises(CredentialsError, match="cannot be signed"):
        signer.sign(source, destination, say(kind))
    assert destination.read_bytes() == b"what was there"
    assert sorted(tmp_path.iterdir()) == [destination, source]


def test_refuses_type_that_the_bytes_are_not(
    signer: Signer, originals: dict[str, Path], say: Say, tmp_path: Path
) -> None:
    with pytest.raises(CredentialsError, match="cannot be signed"):
        signer.sign(originals["video/mp4"], tmp_path / "a.png", say("image/png"))
    with pytest.raises(CredentialsError, match="text/html are not signed"):
        signer.sign(originals["video/mp4"], tmp_path / "a.html", say("text/html"))


def test_refuses_file_that_is_not_there(signer: Signer, say: Say, tmp_path: Path) -> None:
    with pytest.raises(CredentialsError, match="could not be opened: No such file"):
        signer.sign(tmp_path / "gone.mp4", tmp_path / "a.mp4", say())


def test_missing_folder_is_worth_another_try(
    signer: Signer, originals: dict[str, Path], say: Say, tmp_path: Path
) -> None:
    with pytest.raises(Transient, match="could not be written"):
        signer.sign(originals["video/mp4"], tmp_path / "gone" / "a.mp4", say())


def test_full_disk_is_worth_another_try_and_leaves_nothing(
    signer: Signer, originals: dict[str, Path], say: Say, tmp_path: Path
) -> None:
    child = os.fork()
    if child == 0:  # the limit is for the child alone
        code = 1
        try:
            signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
            resource.setrlimit(resource.RLIMIT_FSIZE, (8192, resource.RLIM_INFINITY))
            with pytest.raises(Transient):
                signer.sign(originals["image/png"], tmp_path / "a.png", say("image/png"))
            code = 0
        finally:
            os._exit(code)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
    assert list(tmp_path.iterdir()) == []


def test_signed_file_has_the_mode_of_the_process(
    signer: Signer, originals: dict[str, Path], say: Say, tmp_path: Path
) -> None:
    plain = tmp_path / "plain"
    plain.touch()
    signer.sign(originals["image/png"], tmp_path / "a.png", say("image/png"))
    assert stat.S_IMODE((tmp_path / "a.png").stat().st_mode) == stat.S_IMODE(plain.stat().st_mode)


def test_time_stamp_server_that_fails_is_worth_another_try(
    own_chain: Chain, originals: dict[str, Path], say: Say, tmp_path: Path
) -> None:
    class Broken(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            self.send_error(503)

        def log_message(self, *args: object) -> None:
            return

    with ThreadingHTTPServer(("127.0.0.1", 0), Broken) as server, socket.socket() as closed:
        closed.bind(("127.0.0.1", 0))
        threading.Thread(target=server.serve_forever, daemon=True).start()
        for port in (server.server_port, closed.getsockname()[1]):
            stamped = Signer(
                own_chain.certificates, keys.local_key(own_chain.key), ta_url=f"http://127.0.0.1:{port}/"
            )
            with pytest.raises(Transient, match="time-stamp server"):
                stamped.sign(originals["image/png"], tmp_path / "a.png", say("image/png"))
        server.shutdown()
    assert list(tmp_path.iterdir()) == []


def test_no_time_is_claimed_without_a_time_stamp(signed: dict[str, Path]) -> None:
    claims = read(signed["image/png"], None).claims
    assert claims is not None
    assert claims.signed_at is None
    assert datetime.now(UTC).strftime("%Y-%m-%dT").encode() not in signed["image/png"].read_bytes()
