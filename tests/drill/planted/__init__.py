"""Bugs that people really make, one a module, to see the oracle catch each.

Each module has `PATCHES`, what to do to which module of the product; `PROBE`, what to
put the stage through; and `CAUGHT_AS`, the law that is seen broken then. A bug of the
deployment has `deploy` and `undo` instead of patches.
"""

OF_STAGE = {
    1: (
        "no_idempotency",
        "key_rises_on_timeout",
        "no_sweeper",
        "unconditional_state_write",
        "price_from_client",
        "answer_before_work",
        "mail_without_lease",
        "stock_read_then_written",
    ),
    2: (
        "no_idempotency",
        "key_rises_on_timeout",
        "no_sweeper",
        "order_written_unconditionally",
        "price_from_client",
        "answer_before_work",
        "mail_without_lease",
        "stock_read_then_written",
        "reservation_without_mark",
        "new_id_for_each_try",
        "release_not_noted",
        "letter_written_again",
    ),
    3: (
        "no_idempotency",
        "key_rises_on_timeout",
        "never_sent_again",
        "order_ended_unconditionally",
        "price_from_client",
        "answer_before_work",
        "may_not_send_letters",
        "stock_written_blindly",
    ),
    4: (
        "no_idempotency",
        "key_rises_on_timeout",
        "never_sent_again",
        "payment_written_unconditionally",
        "failed_messages_deleted",
        "told_in_background",
        "may_not_publish",
        "price_from_client",
        "notices_forgotten",
        "stock_written_blindly",
        "place_not_let_go",
        "money_not_given_back",
        "released_without_mark",
    ),
}
