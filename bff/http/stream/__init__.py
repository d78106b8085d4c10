"""Bodies that go through unread: their place, their tries, and what may go to a browser."""
