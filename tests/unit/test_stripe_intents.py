"""The state machine of a PaymentIntent, walked at random."""

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from sandbox.stripe import intents
from sandbox.stripe.cards import CARDS
from sandbox.stripe.errors import StripeError
from sandbox.stripe.intents import Charge, Intent, PaymentMethod, UnexpectedStateError
from sandbox.stripe.refunds import amount_to_refund

AMOUNT = 4200
NEVER_DECLINED = {"pm_card_visa", "pm_card_mastercard"}


def method(card_name):
    return PaymentMethod(id=f"pm_{card_name}", created=0, card_name=card_name)


def new_intent(card_name=None):
    intent = Intent(
        id="pi_1",
        client_secret="pi_1_secret",
        created=0,
        amount=AMOUNT,
        currency="usd",
        status="requires_payment_method",
    )
    return intents.begin(intent, method(card_name) if card_name else None)


class IntentLife(RuleBasedStateMachine):
    """Confirms and cancels in any order, with any card."""

    def __init__(self):
        super().__init__()
        self.intent = new_intent()
        self.charges = []

    def confirm(self, card_name, away):
        before = self.intent
        done = intents.confirm(
            before,
            charge_id=f"ch_{len(self.charges)}",
            now=1,
            method=method(card_name) if card_name else None,
            customer_is_away=away,
        )
        self.intent = done.intent
        if done.charge:
            self.charges.append(done.charge)
        return done

    @precondition(lambda self: self.intent.status not in ("succeeded", "canceled"))
    @rule(card_name=st.sampled_from(sorted(CARDS)), away=st.booleans())
    def confirming_with_a_card_ends_as_the_card_says(self, card_name, away):
        done = self.confirm(card_name, away)
        if card_name in NEVER_DECLINED:
            assert done.intent.status == "succeeded"
        elif CARDS[card_name].needs_authentication and not away:
            assert done.intent.status == "requires_action"
            assert done.charge is None
        else:
            assert done.intent.status == "requires_payment_method"
            assert done.intent.failure.charge == done.charge.id
            assert not done.charge.succeeded

    @precondition(lambda self: self.intent.status == "requires_payment_method")
    @rule()
    def confirming_without_a_card_is_refused(self):
        with pytest.raises(UnexpectedStateError):
            self.confirm(None, False)

    @precondition(lambda self: self.intent.status in ("succeeded", "canceled"))
    @rule(card_name=st.sampled_from([None, *sorted(CARDS)]), away=st.booleans())
    def a_final_intent_refuses_everything(self, card_name, away):
        before = self.intent
        with pytest.raises(UnexpectedStateError):
            self.confirm(card_name, away)
        with pytest.raises(UnexpectedStateError):
            intents.cancel(before, reason=None, now=2)
        assert self.intent == before

    @precondition(lambda self: self.intent.status in intents.CANCELABLE)
    @rule(chance=st.integers(0, 4))
    def canceling_ends_it(self, chance):
        if chance == 0:
            self.intent = intents.cancel(self.intent, reason="abandoned", now=2)
            assert self.intent.status == "canceled"

    @invariant()
    def money_is_taken_once_if_it_succeeded_and_never_otherwise(self):
        paid = [charge for charge in self.charges if charge.succeeded]
        assert len(paid) == (self.intent.status == "succeeded")
        assert self.intent.amount_received == sum(charge.amount for charge in paid)

    @invariant()
    def the_latest_charge_is_the_last_one_made(self):
        latest = self.charges[-1].id if self.charges else None
        assert self.intent.latest_charge == latest


IntentLife.TestCase.settings = settings(
    max_examples=100, stateful_step_count=30, deadline=None
)
TestIntentLife = IntentLife.TestCase


def test_an_intent_with_a_card_waits_for_its_confirmation():
    assert new_intent("pm_card_visa").status == "requires_confirmation"


def charge(**changes):
    fields = {
        "id": "ch_1",
        "created": 0,
        "amount": AMOUNT,
        "currency": "usd",
        "intent": "pi_1",
        "method": method("pm_card_visa"),
    }
    return Charge(**{**fields, **changes})


def test_a_refund_without_an_amount_gives_back_what_is_left():
    assert amount_to_refund(charge(amount_refunded=200), None) == AMOUNT - 200


@pytest.mark.parametrize(
    ("refunded", "wanted", "code"),
    [(AMOUNT, None, "charge_already_refunded"), (200, AMOUNT - 199, None)],
)
def test_a_refund_never_gives_back_more_than_was_taken(refunded, wanted, code):
    with pytest.raises(StripeError) as refusal:
        amount_to_refund(charge(amount_refunded=refunded), wanted)
    assert refusal.value.error.get("code") == code
