"""Bugs that people really make, one a module, to see the oracle catch each.

Each module has `PATCHES`, what to do to which module of the product; `PROBE`, what to
put the stage through; and `CAUGHT_AS`, the law that is seen broken then.
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
}
