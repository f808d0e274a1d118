"""Everything that cannot be used is a clear 4xx in the one body, and changes nothing at all."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from pytest_django import DjangoCaptureOnCommitCallbacks

from access.caller import Caller
from programme.models import QuotaAllowance, QuotaEntry
from tests.factories.api import Answer, Api
from tests.factories.generation import PROMPT, completed_video
from tests.factories.review import everything, put_policy

pytestmark = pytest.mark.django_db
Of = Callable[[Caller], Api]
JSON = "application/json"
BOUNDARY = "multipart/form-data; boundary=x"


def multipart(*parts: tuple[str, bytes]) -> bytes:
    body = b"".join(
        b'--x\r\nContent-Disposition: form-data; name="%s"\r\n\r\n%s\r\n' % (name.encode(), value)
        for name, value in parts
    )
    return body + b"--x--\r\n"


@dataclass(frozen=True)
class Bad:
    """A body that must be refused: as which status and code, and which fields are named."""

    name: str
    status: int
    code: str
    body: bytes | dict[str, Any]
    fields: set[str] = field(default_factory=set)
    content_type: str = JSON
    headers: dict[str, str] = field(default_factory=dict)


def invalid(name: str, fields: set[str], code: str = "invalid_request", **body: Any) -> Bad:
    return Bad(name, 400, code, {"prompt": PROMPT} | body, fields)


BODIES = [
    # --- fields -------------------------------------------------------------------------------------
    Bad("no prompt", 400, "invalid_request", {}, {"prompt"}),
    invalid("null prompt", {"prompt"}, prompt=None),
    invalid("empty prompt", {"prompt"}, prompt="  \n "),
    invalid("prompt is a number", {"prompt"}, prompt=7),
    invalid("prompt is a list", {"prompt"}, prompt=["a"]),
    invalid("40,000 characters", {"prompt"}, prompt="x" * 40_000),
    invalid("NUL byte", {"prompt"}, prompt="a\0b"),
    invalid("control character", {"prompt"}, prompt="a\x1bb"),
    invalid("half a surrogate pair", {"prompt"}, prompt="a\ud83d"),
    invalid("0 seconds", {"seconds"}, seconds=0),
    invalid("10,000 seconds", {"seconds"}, seconds="10000"),
    invalid("half seconds", {"seconds"}, seconds="4.5"),
    invalid("float seconds", {"seconds"}, seconds=4.5),
    invalid("true seconds", {"seconds"}, seconds=True),
    invalid("list of seconds", {"seconds"}, seconds=[4]),
    invalid("endless seconds", {"seconds"}, seconds=10**400),
    invalid("negative seconds", {"seconds"}, seconds=-4),
    invalid("words for seconds", {"seconds"}, seconds="four"),
    invalid("arabic digits", {"seconds"}, seconds="٤"),
    invalid("unknown size", {"size"}, size="1x1"),
    invalid("size with NUL", {"size"}, size="1280x720\0"),
    invalid("size is an object", {"size"}, size={"w": 1}),
    invalid("frames a second that nobody makes", {"fps"}, fps=60),
    invalid("words for frames a second", {"fps"}, fps="many"),
    invalid("other steps than the model's", {"num_inference_steps"}, num_inference_steps="9"),
    invalid("other guidance than the model's", {"guidance_scale"}, guidance_scale="7.5"),
    invalid(
        "a field of nobody's and no prompt", {"prompt", "cfg", "guidance"}, prompt="", cfg=1, guidance="x"
    ),
    invalid("negative seed", {"seed"}, seed=-1),
    invalid("seed too large", {"seed"}, seed=2**32),
    invalid("seed is a word", {"seed"}, seed="lucky"),
    invalid("unknown model", {"model"}, "unknown_model", model="sora-2"),
    invalid("model is half a surrogate pair", {"model"}, model="\ud83d"),
    invalid("model is a number", {"model"}, model=2),
    invalid(
        "picture by address", {"input_reference"}, input_reference={"image_url": "http://169.254.169.254/"}
    ),
    invalid(
        "all at once", {"prompt", "seconds", "size", "seed"}, prompt="", seconds=True, size="1x1", seed=-1
    ),
    invalid("form and sense", {"model", "prompt", "seconds"}, model="sora-2", prompt="", seconds="x"),
    invalid("unknown and empty", {"model", "prompt"}, "unknown_model", model="sora-2", prompt=""),
    # --- bodies -------------------------------------------------------------------------------------
    Bad("broken JSON", 400, "malformed_body", b'{"prompt": "a"'),
    Bad("no JSON", 400, "malformed_body", b"prompt=a"),
    Bad("a list", 400, "malformed_body", b'["a"]'),
    Bad("null", 400, "malformed_body", b"null"),
    Bad("NaN", 400, "malformed_body", b'{"prompt": "a", "seed": NaN}'),
    Bad("a name twice", 400, "malformed_body", b'{"prompt": "a", "prompt": "b"}'),
    Bad("a name twice, inside", 400, "malformed_body", b'{"prompt": "a", "x": {"y": 1, "y": 2}}'),
    Bad("half a surrogate pair twice", 400, "malformed_body", b'{"\\ud83d": 1, "\\ud83d": 2}'),
    Bad("not UTF-8", 400, "malformed_body", b'{"prompt": "\xff\xfe"}'),
    Bad("a bomb of lists", 400, "malformed_body", b'{"prompt": ' + b"[" * 100_000),
    Bad("a bomb of objects", 400, "malformed_body", b'{"a":' * 40_000),
    Bad(
        "a number with 5,000 digits", 400, "malformed_body", b'{"prompt": "a", "seed": ' + b"1" * 5000 + b"}"
    ),
    Bad("300 kB", 413, "body_too_large", b'{"prompt": "' + b"x" * 300_000 + b'"}'),
    Bad("plain text", 415, "unsupported_media_type", b"a boat", content_type="text/plain"),
    Bad("no type", 415, "unsupported_media_type", b"a boat", content_type=""),
    Bad(
        "foreign charset",
        415,
        "unsupported_media_type",
        b'{"prompt": "a"}',
        content_type=f"{JSON}; charset=hex",
    ),
    Bad("packed", 415, "unsupported_media_type", b"\x1f\x8b", headers={"content_encoding": "gzip"}),
    Bad("chunks", 411, "length_required", b"", headers={"transfer_encoding": "chunked"}),
    Bad("HTML wanted", 406, "not_acceptable", {"prompt": PROMPT}, headers={"accept": "text/html"}),
    # --- multipart and forms ------------------------------------------------------------------------
    Bad("no boundary", 400, "malformed_body", b"--x", content_type="multipart/form-data"),
    Bad("cut off", 400, "invalid_request", b"--x\r\nContent-Disp", {"prompt"}, content_type=BOUNDARY),
    Bad("no end", 400, "invalid_request", b"", {"prompt"}, content_type=BOUNDARY),
    Bad(
        "prompt twice",
        400,
        "malformed_body",
        multipart(("prompt", b"a"), ("prompt", b"b")),
        content_type=BOUNDARY,
    ),
    Bad("form, not UTF-8", 400, "malformed_body", multipart(("prompt", b"\xff")), content_type=BOUNDARY),
    Bad(
        "form, NUL", 400, "invalid_request", multipart(("prompt", b"a\0")), {"prompt"}, content_type=BOUNDARY
    ),
    Bad(
        "101 fields",
        400,
        "bad_request",
        multipart(*((f"f{n}", b"x") for n in range(101))),
        content_type=BOUNDARY,
    ),
    Bad(
        "a picture",
        400,
        "invalid_request",
        multipart(("prompt", b"a"), ("input_reference", b"x")),
        {"input_reference"},
        content_type=BOUNDARY,
    ),
    Bad(
        "a form twice",
        400,
        "malformed_body",
        b"prompt=a&prompt=b",
        content_type="application/x-www-form-urlencoded",
    ),
]


@pytest.fixture
def nothing_changes(
    artist: Caller, now: datetime, django_capture_on_commit_callbacks: DjangoCaptureOnCommitCallbacks
) -> Callable[[Callable[[], Answer]], Answer]:
    def watch(ask: Callable[[], Answer]) -> Answer:
        before = (everything(), _quota())
        with django_capture_on_commit_callbacks() as leaving:
            answer = ask()
        assert (everything(), _quota()) == before
        assert not leaving
        return answer

    return watch


def _quota() -> list[Any]:
    return [list(model.objects.order_by("id").values()) for model in (QuotaAllowance, QuotaEntry)]


Watch = Callable[[Callable[[], Answer]], Answer]


@pytest.mark.parametrize("bad", BODIES, ids=lambda bad: bad.name)
def test_refuses_a_bad_order_by_name_and_changes_nothing(
    api: Of, artist: Caller, nothing_changes: Watch, bad: Bad
) -> None:
    client = api(artist)
    body = bad.body if isinstance(bad.body, bytes) else json.dumps(bad.body).encode()

    answer = nothing_changes(
        lambda: client.send("POST", "/videos", body, bad.content_type, headers=bad.headers)
    )

    refusal = answer.refused(bad.status, bad.code)
    assert set(refusal.get("fields", {})) == bad.fields
    if bad.fields:
        assert refusal["error"]["param"] in bad.fields
    assert answer.headers["x-should-retry"] == "false"


def test_refuses_an_uploaded_file_by_the_name_of_its_field(
    api: Of, artist: Caller, nothing_changes: Watch
) -> None:
    client = api(artist)
    picture = SimpleUploadedFile("start.png", b"\x89PNG", "image/png")

    answer = nothing_changes(
        lambda: client.post("/videos", form={"prompt": PROMPT, "input_reference": picture})
    )

    assert answer.refused(400, "picture_unreadable")["error"]["param"] == "input_reference"


def test_refuses_what_the_day_does_not_cover_and_says_when_to_come_again(
    api: Of, artist: Caller, nothing_changes: Watch
) -> None:
    client = api(artist)
    for _ in range(10):
        client.post("/videos", {"prompt": PROMPT, "seconds": 12}).ok()

    answer = nothing_changes(lambda: client.post("/videos", {"prompt": PROMPT}))

    refusal = answer.refused(429, "quota_exhausted")
    assert refusal["error"]["type"] == "quota_error"
    assert answer.headers["x-should-retry"] == "false"
    assert int(answer.headers["Retry-After"]) == 11 * 3600  # noon in UTC is one in the afternoon in Amsterdam
    assert (refusal["left"], refusal["limit"]) == (0, 120)


@pytest.mark.parametrize(
    ("body", "words"),
    [
        ({"prompt": PROMPT, "seed": 10**30}, "“seed” is a whole number of at most 18 digits."),
        ({"prompt": PROMPT, "seed": "9" * 30}, "“seed” is a whole number of at most 18 digits."),
        ({"prompt": PROMPT, "seed": "٤"}, "“seed” must be a whole number, not “٤”."),
        ({"prompt": PROMPT, "size": ""}, "not an empty one."),
        (b'{"prompt": "a", "seed": ' + b"1" * 6000 + b"}", "has 6,000 digits"),
    ],
    ids=["a huge number", "a huge number in a string", "other digits", "an empty size", "endless digits"],
)
def test_says_what_is_wrong_in_words_of_its_own(
    api: Of, artist: Caller, body: dict[str, Any] | bytes, words: str
) -> None:
    sent = body if isinstance(body, bytes) else json.dumps(body).encode()
    code = "malformed_body" if isinstance(body, bytes) else "invalid_request"

    assert words in api(artist).send("POST", "/videos", sent, JSON).refused(400, code)["detail"]


def test_a_form_without_a_boundary_is_told_so(api: Of, artist: Caller) -> None:
    answer = api(artist).send("POST", "/videos", b"--x", "multipart/form-data")

    assert "boundary into Content-Type" in answer.refused(400, "malformed_body")["detail"]


@pytest.mark.parametrize(
    ("query", "code", "param"),
    [
        ("limit=0", "invalid_request", "limit"),
        ("limit=101", "invalid_request", "limit"),
        ("limit=ten", "invalid_request", "limit"),
        ("limit=1&limit=2", "invalid_request", "limit"),
        ("order=sideways", "invalid_request", "order"),
        ("status=failed", "invalid_request", "status"),
        ("Limit=2", "invalid_request", "Limit"),
        ("after=video_nothing", "bad_cursor", "after"),
        ("after=%00", "invalid_request", "after"),
        ("after=%ff", "invalid_request", "after"),
        ("after=" + "x" * 5000, "bad_cursor", "after"),
    ],
)
@pytest.mark.parametrize("path", ["/videos", "/shares"])
def test_refuses_a_bad_query_of_a_list(
    api: Of, artist: Caller, path: str, query: str, code: str, param: str
) -> None:
    refusal = api(artist).get(f"{path}?{query}").refused(400, code)

    assert refusal["error"]["param"] == param


@pytest.mark.parametrize(
    ("method", "path", "status", "code"),
    [
        ("GET", "/", 404, "no_such_address"),
        ("GET", "/nothing", 404, "no_such_address"),
        ("POST", "/videos/", 404, "no_such_address"),
        ("GET", "/videos/a/b/c", 404, "no_such_address"),
        ("GET", "/videos/%00", 404, "no_such_address"),
        ("GET", "/videos/%ff", 404, "no_such_address"),
        ("GET", "/videos/" + "x" * 5000, 404, "no_such_address"),
        ("GET", "/videos/" + "x" * 80, 404, "not_found"),
        ("PUT", "/videos", 405, "method_not_allowed"),
        ("PATCH", "/videos/video_x", 405, "method_not_allowed"),
        ("OPTIONS", "/videos", 405, "method_not_allowed"),
        ("GET", "/review/claim", 405, "method_not_allowed"),
    ],
)
def test_answers_in_its_own_body_wherever_one_knocks(
    api: Of, artist: Caller, method: str, path: str, status: int, code: str
) -> None:
    answer = api(artist).send(method, path)

    answer.refused(status, code)
    assert ("Allow" in answer.headers) == (status == 405)


@pytest.mark.parametrize(
    ("path", "body", "fields"),
    [
        ("share", {}, {"title"}),
        ("share", {"title": "x" * 121, "note": "y" * 2001}, {"title", "note"}),
        ("share", {"title": ["a"], "show_prompt": "perhaps"}, {"title", "show_prompt"}),
        ("share", {"title": "a\0"}, {"title"}),
        ("share", {"title": "a", "show_seed": 1}, {"show_seed"}),
    ],
)
def test_refuses_a_bad_wish_to_share(
    api: Of,
    artist: Caller,
    now: datetime,
    nothing_changes: Watch,
    path: str,
    body: dict[str, Any],
    fields: set[str],
) -> None:
    assert artist.membership is not None
    put_policy(artist.membership.programme.id, now)
    client, video = api(artist), completed_video(artist, now)

    answer = nothing_changes(lambda: client.post(f"/videos/{video}/{path}", body))

    assert set(answer.refused(400, "invalid_request")["fields"]) == fields
