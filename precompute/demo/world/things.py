"""Things in the pictures of the demo: 160 nouns of 20 categories, with their plurals and artwork.

Every category has the same number of nouns, so that category and noun are both drawn evenly. Knows nothing of
pictures or captions.
"""

THINGS: dict[str, dict[str, str]] = {
    "mammal": {
        "dog": "1f436", "cat": "1f431", "rabbit": "1f430", "panda": "1f43c",
        "elephant": "1f418", "giraffe": "1f992", "pig": "1f437", "monkey": "1f435",
    },
    "bird": {
        "eagle": "1f985", "owl": "1f989", "duck": "1f986", "rooster": "1f413",
        "penguin": "1f427", "parrot": "1f99c", "flamingo": "1f9a9", "swan": "1f9a2",
    },
    "sea creature": {
        "fish": "1f420", "dolphin": "1f42c", "whale": "1f433", "shark": "1f988",
        "octopus": "1f419", "crab": "1f980", "lobster": "1f99e", "turtle": "1f422",
    },
    "insect": {
        "bee": "1f41d", "butterfly": "1f98b", "ant": "1f41c", "ladybug": "1f41e",
        "beetle": "1fab2", "caterpillar": "1f41b", "grasshopper": "1f997", "mosquito": "1f99f",
    },
    "fruit": {
        "apple": "1f34e", "pear": "1f350", "lemon": "1f34b", "banana": "1f34c",
        "watermelon": "1f349", "strawberry": "1f353", "pineapple": "1f34d", "kiwi": "1f95d",
    },
    "meal": {
        "hamburger": "1f354", "pizza": "1f355", "sandwich": "1f96a", "taco": "1f32e",
        "hotdog": "1f32d", "pretzel": "1f968", "croissant": "1f950", "salad": "1f957",
    },
    "sweet": {
        "cookie": "1f36a", "donut": "1f369", "cake": "1f370", "cupcake": "1f9c1",
        "lollipop": "1f36d", "candy": "1f36c", "chocolate": "1f36b", "sundae": "1f368",
    },
    "vehicle": {
        "car": "1f697", "bus": "1f68c", "tractor": "1f69c", "bicycle": "1f6b2",
        "helicopter": "1f681", "rocket": "1f680", "sailboat": "26f5", "train": "1f686",
    },
    "building": {
        "house": "1f3e0", "school": "1f3eb", "church": "26ea", "castle": "1f3f0",
        "factory": "1f3ed", "tent": "26fa", "tower": "1f5fc", "hospital": "1f3e5",
    },
    "garment": {
        "shirt": "1f455", "dress": "1f457", "coat": "1f9e5", "scarf": "1f9e3",
        "boot": "1f462", "sneaker": "1f45f", "hat": "1f3a9", "cap": "1f9e2",
    },
    "instrument": {
        "guitar": "1f3b8", "violin": "1f3bb", "drum": "1f941", "trumpet": "1f3ba",
        "saxophone": "1f3b7", "piano": "1f3b9", "accordion": "1fa97", "bell": "1f514",
    },
    "sports item": {
        "basketball": "1f3c0", "baseball": "26be", "football": "1f3c8", "racket": "1f3f8",
        "trophy": "1f3c6", "medal": "1f3c5", "skateboard": "1f6f9", "bow": "1f3f9",
    },
    "tool": {
        "hammer": "1f528", "wrench": "1f527", "axe": "1fa93", "saw": "1fa9a",
        "screwdriver": "1fa9b", "ladder": "1fa9c", "magnet": "1f9f2", "key": "1f511",
    },
    "plant": {
        "tree": "1f333", "pine": "1f332", "palm": "1f334", "cactus": "1f335",
        "rose": "1f339", "tulip": "1f337", "sunflower": "1f33b", "clover": "1f340",
    },
    "weather symbol": {
        "sun": "2600", "rainbow": "1f308", "snowflake": "2744", "snowman": "26c4",
        "tornado": "1f32a", "umbrella": "2602", "raindrop": "1f4a7", "thunderbolt": "26a1",
    },
    "worker": {
        "firefighter": "1f9d1-200d-1f692", "farmer": "1f9d1-200d-1f33e",
        "cook": "1f9d1-200d-1f373", "astronaut": "1f9d1-200d-1f680",
        "doctor": "1f9d1-200d-2695-fe0f", "guard": "1f482", "detective": "1f575", "builder": "1f477",
    },
    "face": {
        "happy face": "1f603", "sad face": "1f641", "angry face": "1f621", "scared face": "1f631",
        "sleepy face": "1f634", "surprised face": "1f632", "crying face": "1f62d", "loving face": "1f60d",
    },
    "flag": {
        "japanese flag": "1f1ef-1f1f5", "brazilian flag": "1f1e7-1f1f7",
        "canadian flag": "1f1e8-1f1e6", "british flag": "1f1ec-1f1e7",
        "american flag": "1f1fa-1f1f8", "greek flag": "1f1ec-1f1f7",
        "swedish flag": "1f1f8-1f1ea", "jamaican flag": "1f1ef-1f1f2",
    },
    "sign": {
        "ok sign": "1f197", "sos sign": "1f198", "new sign": "1f195", "free sign": "1f193",
        "abc sign": "1f524", "zero sign": "30-20e3", "seven sign": "37-20e3", "nine sign": "39-20e3",
    },
    "shape": {
        "circle": "1f535", "square": "1f7e6", "triangle": "1f53a", "star": "2b50",
        "heart": "2764", "cross": "2795", "ring": "2b55", "moon": "1f319",
    },
}  # fmt: skip
"""Artwork of every noun by category: code points of an emoji, as in the file names of Twemoji."""

CATEGORIES = tuple(THINGS)
CATEGORY = {noun: category for category, nouns in THINGS.items() for noun in nouns}
NOUNS = tuple(CATEGORY)

PROPERTY = {
    "mammal": "animal", "bird": "animal", "sea creature": "animal", "insect": "animal",
    "fruit": "food", "meal": "food", "sweet": "food", "vehicle": "vehicle",
    "building": "architecture", "garment": "clothing", "instrument": "music",
    "sports item": "sport", "tool": "tool", "plant": "plant", "weather symbol": "weather",
    "worker": "profession", "face": "emotion", "flag": "location", "sign": "letters", "shape": "shape",
}  # fmt: skip
"""Property of the text pool for every category, with the names of the paper."""

GROUP = {"animal": "animal", "food": "food item"}
"""Words for all things of a property that has several categories; a picture of a dog is one of an animal."""

IRREGULAR = {
    "fish": "fish", "cactus": "cacti", "scarf": "scarves", "snowman": "snowmen",
    "mosquito": "mosquitoes", "tornado": "tornadoes",
}  # fmt: skip


def plural(noun: str) -> str:
    """Returns the plural of a noun or of a category."""
    if noun in IRREGULAR:
        return IRREGULAR[noun]
    if noun.endswith(("s", "x", "ch", "sh")):
        return noun + "es"
    if noun.endswith("y") and noun[-2] not in "aeou":
        return noun[:-1] + "ies"
    return noun + "s"


def article(phrase: str) -> str:
    """Returns the indefinite article before a phrase: an apple, a bus, an SOS sign."""
    return "an" if phrase[0] in "aeiou" or phrase.startswith("sos ") else "a"
