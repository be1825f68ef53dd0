"""Numbers of payment cards.

They have 13 to 19 digits, begin with the digits of an issuer, and have a valid check digit.
"""

import re

MIN_DIGITS = 13

# The digits are in one piece, or in the groups that are printed on cards. A part of a UUID, of a word or of a
# fraction is no card number.
CARD = re.compile(
    r"""
    (?<![0-9A-Za-z]) (?<![0-9][.]) (?<![0-9A-Fa-f]{4}-)
    (?: [0-9]{13,19}
      | [0-9]{4} ([ -]) [0-9]{4} \1 [0-9]{4} \1 [0-9]{1,4} (?: \1 [0-9]{1,3} )?
      | [0-9]{4} ([ -]) [0-9]{6} \2 [0-9]{4,5}
    )
    (?![0-9A-Za-z]) (?! [.][0-9]*[1-9]) (?! -[0-9A-Fa-f]{4})
    """,
    re.VERBOSE,
)

# https://en.wikipedia.org/wiki/Payment_card_number#Issuer_identification_number_(IIN)
_ISSUERS = re.compile(
    r"""
      4 (?: [0-9]{12} | [0-9]{15} | [0-9]{18} )                                       # Visa
    | (?: 5[1-5][0-9]{2} | 222[1-9] | 22[3-9][0-9] | 2[3-6][0-9]{2} | 27[01][0-9] | 2720 ) [0-9]{12}
    | 3[47] [0-9]{13}                                                                 # American Express
    | 3 (?: 0[0-59] | [689][0-9] ) [0-9]{11} (?: [0-9]{2} )?                          # Diners Club
    | (?: 6011 | 64[4-9][0-9] | 65[0-9]{2} ) [0-9]{12,15}                             # Discover
    | 35 (?: 2[89] | [3-8][0-9] ) [0-9]{12,15}                                        # JCB
    | 62 [0-9]{14,17}                                                                 # UnionPay
    | (?: 5018 | 5020 | 5038 | 5893 | 6304 | 6759 | 676[1-3] ) [0-9]{9,15}            # Maestro
    """,
    re.VERBOSE,
)


def is_card(text: str) -> bool:
    """Return whether digits, with or without separators, are the number of a payment card."""
    digits = text.replace(" ", "").replace("-", "")
    return bool(_ISSUERS.fullmatch(digits)) and _has_luhn_digit(digits) and not _is_product(digits)


def _has_luhn_digit(digits: str) -> bool:
    """Return whether the last digit is that of ISO/IEC 7812-1, which the issuers use."""
    odd = sum(map(int, digits[-1::-2]))
    even = sum(sum(divmod(2 * int(digit), 10)) for digit in digits[-2::-2])
    return (odd + even) % 10 == 0


def _is_product(digits: str) -> bool:
    """Return whether 13 digits are the number of a product, an EAN with a valid check digit.

    Many begin with 4, as the cards of Visa did when they had 13 digits.
    """
    return len(digits) == MIN_DIGITS and (sum(map(int, digits)) + 2 * sum(map(int, digits[1::2]))) % 10 == 0
