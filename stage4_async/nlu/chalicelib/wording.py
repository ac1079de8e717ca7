"""What the concierge says, apart from the questions about an order."""

from __future__ import annotations

from .products import CATEGORIES
from .replies import Reply, choices

GREETING = (
    "Hello! I am your concierge. I send flowers, gifts, sweets and food, and I book "
    "tables, tickets, rides and rooms. What can I do for you?"
)
HELP = (
    'Tell me what you would like, for example "send a dozen red roses to my mother", '
    '"gifts under 40 dollars", "a table for two in Boston tomorrow" or "where is my '
    'order?". I ask for what is missing, and you pay in the checkout form. At any '
    'time you can say "cancel", "start over", "repeat", or change a detail: "make it '
    'Saturday".'
)
ANSWERS = {
    "thank": "You are welcome. Is there anything else I can do?",
    "goodbye": "Goodbye, and thank you for your visit.",
    "payment_question": (
        "You pay by card in the checkout form, when the order is complete; I never see "
        "your card. The confirmation comes by e-mail."
    ),
    "delivery_question": (
        "Delivery is included in the price. I need a street address and a day; today "
        "is possible. Tables, tickets and rooms I arrange in larger cities of the USA."
    ),
    "refund_question": (
        "I am sorry that something is not right. I cannot refund or exchange an order "
        "in this chat: please reply to its confirmation e-mail, and a person will see "
        "to it."
    ),
    "human": (
        "I am a program, and there is nobody I can connect you with here. A person "
        "reads the replies to your confirmation e-mails. I gladly help with new orders."
    ),
    "small_talk": (
        "Kind of you to ask! I am a program with a good address book, and all is well. "
        "Shall we look for something nice?"
    ),
    "deny": "All right. Tell me when you need something.",
}
GOODBYE_WITH_ORDER = (
    "Goodbye! I keep your order here for a while, unpaid, in case you come back."
)
ONE_AT_A_TIME = "I take one order at a time. Which of these comes first?"
EMAIL = (
    "Thank you. I do not need an e-mail address here: the confirmation goes to the one "
    "you signed in with."
)
NO_CARD_NUMBERS = (
    "Please do not write card numbers here: I do not read or keep them. You pay in the "
    "checkout form, when the order is complete."
)
REFUSAL = (
    "I am sorry, that is not something I can do. I can send flowers, gifts, sweets and "
    "food, and book tables, tickets, rides and rooms."
)
SILENCE = "I did not hear anything. What can I do for you?"
PUZZLED = "I did not catch that. What can I do for you?"
FRESH_START = "I have lost the thread of our conversation, so let us start afresh."
CANCELLED = "I have dropped that order; nothing was charged. What else can I do?"
NOTHING_TO_CANCEL = (
    "There is nothing in the making that I could cancel. An order that is paid already "
    "cannot be cancelled in this chat; please reply to its confirmation e-mail."
)
ORDERS_UNSEEN = (
    "I cannot see your orders at the moment. They are safe; please ask me again in a "
    "minute."
)
MAYBE_PAID = (
    "I cannot see your orders at the moment. If you have paid for this one already, "
    "please do not pay again: it will be under My orders."
)
RESTARTED = "Let us start again. What would you like?"

OCCASIONS = {
    "mothers-day": "Mother's Day",
    "valentine": "Valentine's Day",
    "christmas": "Christmas",
    "get-well": "getting well",
    "baby": "a new baby",
    "thanks": "saying thank you",
    "romance": "a romantic evening",
    "sympathy": "showing sympathy",
    "congratulations": "congratulating",
}


def categories(text: str) -> Reply:
    """Return the text with a choice of all categories."""
    return choices(text, *CATEGORIES)


def for_whom(recipient: str | None, occasion: str | None) -> str:
    """Return " for your wife's birthday" and the like, or nothing."""
    if occasion is None:
        return f" for your {recipient}" if recipient else ""
    if occasion in OCCASIONS:
        who = f" for your {recipient}," if recipient else ""
        return f"{who} for {OCCASIONS[occasion]}"
    if recipient:
        return f" for your {recipient}'s {occasion}"
    return f" for {'an' if occasion[0] in 'aeiou' else 'a'} {occasion}"
