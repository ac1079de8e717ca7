"""A mailbox for everybody: a page of the mail that it takes over SMTP.

Where AWS sends the mail, the page shows the outbox of the local AWS instead.
"""
