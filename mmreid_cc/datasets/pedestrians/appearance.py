"""The appearance of drawn pedestrians: body, clothes and bag, from small palettes."""

from dataclasses import dataclass

import numpy as np

from .pixels import Colour

# Few colours on purpose: identities share them, so that a colour histogram alone
# does not tell people apart, and pattern, cut, hair and bag have to.
UPPER_COLOURS: tuple[Colour, ...] = (
    (38, 38, 44),
    (226, 224, 218),
    (128, 130, 134),
    (34, 52, 112),
    (176, 36, 42),
    (66, 120, 78),
    (222, 176, 60),
    (112, 168, 206),
)
LOWER_COLOURS: tuple[Colour, ...] = (
    (34, 34, 40),
    (52, 74, 122),
    (118, 116, 112),
    (186, 164, 124),
)
BAG_COLOURS: tuple[Colour, ...] = (
    (30, 30, 34),
    (132, 86, 48),
    (196, 60, 40),
    (40, 110, 150),
)
SHOE_COLOURS: tuple[Colour, ...] = ((28, 26, 26), (228, 226, 222), (120, 78, 46))
SKIN_COLOURS: tuple[Colour, ...] = (
    (238, 200, 170),
    (214, 166, 126),
    (160, 108, 76),
    (104, 68, 48),
)
HAIR_COLOURS: tuple[Colour, ...] = (
    (26, 22, 22),
    (74, 48, 32),
    (196, 156, 92),
    (150, 148, 146),
)

PATTERNS = ('plain', 'hoops', 'stripes', 'checks', 'dots', 'block', 'band', 'logo')
HAIR_STYLES = ('short', 'long', 'bun', 'bald')
HATS = ('none', 'cap', 'beanie')
LOWER_KINDS = ('trousers', 'shorts', 'skirt')
BAGS = ('none', 'backpack', 'shoulder', 'hand')


@dataclass(frozen=True)
class Appearance:
    """Everything about a pedestrian that stays when the camera changes.

    Attributes:
        height: body height relative to the camera's mean, 0.95–1.02.
        build: width relative to a slim body, 1–1.22.
        skin: colour of face, arms and legs, RGB 0–255 (as all colours here).
        hair: colour of the hair.
        hair_style: one of ``HAIR_STYLES``.
        hat: one of ``HATS``.
        hat_colour: colour of the hat.
        upper: first colour of the upper garment.
        upper_accent: colour of its pattern, different from ``upper``.
        pattern: one of ``PATTERNS``.
        long_sleeves: whether the sleeves reach the wrists.
        hem: where the upper garment ends, as a share of the body height from the
            crown: 0.53 is a shirt, 0.66 a coat.
        inner: colour of the shirt under an open jacket, or None if it is closed.
        lower: colour of the lower garment.
        lower_kind: one of ``LOWER_KINDS``.
        shoes: colour of the shoes.
        bag: one of ``BAGS``.
        bag_colour: colour of the bag.
    """

    height: float
    build: float
    skin: Colour
    hair: Colour
    hair_style: str
    hat: str
    hat_colour: Colour
    upper: Colour
    upper_accent: Colour
    pattern: str
    long_sleeves: bool
    hem: float
    inner: Colour | None
    lower: Colour
    lower_kind: str
    shoes: Colour
    bag: str
    bag_colour: Colour


def random_appearance(rng: np.random.Generator) -> Appearance:
    """Draw a pedestrian's appearance from the palettes.

    Args:
        rng: the source of all randomness.

    Returns:
        The appearance.

    Example:
        >>> import numpy as np
        >>> random_appearance(np.random.default_rng(1)).bag in BAGS
        True
    """
    upper, accent = rng.choice(len(UPPER_COLOURS), 2, replace=False)
    long_sleeves = bool(rng.random() < 0.6)
    is_coat = long_sleeves and rng.random() < 0.3
    is_open = long_sleeves and rng.random() < 0.3
    return Appearance(
        height=float(rng.uniform(0.95, 1.02)),
        build=float(rng.uniform(1.0, 1.22)),
        skin=_one_of(rng, SKIN_COLOURS),
        hair=_one_of(rng, HAIR_COLOURS),
        hair_style=str(rng.choice(HAIR_STYLES, p=(0.45, 0.3, 0.15, 0.1))),
        hat=str(rng.choice(HATS, p=(0.75, 0.15, 0.1))),
        hat_colour=_one_of(rng, UPPER_COLOURS),
        upper=UPPER_COLOURS[upper],
        upper_accent=UPPER_COLOURS[accent],
        pattern=str(rng.choice(PATTERNS)),
        long_sleeves=long_sleeves,
        hem=0.66 if is_coat else 0.53,
        inner=_one_of(rng, UPPER_COLOURS) if is_open else None,
        lower=_one_of(rng, LOWER_COLOURS),
        lower_kind=str(rng.choice(LOWER_KINDS, p=(0.6, 0.2, 0.2))),
        shoes=_one_of(rng, SHOE_COLOURS),
        bag=str(rng.choice(BAGS, p=(0.25, 0.3, 0.25, 0.2))),
        bag_colour=_one_of(rng, BAG_COLOURS),
    )


def _one_of(rng: np.random.Generator, palette: tuple[Colour, ...]) -> Colour:
    return palette[rng.integers(len(palette))]
