"""What becomes of a render when the file is broken, none, too much, or at an address that we must not open."""

from __future__ import annotations

import io
import tempfile
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import av
import httpx
import pytest
from PIL import Image as Pictures

from generation.backends.remote.backend import RemoteBackend
from generation.backends.remote.guard import PublicTransport, Resolve
from generation.errors import EngineError, Transient
from tests.rig.remote import SHORT, TOKEN, fails, redirects, render, says, sends
from tests.rig.video_server import Exchange, VideoServer, clip_of, film_of

FILM = clip_of({"seed": b"3", "size": b"320x180", "seconds": b"1"})


def picture() -> bytes:
    with tempfile.NamedTemporaryFile(suffix=".png") as file:
        Pictures.new("RGB", (320, 180)).save(file.name)
        return Path(file.name).read_bytes()


# --- files -----------------------------------------------------------------------------------------


def test_download_that_breaks_off_is_begun_again(video_server: VideoServer, remote: RemoteBackend) -> None:
    def breaks_off(exchange: Exchange) -> None:
        exchange.begin(200, {"content-type": "video/mp4", "content-length": str(len(FILM))})
        exchange.wfile.write(FILM[: len(FILM) // 2])
        exchange.close_connection = True

    video_server.replies["content"] = [breaks_off, None]

    assert len(list(render(remote).images)) == 8
    assert len(video_server.told("GET", "/content")) == 2


def test_download_that_always_breaks_off_is_given_up(
    video_server: VideoServer, remote: RemoteBackend
) -> None:
    def breaks_off(exchange: Exchange) -> None:
        exchange.begin(200, {"content-type": "video/mp4", "content-length": str(len(FILM))})
        exchange.wfile.write(FILM[:-1])
        exchange.close_connection = True

    video_server.replies["content"] = [breaks_off]

    fails(remote, Transient, "breaks off")
    assert video_server.jobs == {}


def test_download_that_arrives_too_slowly_is_given_up(
    video_server: VideoServer, remote: RemoteBackend
) -> None:
    def drip(exchange: Exchange) -> None:
        exchange.begin(200, {"content-type": "video/mp4", "content-length": str(len(FILM))})
        for at in range(len(FILM)):
            exchange.wfile.write(FILM[at : at + 1])
            if exchange.server.house.ended.wait(0.05):
                return

    video_server.replies["content"] = [drip]

    fails(remote, Transient, "does not arrive in time")


@pytest.mark.parametrize("kept", [0.3, 0.6, 0.95])
def test_film_that_the_server_cut_short_is_not_taken_for_a_shorter_one(
    video_server: VideoServer, remote: RemoteBackend, kept: float
) -> None:
    video_server.replies["content"] = [sends(FILM[: int(len(FILM) * kept)])]

    fails(remote, Transient, "breaks off|cannot be read|damaged|instead of")


def test_film_that_ends_between_two_frames_is_not_taken_for_a_shorter_one(
    video_server: VideoServer, remote: RemoteBackend
) -> None:
    with av.open(io.BytesIO(FILM), "r") as container:
        places = sorted(packet.pos for packet in container.demux(video=0) if packet.pos is not None)
    video_server.replies["content"] = [sends(FILM[: places[4]])]

    fails(remote, Transient, "breaks off after 4 of 8 frames")


def test_film_with_holes_in_it_is_not_taken(video_server: VideoServer, remote: RemoteBackend) -> None:
    begin = FILM.index(b"mdat") + 400
    video_server.replies["content"] = [sends(FILM[:begin] + bytes(len(FILM) - begin))]

    fails(remote, Transient, "breaks off|cannot be read|damaged|instead of")


@pytest.mark.parametrize("kind", ["text/html", "application/json; charset=utf-8", "image/png"])
def test_answer_of_another_type_is_no_film(
    video_server: VideoServer, remote: RemoteBackend, kind: str
) -> None:
    video_server.replies["content"] = [sends(FILM, content_type=kind)]

    fails(remote, Transient, "sends (text/html|application/json|image/png) where a film should be")


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"no film at all",
        picture(),
        b"#EXTM3U\n#EXTINF:1,\nfile:///etc/passwd\n",
        b"ffconcat version 1.0\nfile /etc/passwd\n",
        b"\0\0\0\x18ftypisom" + b"\xff" * 4000,
        b"\x1a\x45\xdf\xa3" + b"\0" * 4000,
    ],
    ids=["nothing", "text", "picture", "playlist", "list of files", "only the head", "only WebM's head"],
)
def test_file_that_is_no_film_is_not_opened_as_anything_else(
    video_server: VideoServer, remote: RemoteBackend, body: bytes
) -> None:
    video_server.replies["content"] = [sends(body)]

    fails(remote, Transient, "no film|cannot be read|no pictures")


def test_huge_file_is_refused_before_it_is_fetched(video_server: VideoServer, remote: RemoteBackend) -> None:
    video_server.replies["content"] = [
        lambda exchange: exchange.begin(200, {"content-type": "video/mp4", "content-length": "900000000000"})
    ]

    fails(remote, EngineError, "larger than 300000 bytes")


def test_huge_file_that_does_not_say_so_is_dropped_on_the_way(
    video_server: VideoServer, remote: RemoteBackend
) -> None:
    sent: list[int] = []

    def endless(exchange: Exchange) -> None:
        exchange.begin(200, {"content-type": "video/mp4", "connection": "close"})
        exchange.close_connection = True
        try:
            while not exchange.server.house.ended.is_set():
                sent.append(exchange.wfile.write(b"\0" * 65536))
        except OSError:
            pass

    video_server.replies["content"] = [endless]

    fails(remote, EngineError, "larger than 300000 bytes")
    assert sum(sent) < 50_000_000


def test_film_of_huge_pictures_is_refused(video_server: VideoServer, remote: RemoteBackend) -> None:
    video_server.replies["content"] = [sends(film_of(640, 360, 8))]

    fails(remote, EngineError, "640 × 360, which is too large")


def test_film_of_another_length_is_refused(video_server: VideoServer, remote: RemoteBackend) -> None:
    video_server.replies["content"] = [sends(film_of(64, 64, 24))]

    fails(remote, EngineError, "lasts 3.0 s; 1 s were asked for")


@pytest.mark.parametrize("status", [404, 409, 410])
def test_finished_job_without_a_file_is_tried_anew(
    video_server: VideoServer, remote: RemoteBackend, status: int
) -> None:
    video_server.replies["content"] = [says(status, {"error": {"message": "Gone."}})]

    fails(remote, Transient, f"{status} where a file should be")


def test_file_that_our_token_does_not_open_is_ours_to_mend(
    video_server: VideoServer, remote: RemoteBackend
) -> None:
    video_server.replies["content"] = [says(403)]

    fails(remote, EngineError, "does not let us have the file")


# --- redirects -------------------------------------------------------------------------------------


@pytest.fixture
def neighbour() -> Iterator[VideoServer]:
    """Another server on this machine, which no one configured."""
    with VideoServer().running() as server:
        server.replies["content"] = [sends(FILM)]
        yield server


def test_redirect_on_the_server_itself_is_followed_with_the_token(
    video_server: VideoServer, remote: RemoteBackend
) -> None:
    video_server.replies["content"] = [redirects("/v1/files/1"), redirects("2?for=us"), sends(FILM)]

    assert render(remote).count == 8
    paths = [(seen.path, seen.headers.get("authorization")) for seen in video_server.told("GET")][-2:]
    assert paths == [("/files/1", f"Bearer {TOKEN}"), ("/files/2?for=us", f"Bearer {TOKEN}")]


def test_redirects_in_a_circle_end(video_server: VideoServer, remote: RemoteBackend) -> None:
    video_server.replies["content"] = [redirects("/v1/files/1")]

    fails(remote, EngineError, "from one address to the next")


@pytest.mark.parametrize("scheme", ["http", "https"])
@pytest.mark.parametrize("host", ["127.0.0.1", "localhost"])
def test_redirect_to_another_port_of_this_machine_is_refused(
    video_server: VideoServer, remote: RemoteBackend, neighbour: VideoServer, scheme: str, host: str
) -> None:
    to = neighbour.url.replace("http:", f"{scheme}:").replace("127.0.0.1", host)
    video_server.replies["content"] = [redirects(f"{to}/videos/1/content")]

    fails(remote, EngineError, "without https" if scheme == "http" else "not a public address")
    assert neighbour.seen == []
    assert video_server.jobs == {}


@pytest.mark.parametrize(
    "to",
    [
        "https://127.0.0.1/film.mp4",
        "https://[::1]/film.mp4",
        "https://[::ffff:127.0.0.1]/film.mp4",
        "https://0.0.0.0/film.mp4",
        "https://10.1.2.3/film.mp4",
        "https://192.168.0.1/film.mp4",
        "https://172.20.0.5/film.mp4",
        "https://100.64.0.1/film.mp4",
        "https://169.254.169.254/latest/meta-data",
        "https://[fe80::1]/film.mp4",
        "https://[fd00::1]/film.mp4",
        "https://[64:ff9b::7f00:1]/film.mp4",
        "https://[2002:7f00:1::]/film.mp4",
        "http://93.184.215.14/film.mp4",
        "ftp://93.184.215.14/film.mp4",
        "file:///etc/passwd",
        "https:///film.mp4",
    ],
)
def test_redirect_to_where_nobody_should_send_us_is_refused(
    video_server: VideoServer, remote: RemoteBackend, to: str
) -> None:
    video_server.replies["content"] = [redirects(to)]

    fails(remote, EngineError, "not a public address|without https")


Internet = Callable[[httpx.Request], httpx.Response]
Away = Callable[..., RemoteBackend]
PUBLIC = "93.184.215.14"


@pytest.fixture
def away(video_server: VideoServer) -> Iterator[Away]:
    """Backends for which the internet is a function, and each host of it has a public address unless told."""
    with ExitStack() as stack:

        def make(internet: Internet, resolve: Resolve = lambda *_: [PUBLIC]) -> RemoteBackend:
            transport = PublicTransport(httpx.MockTransport(internet), resolve)
            backend = RemoteBackend(video_server.url, TOKEN, "wan", limits=SHORT, away=transport)
            stack.callback(backend.close)
            return backend

        yield make


def test_redirect_to_a_public_address_is_followed_without_token_cookie_or_second_look_up(
    video_server: VideoServer, away: Away
) -> None:
    asked: list[httpx.Request] = []

    def internet(request: httpx.Request) -> httpx.Response:
        asked.append(request)
        return httpx.Response(200, headers={"content-type": "video/mp4"}, stream=httpx.ByteStream(FILM))

    video_server.replies["content"] = [
        says(302, location="https://films.example/1.mp4?signature=x", set_cookie="session=1")
    ]

    assert render(away(internet)).count == 8
    (request,) = asked
    assert str(request.url) == f"https://{PUBLIC}/1.mp4?signature=x"
    assert request.headers["host"] == "films.example"
    assert request.extensions["sni_hostname"] == "films.example"
    assert not {"authorization", "cookie"} & set(request.headers)
    assert TOKEN not in str(request.headers.raw)


def test_way_back_from_another_host_to_the_server_carries_no_token_and_is_looked_at(
    video_server: VideoServer, away: Away
) -> None:
    def internet(request: httpx.Request) -> httpx.Response:
        return httpx.Response(302, headers={"location": f"{video_server.url}/me"})

    def resolve(host: str, port: int) -> list[str]:
        return [PUBLIC] if host == "films.example" else [host]

    video_server.replies["content"] = [redirects("https://films.example/1.mp4")]

    fails(away(internet, resolve), EngineError, "without https")
    assert not video_server.told("GET", "/me")


def test_host_with_one_private_address_among_public_ones_is_refused(
    video_server: VideoServer, away: Away
) -> None:
    def internet(request: httpx.Request) -> httpx.Response:
        raise AssertionError(f"{request.url} was asked")

    video_server.replies["content"] = [redirects("https://films.example/1.mp4")]

    fails(away(internet, lambda *_: [PUBLIC, "10.0.0.1"]), EngineError, "not a public address")


@pytest.mark.parametrize(
    ("status", "kind"), [(403, "video/mp4"), (200, "text/html")], ids=["expired link", "page"]
)
def test_other_host_without_the_film_is_a_fault_that_may_pass(
    video_server: VideoServer, away: Away, status: int, kind: str
) -> None:
    def internet(request: httpx.Request) -> httpx.Response:
        return httpx.Response(status, headers={"content-type": kind}, stream=httpx.ByteStream(FILM))

    video_server.replies["content"] = [redirects("https://films.example/1.mp4")]

    fails(away(internet), Transient, "where a f")


def test_next_address_of_a_host_is_tried_when_one_does_not_answer(
    video_server: VideoServer, away: Away
) -> None:
    def internet(request: httpx.Request) -> httpx.Response:
        if request.url.host != PUBLIC:
            raise httpx.ConnectError("no route")
        return httpx.Response(200, headers={"content-type": "video/mp4"}, stream=httpx.ByteStream(FILM))

    video_server.replies["content"] = [redirects("https://films.example/1.mp4")]

    assert render(away(internet, lambda *_: ["2606:2800:21f:cb07::1", PUBLIC])).count == 8
