"""A mailbox for everybody: it takes any mail over SMTP and shows it on a page."""
