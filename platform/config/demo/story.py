"""Who and what the demo shows. The passwords are public: they open a demo on a loopback address, nothing else."""

from __future__ import annotations

from dataclasses import dataclass

from generation.services.variants import Stage, VariantSpec

PROGRAMME = "Halflight early access"
SLUG = "halflight"
MARK = "Halflight preview"
TIMEZONE = "Europe/Berlin"
COHORT = "First guests"
DAILY_SECONDS = 120
TOKEN_NAME = "Demo"  # noqa: S105 - what a token is called


@dataclass(frozen=True, slots=True)
class Guest:
    role: str
    name: str
    email: str
    password: str


OPERATOR = Guest("operator", "Mirre Halloran", "operator@demo.example", "demo-password-operator")
REVIEWERS = (
    Guest("reviewer", "Tomas Iravel", "reviewer@demo.example", "demo-password-reviewer"),
    Guest("reviewer", "Sabe Okonta", "reviewer2@demo.example", "demo-password-reviewer"),
)
ARTISTS = (
    Guest("artist", "Oda Venn", "artist@demo.example", "demo-password-artist"),
    Guest("artist", "Lio Kastanje", "artist2@demo.example", "demo-password-artist"),
)
STAFF = (OPERATOR, *REVIEWERS)

_SIZES = ("1280x720", "640x360", "960x540", "1920x1080")
_LENGTHS = (4, 2, 6, 8, 10, 12, 16, 20)
_RATES = (24, 30)
TURBO = VariantSpec(
    slug="turbo-1",
    name="Turbo",
    description="Few steps: a draft while you watch.",
    backend="diffusers",
    checkpoint="builtin",
    steps=8,
    guidance=3.5,
    sizes=_SIZES,
    lengths=_LENGTHS,
    rates=_RATES,
    queue="turbo",
    images=True,
    adapters=True,
    position=0,
)
FULL = VariantSpec(
    slug="full-1",
    name="Full",
    description="More steps: cleaner shapes and steadier motion.",
    backend="diffusers",
    checkpoint="builtin",
    steps=24,
    guidance=3.5,
    sizes=_SIZES,
    lengths=_LENGTHS,
    rates=_RATES,
    queue="full",
    stage=Stage.FINAL,
    images=True,
    adapters=True,
    position=1,
)
VARIANTS = (TURBO, FULL)


@dataclass(frozen=True, slots=True)
class Clip:
    """`title` empty: never asked to be shown. `approved` False with a title: waits at the desk."""

    artist: Guest
    prompt: str
    variant: str
    seed: int
    size: str
    seconds: int
    title: str = ""
    note: str = ""
    approved: bool = False


CLIPS = (
    Clip(
        artist=ARTISTS[0],
        prompt="a red balloon rising over the dunes",
        variant=FULL.slug,
        seed=310,
        size="1280x720",
        seconds=4,
        title="Dunes, six in the morning",
        note="The light stays as it is on purpose; nothing is cut.",
        approved=True,
    ),
    Clip(
        artist=ARTISTS[1],
        prompt="a yellow lantern rising in the night sky",
        variant=FULL.slug,
        seed=2210,
        size="1280x720",
        seconds=4,
        title="Lantern, second evening",
        note="For the wall by the stairs, if you like it.",
    ),
    Clip(
        artist=ARTISTS[0],
        prompt="an orange fish rising in a kelp forest",
        variant=TURBO.slug,
        seed=310,
        size="640x360",
        seconds=4,
    ),
)
