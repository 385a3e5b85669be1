"""The rules of national numbers made of digits, one function each: `digits` has the right length already.

Answers: could this number have been issued?
Does not answer: whether it was.
"""

from sealwright.data.personal.checksums import iso7064_11_10, luhn, verhoeff, weighted

__all__ = [
    "at_svnr",
    "au_tfn",
    "be_nn",
    "br_cpf",
    "ca_sin",
    "ch_ahv",
    "cn_id",
    "cz_rc",
    "de_steuer_id",
    "dk_cpr",
    "fr_nir",
    "in_aadhaar",
    "kr_rrn",
    "nl_bsn",
    "no_fnr",
    "pl_pesel",
    "pt_nif",
    "ro_cnp",
    "se_pnr",
    "tr_tckn",
    "uk_nhs",
    "us_ssn",
    "za_id",
]

_DAYS = (31, 29, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31)
_ADVERTISED = {"078051120", "219099999", "457555462"}  # printed in advertisements, given to nobody


def _day(month: int, day: int) -> bool:
    return 1 <= month <= 12 and 1 <= day <= _DAYS[month - 1]


def us_ssn(digits: str) -> bool:
    """Areas 000, 666 and 900 to 999, group 00 and serial 0000 are never issued (SSA, since 2011)."""
    area, group, serial = digits[:3], digits[3:5], digits[5:]
    never = area in {"000", "666"} or area[0] == "9" or group == "00" or serial == "0000"
    return not never and digits not in _ADVERTISED and len(set(digits)) > 2


def de_steuer_id(digits: str) -> bool:
    """Of the first ten digits exactly one is repeated, two or three times; check digit ISO 7064 MOD 11,10 (BZSt)."""
    if digits[0] == "0":
        return False
    counts = sorted(digits[:10].count(digit) for digit in set(digits[:10]))
    return counts[-1] in {2, 3} and counts[-2] == 1 and iso7064_11_10(digits)


def fr_nir(digits: str) -> bool:
    """Sex 1 to 4, 7 or 8, a month, and the key 97 - n modulo 97 (INSEE)."""
    month = int(digits[3:5])
    plausible = digits[0] in "123478" and (1 <= month <= 12 or 20 <= month <= 42 or 50 <= month <= 99)
    return plausible and int(digits[13:]) == 97 - int(digits[:13]) % 97


def nl_bsn(digits: str) -> bool:
    """The "elfproef": weights 9 to 2 and -1, divisible by 11."""
    return int(digits) > 0 and weighted(digits, (9, 8, 7, 6, 5, 4, 3, 2, -1), 11) == 0


def br_cpf(digits: str) -> bool:
    """Two check digits modulo 11 (Receita Federal)."""
    if len(set(digits)) == 1:
        return False
    first = weighted(digits[:9], range(10, 1, -1), 11)
    second = weighted(digits[:10], range(11, 1, -1), 11)
    return digits[9:] == f"{0 if first < 2 else 11 - first}{0 if second < 2 else 11 - second}"


def in_aadhaar(digits: str) -> bool:
    """First digit 2 to 9, Verhoeff's check digit (UIDAI)."""
    return digits[0] in "23456789" and len(set(digits)) > 2 and verhoeff(digits)


def pl_pesel(digits: str) -> bool:
    """A date with the century in the month, weights 1 3 7 9."""
    month = int(digits[2:4]) % 20
    total = weighted(digits[:10], (1, 3, 7, 9, 1, 3, 7, 9, 1, 3), 10)
    return _day(month, int(digits[4:6])) and (10 - total) % 10 == int(digits[10])


def ch_ahv(digits: str) -> bool:
    """Begins with 756; check digit as on EAN-13."""
    return digits.startswith("756") and weighted(digits, (1, 3) * 6 + (1,), 10) == 0


def at_svnr(digits: str) -> bool:
    """Serial, check digit, day, month, year; weights 3 7 9 5 8 4 2 1 6 modulo 11."""
    total = weighted(digits[:3] + digits[4:], (3, 7, 9, 5, 8, 4, 2, 1, 6), 11)
    return digits[0] != "0" and 1 <= int(digits[4:6]) <= 31 and 1 <= int(digits[6:8]) <= 15 and total == int(digits[3])


def be_nn(digits: str) -> bool:
    """A date, a serial and 97 - n modulo 97; people born from 2000 on with a 2 before it."""
    if not _day(int(digits[2:4]) % 20, int(digits[4:6])):
        return False
    key = int(digits[9:])
    return key in {97 - int(digits[:9]) % 97, 97 - int("2" + digits[:9]) % 97}


def se_pnr(digits: str) -> bool:
    """A date (day plus 60 for coordination numbers) and Luhn over ten digits."""
    ten = digits[-10:]
    day = int(ten[4:6])
    century = len(digits) == 10 or digits[:2] in {"18", "19", "20"}
    return century and _day(int(ten[2:4]), day - 60 if day > 60 else day) and luhn(ten)


def dk_cpr(digits: str) -> bool:
    """A date and a serial; the old check digit no longer holds for all."""
    return _day(int(digits[2:4]), int(digits[:2]))


def no_fnr(digits: str) -> bool:
    """A date (day plus 40 for D numbers) and two check digits modulo 11."""
    day, month = int(digits[:2]) % 40, int(digits[2:4]) % 40
    first = weighted(digits[:10], (3, 7, 6, 1, 8, 9, 4, 5, 2, 1), 11)
    second = weighted(digits, (5, 4, 3, 2, 7, 6, 5, 4, 3, 2, 1), 11)
    return _day(month, day) and first == 0 and second == 0


def ca_sin(digits: str) -> bool:
    """Luhn; no number begins with 0 or 8."""
    return digits[0] not in "08" and len(set(digits)) > 2 and luhn(digits)


def au_tfn(digits: str) -> bool:
    """Weights 1 4 3 7 5 8 6 9 10, divisible by 11."""
    return int(digits) > 0 and weighted(digits, (1, 4, 3, 7, 5, 8, 6, 9, 10), 11) == 0


def pt_nif(digits: str) -> bool:
    """People have 1, 2, 3 or 45 in front; check digit modulo 11."""
    total = 11 - weighted(digits[:8], range(9, 1, -1), 11)
    person = digits[0] in "123" or digits.startswith("45")
    return person and int(digits[8]) == (0 if total > 9 else total)


def cn_id(digits: str) -> bool:
    """A region, a date, a serial, and ISO 7064 MOD 11-2; the last may be an X."""
    if digits[0] in "09" or digits[6:8] not in {"19", "20"} or not _day(int(digits[10:12]), int(digits[12:14])):
        return False
    total = weighted(digits[:17], [pow(2, 17 - place, 11) for place in range(17)], 11)
    return "10X98765432"[total] == digits[17].upper()


def za_id(digits: str) -> bool:
    """A date, a serial, citizenship 0 to 2, and Luhn."""
    return _day(int(digits[2:4]), int(digits[4:6])) and digits[10] in "012" and luhn(digits)


def kr_rrn(digits: str) -> bool:
    """A date and a digit for century and sex; since 2020 the rest is random."""
    return _day(int(digits[2:4]), int(digits[4:6])) and digits[6] in "12345678"


def tr_tckn(digits: str) -> bool:
    """Two check digits over odd and even places."""
    odd, even = sum(map(int, digits[0:9:2])), sum(map(int, digits[1:8:2]))
    tenth = (odd * 7 - even) % 10 == int(digits[9])
    return digits[0] != "0" and tenth and sum(map(int, digits[:10])) % 10 == int(digits[10])


def uk_nhs(digits: str) -> bool:
    """Weights 10 to 2, check digit modulo 11."""
    key = 11 - weighted(digits[:9], range(10, 1, -1), 11)
    return len(set(digits)) > 2 and key != 10 and key % 11 == int(digits[9])


def ro_cnp(digits: str) -> bool:
    """Sex and century, a date, a county, and weights 2 7 9 1 4 6 3 5 8 2 7 9 modulo 11."""
    key = weighted(digits[:12], (2, 7, 9, 1, 4, 6, 3, 5, 8, 2, 7, 9), 11)
    plausible = digits[0] in "12345678" and _day(int(digits[3:5]), int(digits[5:7]))
    return plausible and (1 if key == 10 else key) == int(digits[12])


def cz_rc(digits: str) -> bool:
    """A date (month plus 50 for women, plus 20 where serials ran out), divisible by 11 for ten digits."""
    month = int(digits[2:4]) % 50
    date = _day(month - 20 if month > 20 else month, int(digits[4:6]))
    return date and (len(digits) == 9 or int(digits) % 11 == 0 or int(digits[:9]) % 11 % 10 == int(digits[9]))
