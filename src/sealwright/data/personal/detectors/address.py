"""Postal addresses: a street with a number, as written in several countries, with the place behind it where it follows.

Known ways: English (US, UK, IE, CA, AU, NZ, IN), German (DE, AT, CH), French (FR, BE, CH, CA), Spanish, Italian,
Dutch, Portuguese (PT, BR), Polish, Swedish, Danish, Norwegian; PO boxes; British, Canadian and Dutch postcodes.
Each pattern is searched only where a word of its kind occurs, and every repetition in it is bounded.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass

from sealwright.data.personal.model import Confidence, Span
from sealwright.data.personal.reading import Reading

__all__ = ["find"]

_U = "A-ZÀ-ÖØ-ÞĄĆĘŁŃÓŚŹŻŞİĞÇŐŰČŠŽŘ"
_W = rf"[{_U}0-9][\w'.\-]{{0,24}}"  # a capitalised word, or a number such as 5th
_S = r"(?:[^\W\d][\w'.\-]{0,29}|\d{1,2} de)"  # a word of a street's name, as in 12 de Octubre
_SMALL = r"(?:de|del|de la|de los|de las|du|des|da|do|dos|das|di|della|dei|degli|delle|van|van de|van der|la|le|les|el|of|the|und|an der|an)"
_NO = r"\d{1,5}(?:[ ]?[a-zA-Z](?![\w]))?(?:[ ]?[-/][ ]?\d{1,4}[a-zA-Z]?)?"
_TOWN = rf"[{_U}][\w'.\-]{{1,24}}(?:[ -](?:{_SMALL}[ ])?[{_U}][\w'.\-]{{1,24}}){{0,3}}"
_EN_WORDS = """alley alleys aly av ave avenue avenues bayou bayous beach beachs bend bends bluff bluffs blvd blvds boulevard
    boulevards branch branchs bridge bridges brook brooks burg burgs bypass camp camps canyon canyons cape capes
    causeway causeways center centers cir circle circles cliff cliffs close closes common commons corner corners
    course courses court courts cove coves creek creeks cres crescent crescents crossing crossings ct curve
    curves dale dales dam divide divides dr drive drives estate estates expressway expressways extension
    extensions falls ferry ferrys field fields flat flats ford fords forest forests forge forges fork forks
    freeway freeways garden gardens gateway gateways glen glens green greens grove groves harbor harbors haven
    havens heights highway highways hill hills hwy inlet inlets island islands isle isles junction junctions key
    keys knoll knolls lake lakes landing landings lane lanes light lights ln lock locks lodge lodges loop loops
    manor manors marshes meadow meadows mews mill mills mission missions motorway motorways mountain mountains
    neck necks orchard orchards oval ovals overpass park parks parkway parkways pass passes path paths pine
    pines pkwy pkwys pl place places plain plains plaza plazas point points port ports prairie prairies radial
    radials ramp ramps ranch ranchs rapids rd ridge ridges road roads row run shoal shoals shore shores springs
    spur spurs sq square squares st station stations stravenue stravenues stream streams street streets summit
    summits ter terrace terraces throughway throughways trace traces track tracks trail trails trl tunnel
    tunnels turnpike turnpikes underpass union unions valley valleys via viaduct viaducts view views village
    villages ville villes vista vistas walk walks way well wells xing xings"""
_UK = r"(?:[A-PR-UWYZ]\d[\dA-HJKPSTUW]?|[A-PR-UWYZ][A-HK-Y]\d[\dABEHMNPRVWXY]?) ?\d[ABD-HJLNP-UW-Z]{2}"
_EN_TAIL = (
    rf"(?:[,\n] {{0,2}}{_TOWN}){{0,2}}(?:,?[ ][A-Z]{{2,3}})?"
    rf"(?:[, \n]{{1,2}}(?:\d{{5}}(?:-\d{{4}})?|\d{{4}}|{_UK}|[A-Z]\d[A-Z][ ]?\d[A-Z]\d))?(?![\w])"
)
_REGION = r"(?: \([A-Z]{2}\)| ?[/-] ?[A-Z]{2}(?![\w]))?"
_EU_TAIL = (
    rf"(?: ?[ ,\n–-]{{1,3}}(?:[A-Z]{{1,2}}[- ])?\d{{4,5}}(?:-\d{{3}})?(?:[ ][A-Z]{{2}})?,?[ ]{_TOWN}{_REGION}"
    rf"| ?[,\n] ?{_TOWN},? \d{{4,5}}(?:-\d{{3}})?(?: ?\(?[A-Z]{{2}}\)?(?![\w]))?)?"
)
_BR_TAIL = rf"(?:(?:[,\n] ?{_TOWN})?[,\n] ?\d{{5}}-?\d{{3}},? {_TOWN}{_REGION}|{_EU_TAIL})"


@dataclass(frozen=True, slots=True)
class _Way:
    """One way to write an address: searched only where one of its words, or endings of words, occurs."""

    pattern: re.Pattern[str]
    words: frozenset[str] = frozenset()
    endings: tuple[str, ...] = ()
    confidence: Confidence = "high"


def _by_word(words: str, pattern: str) -> _Way:
    """`WORDS` in the pattern stands for any of the words, in any case; a dot may follow a short one."""
    either = "|".join(sorted(map(re.escape, words.split()), key=len, reverse=True))
    gates = frozenset(re.findall(r"[^\W\d_]+", words))
    return _Way(re.compile(rf"(?<![\w.,/-]){pattern.replace('WORDS', f'(?i:{either})')}"), gates)


def _by_ending(endings: str, pattern: str) -> _Way:
    """`ENDINGS` stands for any of them."""
    either = "|".join(sorted(map(re.escape, endings.split()), key=len, reverse=True))
    return _Way(
        re.compile(rf"(?<![\w.,/-]){pattern.replace('ENDINGS', f'(?:{either})')}"),
        endings=tuple(one.rstrip(".") for one in endings.split()),
    )


def _alone(pattern: str, confidence: Confidence) -> _Way:
    return _Way(re.compile(rf"(?<![\w]){pattern}(?![\w])"), confidence=confidence)


_ARTICLE = r"(?:(?:de la|de los|de las|de l'|del|de|du|des|d'|dos|das|da|do|dei|degli|delle|della|di|dell'|la|le|les|l'|el|los|las) ?)?"
_NAME = rf"{_ARTICLE}(?:{_S} ){{0,3}}?{_S}"
_FLAT = r"(?:(?:Flat|Studio|Unit|Apartment) \w{1,5},?[ \n]{1,2})"
_NUMBER = rf",? (?:n[.º°o]{{0,2}} ?|# ?)?{_NO}(?![\w])"
_DOOR = r"(?:(?:,| -|\n)? ?(?i:apt|apartment|suite|ste|unit|flat|floor|room|piso|puerta|bajo|apto|appartamento|piano|int|interno|whg|bte|#)\.? ?#?\w{1,6})?"

_WAYS = (
    _by_word(_EN_WORDS, rf"(?:{_FLAT}\d{{1,6}}[A-Za-z]? |{_FLAT}|\d{{1,6}}[A-Za-z]? )(?:[NSEW]\.? )?(?:{_W} ){{1,4}}?WORDS\b(?:\.(?! [A-Z]))?{_DOOR}{_EN_TAIL}"),
    _by_word(
        "nagar marg chowk ganj colony vihar sector enclave layout extension puram gali bagh path circle zila road street",
        rf"(?:(?i:h\.? ?no\.?|house no\.?|plot no\.?|flat no\.?|door no\.?) ?)?\d{{1,4}}(?:/\d{{1,4}})?,?[ \n](?:{_W},?[ \n]){{1,4}}?WORDS\b(?:[,\n ]{{1,2}}{_TOWN})?[ ,\n–-]{{1,3}}\d{{6}}(?![\w])",
    ),
    _by_ending(
        "straße strasse str. gasse weg platz allee ring damm ufer berg markt chaussee stieg steig pfad graben",
        rf"[{_U}][\w.\-]{{0,30}}ENDINGS {_NO}(?![\w]){_EU_TAIL}",
    ),
    _by_word(
        "straße strasse str. gasse weg platz allee ring damm ufer chaussee",
        rf"[{_U}][\w.\-]{{1,30}}[ -]WORDS {_NO}(?![\w]){_EU_TAIL}",
    ),
    _by_word("am an im in auf unter zum zur", rf"WORDS (?:(?:der|den|dem) )?[{_U}][\w\-]{{2,30}}(?: [{_U}][\w\-]{{2,30}})? {_NO}(?![\w])[ ,\n]{{1,3}}\d{{4,5}} {_TOWN}"),
    _by_word(
        "rue avenue av. boulevard bd bd. place impasse chemin allée allee quai route cours passage square",
        rf"\d{{1,4}}(?: ?(?:bis|ter|[a-d]))?,? WORDS {_ARTICLE}[\w'\-]{{2,30}}(?: (?:de |d'|du |des )?[{_U}][\w'\-]{{1,30}}){{0,3}}{_EU_TAIL}",
    ),
    _by_word(
        "rue avenue boulevard place impasse chemin allée quai route",
        rf"WORDS {_ARTICLE}[\w'\-]{{2,30}}(?: (?:de |d'|du |des )?[{_U}][\w'\-]{{1,30}}){{0,3}}[ ,\n]{{1,3}}\d{{5}} {_TOWN}",
    ),
    _by_word(
        "calle c/ c. avenida avda avda. av. plaza paseo camino carretera ronda travesía callejón glorieta rambla alameda cuesta cañada"
        " acceso pasaje urbanización vía via vial pasadizo",
        rf"WORDS ?{_NAME}{_NUMBER}{_DOOR}{_EU_TAIL}",
    ),
    _by_word(
        "via viale piazza piazzale corso largo vicolo strada contrada borgo rotonda canale incrocio stretto",
        rf"WORDS {_NAME}{_NUMBER}{_DOOR}{_EU_TAIL}",
    ),
    _by_ending(
        "straat weg laan plein gracht kade dijk singel hof steeg pad baan ring dreef boulevard allee hoeve",
        rf"(?:[{_U}][\w'.\-]{{0,20}} ){{0,2}}[{_U}][\w'.\-]{{0,30}}ENDINGS {_NO}(?![\w])(?:[ ,\n]{{1,3}}\d{{4}} ?[A-Z]{{2}}(?:[ ,\n]{{1,3}}{_TOWN})?)?",
    ),
    _by_word(
        "rua avenida av. travessa praça praca alameda estrada rodovia largo beco viela ladeira quadra vila morro lagoa jardim estação"
        " chácara parque residencial condomínio conjunto pátio vereda via viaduto vale trecho trevo sítio setor recanto passarela"
        " núcleo loteamento feira fazenda favela esplanada distrito colônia campo aeroporto área",
        rf"WORDS {_NAME}{_NUMBER}{_BR_TAIL}",
    ),
    _by_word("ul. al. pl. os. ulica aleja plac osiedle", rf"WORDS (?:{_S} ){{0,3}}?{_S} {_NO}(?![\w])(?:,?[ \n]\d{{2}}-\d{{3}} {_TOWN})?"),
    _by_ending(
        "gatan gata vägen väg gränd torget stigen stig vej gade veien vegen allé alle plads",
        rf"(?:[{_U}][\w.\-]{{0,20}} ){{0,2}}[{_U}]?[\w\-]{{0,30}}ENDINGS {_NO}(?![\w])(?:[ ,\n]{{1,3}}\d{{3}} ?\d{{1,2}} {_TOWN})?",
    ),
    _by_word("box postfach boîte apartado psc", r"(?i:p\.? ?o\.? ?box|post office box|postfach|bo[iî]te postale|apartado(?: de correos)?|psc) (?:[Nn]r\.? ?)?\d{2,6}(?![\w])"),
    _alone(rf"(?:{_TOWN}, )?[FAD]PO,? A[AEP] \d{{5}}(?:-\d{{4}})?", "high"),
    _alone(rf"\d{{1,6}} (?:{_W} ){{1,3}}?{_W}{_DOOR}[,\n] ?{_TOWN}, [A-Z]{{2}} \d{{5}}(?:-\d{{4}})?", "high"),
    _alone(rf"{_FLAT}?\d{{1,5}}[A-Za-z]? (?:{_W} ){{1,3}}?{_W}(?:[,\n] ?{_TOWN}){{1,3}}[, \n]{{1,2}}{_UK}", "high"),
    _alone(r"(?:PSC|Unit) \d{3,5},? Box \d{3,5}[,\n] ?[FAD]PO,? A[AEP] \d{5}", "high"),
    _alone(r"(?:GIR ?0AA|(?:[A-PR-UWYZ]\d[\dA-HJKPSTUW]?|[A-PR-UWYZ][A-HK-Y]\d[\dABEHMNPRVWXY]?) \d[ABD-HJLNP-UW-Z]{2})", "medium"),
    _alone(r"[ABCEGHJ-NPRSTVXY]\d[ABCEGHJ-NPRSTV-Z] \d[ABCEGHJ-NPRSTV-Z]\d", "medium"),
    _alone(rf"[1-9]\d{{3}} (?!S[ADS])[A-Z]{{2}}[ ,]{{1,2}}{_TOWN}", "medium"),
    _alone(rf"{_TOWN}, [A-Z]{{2}} \d{{5}}(?:-\d{{4}})?", "medium"),
)  # fmt: skip


_ALWAYS = frozenset(place for place, way in enumerate(_WAYS) if not way.words and not way.endings)
_BY_WORD = {
    word: frozenset(place for place, way in enumerate(_WAYS) if word in way.words)
    for way in _WAYS
    for word in way.words
}
_ENDINGS = tuple({ending for way in _WAYS for ending in way.endings})


def find(reading: Reading) -> Iterator[Span]:
    text = reading.text
    for place in sorted(_worth_trying(reading.words)):
        way = _WAYS[place]
        yield from (
            Span(*match.span(), kind="address", confidence=way.confidence) for match in way.pattern.finditer(text)
        )


def _worth_trying(words: frozenset[str]) -> set[int]:
    """The ways of which a word or ending occurs."""
    found = set(_ALWAYS)
    for word in words:
        if word in _BY_WORD:
            found |= _BY_WORD[word]
        if word.endswith(_ENDINGS):
            found |= {place for place, way in enumerate(_WAYS) if way.endings and word.endswith(way.endings)}
    return found
